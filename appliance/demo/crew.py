"""The operators' shifts and free times, so that no operator talks with two callers at once.

Here and in the other modules of this package, all operators and calls are those of the synthetic
history.
"""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass, field

from appliance.demo.world import DemoOperator, SiteProfile

SHIFT_DURATION = dt.timedelta(hours=12)
DAY_BEGINS, NIGHT_BEGINS = dt.time(8), dt.time(20)
MIN_OPERATORS_FOR_SHIFTS = 8  # with fewer operators, all of them are always on shift
# The pauses of a shift: begin (hours after the shift's), length in minutes, reason.
PAUSES = ((2.5, 15, "break"), (5.0, 45, "lunch"), (8.5, 15, "break"))
PAUSE_BETWEEN_CALLS = dt.timedelta(seconds=6)  # of one operator

type State = tuple[dt.datetime, str, str]  # start, one of presence.STATES, a pause's reason


@dataclass
class OperatorSchedule:
    """One operator's shifts, and the time until which they are busy."""

    operator: DemoOperator
    states: list[State] = field(default_factory=list)
    ready_intervals: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    free_at: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)

    def next_free_time(self, time: dt.datetime) -> dt.datetime | None:
        """Return the first time from `time` on at which the operator is ready and not busy.

        None if there is no such time in the history.
        """
        time = max(time, self.free_at)
        position = bisect_right(
            self.ready_intervals, (time, dt.datetime.max.replace(tzinfo=dt.UTC))
        )
        if position and time < self.ready_intervals[position - 1][1]:
            return time
        return self.ready_intervals[position][0] if position < len(self.ready_intervals) else None


class Crew:
    """All operators over the whole history."""

    def __init__(self, world: SiteProfile) -> None:
        self.schedules = [OperatorSchedule(operator) for operator in world.operators]
        # The night shift of the day before ends on the first day.
        previous_day = world.first - dt.timedelta(days=1)
        for number, day in enumerate([previous_day, *world.days]):
            for index, worker in enumerate(self.schedules):
                for begin in _shift_starts(world, day, number, index, len(self.schedules)):
                    _add_shift(worker, begin, index)

    def find_first_free(
        self, since: dt.datetime, language: str, max_wait: dt.timedelta
    ) -> tuple[OperatorSchedule, dt.datetime] | None:
        """Return the operator who answers a call that waits since `since`, and when they are free.

        None if nobody is free within `max_wait`. Of operators who are free at the same time, one
        who speaks the caller's language is preferred.
        """
        best: tuple[dt.datetime, bool, dt.datetime, int] | None = None
        for index, worker in enumerate(self.schedules):
            free_at = worker.next_free_time(since)
            if free_at is None or free_at - since > max_wait:
                continue
            rank = (free_at, language not in worker.operator.speaks, worker.free_at, index)
            best = rank if best is None else min(best, rank)
        return (self.schedules[best[3]], best[0]) if best else None


def _shift_starts(
    world: SiteProfile, day: dt.date, number: int, index: int, operator_count: int
) -> list[dt.datetime]:
    """Return the starts of the shifts of operator number `index` on a date.

    Half of the operators work by day and an eighth by night; a small crew always works.
    """
    day_begins, night_begins = (world.utc_time(day, time) for time in (DAY_BEGINS, NIGHT_BEGINS))
    if operator_count < MIN_OPERATORS_FOR_SHIFTS:
        return [day_begins, night_begins]
    rotation = (number + index) % 4
    if rotation in (0, 1):
        return [day_begins]
    return [night_begins] if rotation == 2 and index // 4 % 2 == 0 else []


def _add_shift(worker: OperatorSchedule, begin: dt.datetime, index: int) -> None:
    """Add one shift with its pauses, at times that differ between operators."""
    since = begin
    for hours, minutes, reason in PAUSES:
        pauses_at = begin + dt.timedelta(hours=hours, minutes=index % 6 * 8)
        resumes_at = pauses_at + dt.timedelta(minutes=minutes)
        worker.states += [(since, "ready", ""), (pauses_at, "pause", reason)]
        worker.ready_intervals.append((since, pauses_at))
        since = resumes_at
    worker.states += [(since, "ready", ""), (begin + SHIFT_DURATION, "off", "")]
    worker.ready_intervals.append((since, begin + SHIFT_DURATION))
