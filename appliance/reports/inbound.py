"""The inbound calls of a period, counted by the database in two passes, however many they are."""

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from peewee import SQL, Expression, fn

from appliance.models import Call
from appliance.reports import kpi, wallclock
from appliance.reports.kpi import WAIT_EDGES, Tally
from appliance.reports.likeness import Likeness
from appliance.reports.periods import Period
from appliance.reports.sums import ANSWERED, COUNTED, OPEN, Group, count


@dataclass(frozen=True, slots=True)
class Slot:
    """The incoming calls of one stretch of the site's clock."""

    incoming: int
    accepted: int
    open: int = 0

    @property
    def missed(self) -> int:
        """Neither accepted nor going on."""
        return self.incoming - self.accepted - self.open


@dataclass(frozen=True)
class Arrivals:
    """What came in on the line: in groups of calls that figures tell apart, and by the clock."""

    groups: tuple[Group, ...] = ()
    slots: Mapping[dt.datetime, Slot] = field(default_factory=dict)  # begin, as the site's clock
    level: float = 0.0  # the service level's seconds

    @property
    def calls(self) -> int:
        """All that arrived, rejected and synthetic ones too."""
        return sum(group.calls for group in self.groups)

    @functools.cached_property
    def tally(self) -> Tally:
        """What the incoming calls add up to."""
        return kpi.tally(self.groups, self.level)

    @property
    def hours(self) -> list[int]:
        """Incoming calls by the site's hour of arrival, 24 numbers."""
        counts = [0] * 24
        for begin, slot in self.slots.items():
            counts[begin.hour] += slot.incoming
        return counts


def of(period: Period, level: float, times: Iterable[dt.time] = ()) -> Arrivals:
    """Count a period; `times`: of the day, which no slot reaches over.

    `level`: the service level's seconds.
    """
    within = (
        Call.direction == "inbound",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
    )
    return Arrivals(groups(within, level), _slots(period, within, times), level)


def groups(within: Collection[Expression], level: float) -> tuple[Group, ...]:
    """Calls in groups that no condition of sums.py parts, and none of the edges of waits."""
    alike = Likeness(tuple(sorted({*WAIT_EDGES, level})))
    seconds = (Call.menu_seconds, Call.wait_seconds, Call.talk_seconds, Call.hold_seconds)
    rows = (
        Call.select(
            alike.sql.alias("alike"), fn.COUNT(SQL("*")), *(fn.SUM(column) for column in seconds)
        )
        .where(*within)
        .group_by(SQL("alike"))
        .tuples()
    )
    return tuple(
        Group(alike.call(text), calls, *(value or 0.0 for value in summed))
        for text, calls, *summed in rows
    )


def _slots(
    period: Period, within: Collection[Expression], times: Iterable[dt.time]
) -> dict[dt.datetime, Slot]:
    """Begin of each slot, on the site's clock → its calls."""
    width = wallclock.width(times)
    slot = wallclock.local(period) / width
    rows = (
        Call.select(slot, fn.COUNT(SQL("*")), count(ANSWERED.sql), count(OPEN.sql))
        .where(*within, COUNTED.sql, ~Call.synthetic)
        .group_by(slot)
        .tuples()
    )
    return {
        wallclock.moment(number * width): Slot(came, accepted, still)
        for number, came, accepted, still in rows
    }
