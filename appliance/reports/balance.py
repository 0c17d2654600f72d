"""The balance of calls in every report: arrived calls, their outcomes, and what is unknown.

The ledger is the database's record of calls, which is derived from Asterisk's log.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from appliance.reports import formatting, kpi
from appliance.reports.report_texts import BalanceTexts
from appliance.reports.sums import ANSWERED, COUNTED, CallGroup
from appliance.telephony.calls import Balance

# unobserved intervals that the balance names; the note of a report's table of calls names all
_MAX_INTERVALS_IN_LINE = 2


def as_json(balance: Balance, tz: ZoneInfo) -> dict[str, Any]:
    """Return the balance as plain values for JSON, with datetimes in the time zone `tz`."""
    return {
        "arrivals": balance.arrivals,
        "outcomes": dict(balance.outcomes),
        "open": balance.open,
        "difference": balance.difference,
        "unobserved": [
            {"from": begin.astimezone(tz).isoformat(), "to": end.astimezone(tz).isoformat()}
            for begin, end in balance.unobserved
        ],
        "recordings_expected": balance.recordings_expected,
        "recordings_found": balance.recordings_found,
        "recordings_short": balance.recordings_short,
        "sip_refused": balance.sip_refused,
    }


@dataclass(frozen=True)
class ExcludedCallCounts:
    """Numbers of inbound calls that the balance includes, but a report's tables or rates do not.

    Tables exclude test calls and rejected calls. Short abandons are excluded only from rates, such
    as the service level, because those callers did not really wait.
    """

    short: int = 0  # short abandons: hung up in the queue within settings.calls.short_abandon
    synthetic: int = 0  # test calls
    synthetic_answered: int = 0  # answered test calls
    rejected: int = 0  # rejected calls that are not test calls


@dataclass(frozen=True)
class CallBalanceDescription:
    """The balance of calls as text, for the footer of a report.

    `total` is the number of calls as a sum over their outcomes, such as "9 arrived = 7 answered + 2
    closed". `difference` is the number of calls that arrived but are missing from the ledger; it is
    emphasized in print. `bridge` says how the numbers in the tables follow from those of the
    balance.
    """

    total: str
    difference: str
    bridge: str  # "" if the tables contain the same calls as the balance
    facts: tuple[str, ...]  # what the figures are based on: trunks, recordings, formulas …

    @property
    def explanation_text(self) -> str:
        """How the tables follow from the balance, and what the figures are based on, as a text."""
        return ". ".join([*([self.bridge] if self.bridge else []), *self.facts])


def count_excluded(groups: Iterable[CallGroup]) -> ExcludedCallCounts:
    """Return how many calls in groups of inbound calls are excluded from tables or rates."""
    group_list = list(groups)
    test_groups = [group for group in group_list if group.sample_call.synthetic]
    rejected_groups = [
        group
        for group in group_list
        if not COUNTED.holds(group.sample_call) and not group.sample_call.synthetic
    ]
    return ExcludedCallCounts(
        short=sum(group.calls for group in group_list if group.sample_call.short),
        synthetic=sum(group.calls for group in test_groups),
        synthetic_answered=sum(
            group.calls for group in test_groups if ANSWERED.holds(group.sample_call)
        ),
        rejected=sum(group.calls for group in rejected_groups),
    )


def describe_call_balance(
    balance: Balance,
    excluded: ExcludedCallCounts,
    made_at: dt.datetime,
    tz: ZoneInfo,
    texts: BalanceTexts,
) -> CallBalanceDescription:
    """Return the balance of a period's inbound calls as text, with times in the time zone `tz`.

    The sum over the outcomes comes from the ledger. The number of calls that arrived on the trunks
    is counted independently of it and is the first of the facts. `made_at` is when the report was
    made.
    """
    (_, total), *terms = labelled_summands(balance, excluded, texts)
    recordings = texts.recordings.format(
        found=formatting.format_number(balance.recordings_found),
        expected=formatting.format_number(balance.recordings_expected),
    )
    if balance.recordings_short:
        shortfall = texts.recordings_short.format(count=balance.recordings_short)
        recordings = f"{recordings} {shortfall}"
    refused_text = texts.sip_refused.format(count=formatting.format_number(balance.sip_refused))
    return CallBalanceDescription(
        total=f"{total} = {' + '.join(text for _, text in terms)}",
        difference=texts.difference.format(count=formatting.format_number(balance.difference)),
        bridge=bridge_text(balance, excluded, texts),
        facts=(
            texts.trunks.format(count=formatting.format_number(balance.arrivals)),
            *([refused_text] if balance.sip_refused else []),
            _unobserved_text(balance, tz, texts),
            recordings,
            texts.formulas.format(version=kpi.FORMULAS_VERSION),
            texts.made.format(moment=formatting.format_datetime(made_at.astimezone(tz))),
        ),
    )


def bridge_text(balance: Balance, excluded: ExcludedCallCounts, texts: BalanceTexts) -> str:
    """Return a text that shows how the numbers of calls in the tables follow from the balance.

    One subtraction each for the incoming and the accepted calls; "" if the tables have the same
    numbers as the balance. `excluded` are the numbers of calls that tables exclude.
    """
    total = sum(balance.outcomes.values()) + balance.open
    answered = balance.outcomes.get("answered", 0)
    synthetic_text = texts.bridge_synthetic
    incoming = ((excluded.rejected, texts.bridge_rejected), (excluded.synthetic, synthetic_text))
    subtractions = [
        (texts.bridge, _subtraction_text(total, incoming)),
        (
            texts.bridge_accepted,
            _subtraction_text(answered, ((excluded.synthetic_answered, synthetic_text),)),
        ),
    ]
    return "; ".join(
        text.format(sum=subtraction) for text, subtraction in subtractions if subtraction
    )


def _subtraction_text(minuend: int, parts: Iterable[tuple[int, str]]) -> str:
    """Return a text like "1 481 − 9 rejected − 4 test = 1 468"; "" if nothing is subtracted.

    `parts` are the subtracted numbers, each with a text for its {count}.
    """
    nonzero_parts = [(count, text) for count, text in parts if count]
    if not nonzero_parts:
        return ""
    part_texts = [
        text.format(count=formatting.format_number(count)) for count, text in nonzero_parts
    ]
    difference = minuend - sum(count for count, _ in nonzero_parts)
    return (
        f"{' − '.join([formatting.format_number(minuend), *part_texts])} = "
        f"{formatting.format_number(difference)}"
    )


def labelled_summands(
    balance: Balance, excluded: ExcludedCallCounts, texts: BalanceTexts
) -> list[tuple[str, str]]:
    """Return (outcome, text) of the total, whose outcome is "", and then of each summand.

    Outcomes without calls are left out, except "answered". Calls in progress have the outcome
    "open". The texts mention how many of the calls are `excluded` test calls and short abandons.
    """
    counts = {**balance.outcomes, "open": balance.open}
    total = texts.arrived.format(count=formatting.format_number(sum(counts.values())))
    if excluded.synthetic:
        total = (
            f"{total} {texts.synthetic.format(count=formatting.format_number(excluded.synthetic))}"
        )
    labelled = [("", total)]
    for outcome, text in texts.outcomes.items():
        if counts.get(outcome) or outcome == "answered":
            term = text.format(count=formatting.format_number(counts.get(outcome, 0)))
            if outcome == "abandoned_queue" and excluded.short:
                term = f"{term} {texts.short.format(count=excluded.short)}"
            labelled.append((outcome, term))
    return labelled


def unobserved_intervals_text(gaps: Sequence[tuple[dt.datetime, dt.datetime]], tz: ZoneInfo) -> str:
    """Return unobserved intervals as text in the time zone `tz`, separated by semicolons.

    Asterisk was not observed then, so it is unknown which calls arrived. Returns "" if there are no
    such intervals.
    """
    return "; ".join(
        formatting.format_interval(b.astimezone(tz), e.astimezone(tz)) for b, e in gaps
    )


def _unobserved_text(balance: Balance, tz: ZoneInfo, texts: BalanceTexts) -> str:
    """Return a text with the first unobserved intervals, and how many more there are.

    If there are no such intervals, the text says that the whole period was observed.
    """
    gaps = balance.unobserved
    if not gaps:
        return texts.all_observed
    more = len(gaps) - _MAX_INTERVALS_IN_LINE
    intervals_text = unobserved_intervals_text(gaps[:_MAX_INTERVALS_IN_LINE], tz)
    if more > 0:
        intervals_text = f"{intervals_text}; {texts.unobserved_more.format(count=more)}"
    return texts.unobserved.format(stretches=intervals_text)
