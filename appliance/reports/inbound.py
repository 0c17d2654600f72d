"""The inbound calls of a period, counted by the database with two queries."""

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from peewee import SQL, Expression, fn

from appliance.models import Call
from appliance.reports import kpi, wallclock
from appliance.reports.call_classes import CallClassifier
from appliance.reports.kpi import WAIT_EDGES_SECONDS, Tally
from appliance.reports.periods import Period
from appliance.reports.sums import ANSWERED, COUNTED, OPEN, CallGroup, count_where


@dataclass(frozen=True, slots=True)
class ArrivalSlot:
    """The number of incoming calls in one time slot, an hour of local time or a part of it."""

    incoming: int
    accepted: int
    open: int = 0  # in progress

    @property
    def missed(self) -> int:
        """The number of calls that ended without being accepted."""
        return self.incoming - self.accepted - self.open


@dataclass(frozen=True)
class Arrivals:
    """The inbound calls of a period, counted in two ways: by group and by time slot.

    A group contains the calls that no condition of sums.py distinguishes. The groups include
    rejected and test calls, the slots do not.
    """

    groups: tuple[CallGroup, ...] = ()
    # by the beginning of the slot in local time
    slots: Mapping[dt.datetime, ArrivalSlot] = field(default_factory=dict)
    level: float = 0.0  # threshold of the service level, seconds

    @property
    def calls(self) -> int:
        """The number of all calls that arrived, including rejected and test calls."""
        return sum(group.calls for group in self.groups)

    @functools.cached_property
    def tally(self) -> Tally:
        """The tally of the incoming calls, which are neither rejected nor test calls."""
        return kpi.tally_groups(self.groups, self.level)

    @property
    def calls_by_hour_of_day(self) -> list[int]:
        """The number of incoming calls in each local hour of the day, 0 to 23."""
        counts = [0] * 24
        for begin, slot in self.slots.items():
            counts[begin.hour] += slot.incoming
        return counts


def count_arrivals(
    period: Period, service_level_seconds: float, times: Iterable[dt.time] = ()
) -> Arrivals:
    """Count the inbound calls that arrived in a period, by group and by time slot.

    `times` are times of the day that must be borders between time slots, which are otherwise hours.
    `service_level_seconds` is the threshold of the service level.
    """
    in_period = (
        Call.direction == "inbound",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
    )
    return Arrivals(
        count_groups(in_period, service_level_seconds),
        _count_calls_by_slot(period, in_period, times),
        service_level_seconds,
    )


def count_groups(
    conditions: Collection[Expression], service_level_seconds: float
) -> tuple[CallGroup, ...]:
    """Count the calls that meet the conditions, in groups.

    Calls of a group meet the same conditions of sums.py. Their waits are in the same range between
    two neighbouring edges, which are WAIT_EDGES_SECONDS and `service_level_seconds`.
    """
    classifier = CallClassifier(tuple(sorted({*WAIT_EDGES_SECONDS, service_level_seconds})))
    seconds = (Call.menu_seconds, Call.wait_seconds, Call.talk_seconds, Call.hold_seconds)
    rows = (
        Call.select(
            classifier.sql.alias("call_class"),
            fn.COUNT(SQL("*")),
            *(fn.SUM(column) for column in seconds),
        )
        .where(*conditions)
        .group_by(SQL("call_class"))
        .tuples()
    )
    return tuple(
        CallGroup(
            classifier.representative_call(call_class), calls, *(value or 0.0 for value in sums)
        )
        for call_class, calls, *sums in rows
    )


def _count_calls_by_slot(
    period: Period, conditions: Collection[Expression], times: Iterable[dt.time]
) -> dict[dt.datetime, ArrivalSlot]:
    """Return the incoming calls of each time slot, by the beginning of the slot in local time.

    A slot is at most an hour long, so short that each of `times` is a border between two slots.
    """
    width = wallclock.slot_width(times)
    slot = wallclock.local_microseconds(period) / width
    rows = (
        Call.select(slot, fn.COUNT(SQL("*")), count_where(ANSWERED.sql), count_where(OPEN.sql))
        .where(*conditions, COUNTED.sql, ~Call.synthetic)
        .group_by(slot)
        .tuples()
    )
    return {
        wallclock.wall_clock_datetime(number * width): ArrivalSlot(incoming, accepted, open_calls)
        for number, incoming, accepted, open_calls in rows
    }
