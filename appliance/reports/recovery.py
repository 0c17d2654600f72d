"""Missed callers who were spoken with later: beside the missed calls, never taken off them."""

import bisect
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from appliance.core import phone_numbers
from appliance.models import Call
from appliance.reports.periods import Period
from appliance.telephony.calls.outcomes import NOT_COUNTED

WITHIN = dt.timedelta(days=7)


@dataclass(frozen=True)
class MissedCall:
    """An incoming call that was not accepted."""

    arrived_at: dt.datetime
    recovered_after: dt.timedelta | None  # until the next talk with its caller, of any direction


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
    until = period.end + WITHIN
    spoken: dict[str, list[int]] = defaultdict(list)
    moment = Call.arrived_at + 0  # as the table keeps it: many are read, few are told
    answered = Call.select(Call.direction, Call.caller, Call.callee, moment).where(
        Call.direction << ("inbound", "outbound"),
        Call.outcome == "answered",
        Call.arrived_at >= period.begin,
        Call.arrived_at < until,
        ~Call.synthetic,
    )
    for direction, caller, callee, at in answered.order_by(Call.arrived_at).tuples():
        number = (
            caller if direction == "inbound" else phone_numbers.canonical(callee or "") or callee
        )
        if number:
            spoken[number].append(at)
    missed = Call.select(Call.caller, Call.arrived_at, moment).where(
        Call.direction == "inbound",
        Call.outcome.is_null(False),
        Call.outcome.not_in(("answered", *NOT_COUNTED)),
        ~Call.synthetic,
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
    )
    return [
        MissedCall(arrived_at, _after(at, spoken.get(caller or "", [])))
        for caller, arrived_at, at in missed.order_by(Call.arrived_at).tuples()
    ]


def recovery(missed: list[MissedCall]) -> Recovery:
    """What became of missed calls."""
    after = [one.recovered_after.total_seconds() for one in missed if one.recovered_after]
    return Recovery(len(missed), len(after), sum(after))


def _after(moment: int, talks: list[int]) -> dt.timedelta | None:
    """How long after a moment the next talk was; both in microseconds."""
    place = bisect.bisect_right(talks, moment)
    after = dt.timedelta(microseconds=talks[place] - moment) if place < len(talks) else None
    return after if after is None or after <= WITHIN else None
