"""Missed callers who were spoken with later: beside the missed calls, never taken off them."""

import bisect
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from appliance.core import phone_numbers
from appliance.core.db import raw
from appliance.models import Call
from appliance.reports.periods import Period
from appliance.reports.sums import COUNTED, MISSED

WITHIN = dt.timedelta(days=7)
_WITHIN = WITHIN // dt.timedelta(microseconds=1)


class MissedCall(NamedTuple):
    """An incoming call that was not accepted; microseconds."""

    arrived_at: int  # since 1970
    recovered_after: int | None  # until the next talk with its caller, of any direction


@dataclass(frozen=True)
class Recovery:
    """How many missed calls were followed by a talk within WITHIN, and how soon."""

    missed: int
    recovered: int
    seconds: float  # all of them together

    @property
    def average(self) -> float | None:
        """Seconds from the missed call to the talk."""
        return self.seconds / self.recovered if self.recovered else None


def missed_calls(period: Period) -> list[MissedCall]:
    """The missed calls that arrived in the period, oldest first. A hidden number stays missed."""
    within = Call.arrived_at >= period.begin, Call.arrived_at < period.end, ~Call.synthetic
    rows = Call.select(Call.caller, Call.arrived_at).where(
        Call.direction == "inbound", (COUNTED & MISSED).sql, *within
    )
    missed = list(raw(rows.order_by(Call.arrived_at)))
    spoken = _spoken(period, {caller for caller, _ in missed if caller})
    return [MissedCall(at, _after(at, spoken.get(caller or "", []))) for caller, at in missed]


def _spoken(period: Period, callers: set[str]) -> dict[str, list[int]]:
    """Number, one of some, → when a talk with it began, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    answered = Call.select(Call.direction, Call.caller, Call.callee, Call.arrived_at).where(
        Call.direction << ("inbound", "outbound"),
        Call.outcome == "answered",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end + WITHIN,
        ~Call.synthetic,
    )
    for direction, caller, callee, at in raw(answered.order_by(Call.arrived_at)):
        number = caller
        if direction == "outbound":
            number = phone_numbers.canonical(callee or "") or callee
        if number in callers:
            found[number].append(at)
    return found


def recovery(missed: list[MissedCall]) -> Recovery:
    """What became of missed calls."""
    after = [one.recovered_after for one in missed if one.recovered_after]
    return Recovery(len(missed), len(after), sum(after) / 10**6 if after else 0)


def _after(moment: int, talks: list[int]) -> int | None:
    """How long after a moment the next talk was; None: not WITHIN."""
    place = bisect.bisect_right(talks, moment)
    after = talks[place] - moment if place < len(talks) else None
    return None if after is None or after > _WITHIN else after
