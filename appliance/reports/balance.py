"""The balance that every report carries: what arrived, what became of it, what is unknown."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from appliance.reports import figures, kpi
from appliance.reports.sums import ANSWERED, COUNTED, Group
from appliance.reports.words import BalanceWords
from appliance.telephony.calls import Balance

_SHOWN = 2  # unobserved stretches in the line; the calls' table lists all of them


def as_json(balance: Balance, tz: ZoneInfo) -> dict[str, Any]:
    """The balance as plain values, moments in the site's time."""
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
class Others:
    """Calls that the balance sums and a table leaves out or names apart, among all inbound ones."""

    short: int = 0  # abandoned within the threshold
    synthetic: int = 0  # test calls
    synthetic_answered: int = 0  # of those
    rejected: int = 0  # no test calls


@dataclass(frozen=True)
class Line:
    """The balance in words: the sum, the difference (to stress), the bridge to the tables."""

    total: str
    difference: str
    bridge: str  # "" when the tables have the same calls as the balance
    facts: tuple[str, ...]  # what the figures stand on: trunks, recordings, formulas …

    @property
    def rest(self) -> str:
        """What follows the difference, in one text."""
        return ". ".join([*([self.bridge] if self.bridge else []), *self.facts])


def others(groups: Iterable[Group]) -> Others:
    """The others among inbound calls at hand."""
    known = list(groups)
    tests = [one for one in known if one.like.synthetic]
    refused = [one for one in known if not COUNTED.holds(one.like) and not one.like.synthetic]
    return Others(
        short=sum(one.calls for one in known if one.like.short),
        synthetic=sum(one.calls for one in tests),
        synthetic_answered=sum(one.calls for one in tests if ANSWERED.holds(one.like)),
        rejected=sum(one.calls for one in refused),
    )


def line(
    balance: Balance, others: Others, made_at: dt.datetime, tz: ZoneInfo, words: BalanceWords
) -> Line:
    """The balance of a period's inbound calls in words.

    The sum is the ledger's; beside the difference stands what the trunks saw, counted on its own.
    """
    (_, total), *terms = summands(balance, others, words)
    recordings = words.recordings.format(
        found=figures.number(balance.recordings_found),
        expected=figures.number(balance.recordings_expected),
    )
    if balance.recordings_short:
        shortfall = words.recordings_short.format(count=balance.recordings_short)
        recordings = f"{recordings} {shortfall}"
    refused = words.sip_refused.format(count=figures.number(balance.sip_refused))
    return Line(
        total=f"{total} = {' + '.join(text for _, text in terms)}",
        difference=words.difference.format(count=figures.number(balance.difference)),
        bridge=bridge(balance, others, words),
        facts=(
            words.trunks.format(count=figures.number(balance.arrivals)),
            *([refused] if balance.sip_refused else []),
            _unobserved(balance, tz, words),
            recordings,
            words.formulas.format(version=kpi.FORMULAS),
            words.made.format(moment=figures.moment(made_at.astimezone(tz))),
        ),
    )


def bridge(balance: Balance, others: Others, words: BalanceWords) -> str:
    """How the tables' incoming and accepted calls come out of the balance; "" when they are its."""
    total = sum(balance.outcomes.values()) + balance.open
    answered = balance.outcomes.get("answered", 0)
    tests = words.bridge_synthetic
    incoming = ((others.rejected, words.bridge_rejected), (others.synthetic, tests))
    parts = [
        (words.bridge, _less(total, incoming)),
        (words.bridge_accepted, _less(answered, ((others.synthetic_answered, tests),))),
    ]
    return "; ".join(text.format(sum=found) for text, found in parts if found)


def _less(whole: int, parts: Iterable[tuple[int, str]]) -> str:
    """1 481 − 9 rejected − 4 test = 1 468; "" when nothing is taken off."""
    taken = [(count, text) for count, text in parts if count]
    if not taken:
        return ""
    named = [text.format(count=figures.number(count)) for count, text in taken]
    left = whole - sum(count for count, _ in taken)
    return f"{' − '.join([figures.number(whole), *named])} = {figures.number(left)}"


def summands(balance: Balance, others: Others, words: BalanceWords) -> list[tuple[str, str]]:
    """The total, whose outcome is "", and what it is the sum of: (outcome, how it is told)."""
    known = {**balance.outcomes, "open": balance.open}
    total = words.arrived.format(count=figures.number(sum(known.values())))
    if others.synthetic:
        total = f"{total} {words.synthetic.format(count=figures.number(others.synthetic))}"
    found = [("", total)]
    for outcome, text in words.outcomes.items():
        if known.get(outcome) or outcome == "answered":
            term = text.format(count=figures.number(known.get(outcome, 0)))
            if outcome == "abandoned_queue" and others.short:
                term = f"{term} {words.short.format(count=others.short)}"
            found.append((outcome, term))
    return found


def stretches(gaps: Sequence[tuple[dt.datetime, dt.datetime]], tz: ZoneInfo) -> str:
    """The unobserved stretches in site time, parted by semicolons."""
    return "; ".join(figures.stretch(b.astimezone(tz), e.astimezone(tz)) for b, e in gaps)


def _unobserved(balance: Balance, tz: ZoneInfo, words: BalanceWords) -> str:
    gaps = balance.unobserved
    if not gaps:
        return words.all_observed
    more = len(gaps) - _SHOWN
    shown = stretches(gaps[:_SHOWN], tz)
    if more > 0:
        shown = f"{shown}; {words.unobserved_more.format(count=more)}"
    return words.unobserved.format(stretches=shown)
