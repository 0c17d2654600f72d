"""The balance that every report carries: what arrived, what became of it, what is unknown."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from appliance.calls import Balance
from appliance.reports import figures, kpi
from appliance.reports.kpi import Inbound
from appliance.reports.words import BalanceWords

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


def line(
    balance: Balance,
    inbound: Sequence[Inbound],
    made_at: dt.datetime,
    tz: ZoneInfo,
    words: BalanceWords,
) -> tuple[str, str, str]:
    """The line for a page's foot in three parts: the sum, the difference (to stress), the rest.

    The sum is the ledger's; beside the difference stands what the trunks saw, counted on its own.
    `inbound` are the same calls, for what the sum leaves open: short abandons and test calls.
    """
    return counted_line(balance, besides(inbound), made_at, tz, words)


def besides(inbound: Sequence[Inbound]) -> tuple[int, int]:
    """Short abandons and test calls among these."""
    return sum(call.short for call in inbound), sum(call.synthetic for call in inbound)


def counted_line(
    balance: Balance,
    others: tuple[int, int],
    made_at: dt.datetime,
    tz: ZoneInfo,
    words: BalanceWords,
) -> tuple[str, str, str]:
    """The same line, when the short abandons and the test calls have been counted already."""
    (_, total), *terms = summands(balance, others, words)
    recordings = words.recordings.format(
        found=figures.number(balance.recordings_found),
        expected=figures.number(balance.recordings_expected),
    )
    if balance.recordings_short:
        shortfall = words.recordings_short.format(count=balance.recordings_short)
        recordings = f"{recordings} {shortfall}"
    refused = words.sip_refused.format(count=figures.number(balance.sip_refused))
    rest = (
        words.trunks.format(count=figures.number(balance.arrivals)),
        *([refused] if balance.sip_refused else []),
        _unobserved(balance, tz, words),
        recordings,
        words.formulas.format(version=kpi.FORMULAS),
        words.made.format(moment=figures.moment(made_at.astimezone(tz))),
    )
    return (
        f"{total} = {' + '.join(text for _, text in terms)}",
        words.difference.format(count=figures.number(balance.difference)),
        ". ".join(rest),
    )


def summands(
    balance: Balance, others: tuple[int, int], words: BalanceWords
) -> list[tuple[str, str]]:
    """The total, whose outcome is "", and what it is the sum of: (outcome, how it is told)."""
    short, synthetic = others
    known = {**balance.outcomes, "open": balance.open}
    total = words.arrived.format(count=figures.number(sum(known.values())))
    if synthetic:
        total = f"{total} {words.synthetic.format(count=figures.number(synthetic))}"
    found = [("", total)]
    for outcome, text in words.outcomes.items():
        if known.get(outcome) or outcome == "answered":
            told = text.format(count=figures.number(known.get(outcome, 0)))
            if outcome == "abandoned_queue" and short:
                told = f"{told} {words.short.format(count=short)}"
            found.append((outcome, told))
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
