"""Recovered calls: missed calls whose caller talked with the hotline within RECOVERY_WINDOW.

They are shown next to the missed calls, and never subtracted from them.
"""

import bisect
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from appliance.core import phone_numbers
from appliance.core.db import raw_rows
from appliance.models import Call
from appliance.reports.periods import Period
from appliance.reports.sums import COUNTED, MISSED

RECOVERY_WINDOW = dt.timedelta(days=7)
_RECOVERY_WINDOW_MICROSECONDS = RECOVERY_WINDOW // dt.timedelta(microseconds=1)


class MissedCall(NamedTuple):
    """An incoming call that was not accepted; times are in microseconds."""

    arrived_at: int  # since 1970, in UTC
    # time from the missed call to the next call with this number that was answered, incoming or
    # outgoing, if there was such a call within RECOVERY_WINDOW
    recovered_after: int | None


@dataclass(frozen=True)
class Recovery:
    """The number of missed calls, and how many were followed by a talk within RECOVERY_WINDOW."""

    missed: int
    recovered: int
    seconds: float  # from the missed call to the talk, summed over the recovered calls

    @property
    def average(self) -> float | None:
        """Average seconds from the missed call to the talk, if any call was recovered."""
        return self.seconds / self.recovered if self.recovered else None


def missed_calls(period: Period) -> list[MissedCall]:
    """Return the missed calls that arrived in the period, oldest first.

    A call from a hidden number is never recovered.
    """
    in_period = Call.arrived_at >= period.begin, Call.arrived_at < period.end, ~Call.synthetic
    rows = Call.select(Call.caller, Call.arrived_at).where(
        Call.direction == "inbound", (COUNTED & MISSED).sql, *in_period
    )
    missed = list(raw_rows(rows.order_by(Call.arrived_at)))
    talk_starts = _talk_starts_by_number(period, {caller for caller, _ in missed if caller})
    return [
        MissedCall(at, _delay_until_talk(at, talk_starts.get(caller or "", [])))
        for caller, at in missed
    ]


def _talk_starts_by_number(period: Period, callers: set[str]) -> dict[str, list[int]]:
    """Return when the answered calls from or to each of the numbers `callers` began, by number.

    Times are in order, in microseconds since 1970.
    """
    starts: dict[str, list[int]] = defaultdict(list)
    answered = Call.select(Call.direction, Call.caller, Call.callee, Call.arrived_at).where(
        Call.direction << ("inbound", "outbound"),
        Call.outcome == "answered",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end + RECOVERY_WINDOW,
        ~Call.synthetic,
    )
    for direction, caller, callee, started_at in raw_rows(answered.order_by(Call.arrived_at)):
        number = caller
        if direction == "outbound":
            number = phone_numbers.canonical_number(callee or "") or callee
        if number in callers:
            starts[number].append(started_at)
    return starts


def summarize_recovery(missed: list[MissedCall]) -> Recovery:
    """Return how many of the missed calls were recovered, and after how many seconds in total."""
    delays = [call.recovered_after for call in missed if call.recovered_after]
    return Recovery(len(missed), len(delays), sum(delays) / 10**6 if delays else 0)


def _delay_until_talk(missed_at: int, talks: list[int]) -> int | None:
    """Return the microseconds until the next talk, if it is within RECOVERY_WINDOW.

    `talks` are the times at which talks began, in order; all times are in microseconds since 1970.
    """
    position = bisect.bisect_right(talks, missed_at)
    delay = talks[position] - missed_at if position < len(talks) else None
    return None if delay is None or delay > _RECOVERY_WINDOW_MICROSECONDS else delay
