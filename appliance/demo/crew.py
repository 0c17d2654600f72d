"""Who is at work when, and who is free: so that nobody speaks with two callers at once."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass, field

from appliance.demo.world import Operator, World

SHIFT = dt.timedelta(hours=12)
DAY_BEGINS, NIGHT_BEGINS = dt.time(8), dt.time(20)
FEW = 8  # operators; so few are always at work
# hours into the shift, minutes, reason
PAUSES = ((2.5, 15, "break"), (5.0, 45, "lunch"), (8.5, 15, "break"))
AFTERWARDS = dt.timedelta(seconds=6)  # between two calls

type State = tuple[dt.datetime, str, str]  # since when, presence.STATES, a pause's reason


@dataclass
class Worker:
    """One operator's shifts, and until when he is taken."""

    operator: Operator
    states: list[State] = field(default_factory=list)
    ready: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    free_at: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)

    def free_after(self, moment: dt.datetime) -> dt.datetime | None:
        """The first moment from this one on at which he is ready and not taken."""
        moment = max(moment, self.free_at)
        place = bisect_right(self.ready, (moment, dt.datetime.max.replace(tzinfo=dt.UTC)))
        if place and moment < self.ready[place - 1][1]:
            return moment
        return self.ready[place][0] if place < len(self.ready) else None


class Crew:
    """All operators over the whole history."""

    def __init__(self, world: World) -> None:
        self.workers = [Worker(operator) for operator in world.operators]
        before = world.first - dt.timedelta(days=1)  # its night lasts into the first day
        for number, day in enumerate([before, *world.days]):
            for index, worker in enumerate(self.workers):
                for begin in _shifts(world, day, number, index, len(self.workers)):
                    _work(worker, begin, index)

    def first_free(
        self, moment: dt.datetime, language: str, patience: dt.timedelta
    ) -> tuple[Worker, dt.datetime] | None:
        """Who takes a call that waits from `moment`, and when; None when nobody does in time.

        Somebody with the caller's language is taken before others who are free as early.
        """
        best: tuple[dt.datetime, bool, dt.datetime, int] | None = None
        for index, worker in enumerate(self.workers):
            free = worker.free_after(moment)
            if free is None or free - moment > patience:
                continue
            rank = (free, language not in worker.operator.speaks, worker.free_at, index)
            best = rank if best is None else min(best, rank)
        return (self.workers[best[3]], best[0]) if best else None


def _shifts(world: World, day: dt.date, number: int, index: int, of: int) -> list[dt.datetime]:
    """When this operator's shifts of a date begin: half by day, an eighth by night."""
    day_begins, night_begins = (world.moment(day, time) for time in (DAY_BEGINS, NIGHT_BEGINS))
    if of < FEW:
        return [day_begins, night_begins]
    turn = (number + index) % 4
    if turn in (0, 1):
        return [day_begins]
    return [night_begins] if turn == 2 and index // 4 % 2 == 0 else []


def _work(worker: Worker, begin: dt.datetime, index: int) -> None:
    """One shift with its pauses, which operators take one after another."""
    since = begin
    for hours, minutes, reason in PAUSES:
        pause = begin + dt.timedelta(hours=hours, minutes=index % 6 * 8)
        back = pause + dt.timedelta(minutes=minutes)
        worker.states += [(since, "ready", ""), (pause, "pause", reason)]
        worker.ready.append((since, pause))
        since = back
    worker.states += [(since, "ready", ""), (begin + SHIFT, "off", "")]
    worker.ready.append((since, begin + SHIFT))
