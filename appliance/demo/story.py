"""One synthetic call after another, as facts; the same seed tells the same history."""

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.demo.crew import AFTERWARDS, Crew, Worker
from appliance.demo.world import HOURS, World
from appliance.telephony.calls.storing import is_short

# Outcomes in parts of 1,000; the rest is answered, when somebody is free.
PARTS = {
    "abandoned_menu": 45,
    "abandoned_queue": 45,
    "callback": 13,
    "timed_out": 4,
    "closed": 5,
    "self_served": 12,
    "rejected": 4,
    "failed": 4,
}
NO_QUEUE = ("abandoned_menu", "closed", "self_served", "rejected", "failed")
IN_QUEUE = {"abandoned_queue": "abandoned", "callback": "callback", "timed_out": "timed_out"}
MARKS = (1, 2, 3, 4, 5)
MARK_WEIGHTS = (3, 2, 5, 15, 75)


@dataclass
class Ringing:
    operator: str
    extension: str
    started_at: dt.datetime
    ended_at: dt.datetime
    result: str


@dataclass
class Visit:
    queue: str
    joined_at: dt.datetime
    left_at: dt.datetime
    result: str
    rings: list[Ringing] = field(default_factory=list)


@dataclass
class Talking:
    party: str
    who: str
    extension: str | None
    started_at: dt.datetime
    ended_at: dt.datetime


@dataclass
class Transferring:
    kind: str
    to: str
    at: dt.datetime
    result: str
    returned: bool
    by: str | None


@dataclass
class Story:
    """A call as the ledger would tell it, and which of the lists its appeal chose."""

    id: str
    direction: str
    arrived_at: dt.datetime
    ended_at: dt.datetime
    caller: str | None
    callee: str | None
    number: str
    diverted: str | None
    trunk: str
    technology: str
    outcome: str
    language: str | None = None
    menu: list[str] = field(default_factory=list)
    short: bool = False
    synthetic: bool = False
    menu_seconds: float = 0.0
    wait_seconds: float | None = None
    hold_seconds: float = 0.0
    ended_by: str | None = None
    rating: int | None = None
    rating_channel: str | None = None
    topic: str | None = None  # chosen in the menu
    by: str | None = None  # who placed an outgoing call
    visits: list[Visit] = field(default_factory=list)
    talks: list[Talking] = field(default_factory=list)
    transfers: list[Transferring] = field(default_factory=list)
    appeal: tuple[str, str, str] | None = None  # region ("" unlisted), district, direction

    @property
    def talk_seconds(self) -> float:
        """What the talks add up to, less what the caller was on hold."""
        spoken = sum((talk.ended_at - talk.started_at).total_seconds() for talk in self.talks)
        return round(spoken - self.hold_seconds, 3)


def stories(world: World, calls: int, seed: int, crew: Crew) -> Iterator[Story]:
    """So many inbound calls in order of arrival, outgoing and internal ones between them."""
    teller = _Teller(world, random.Random(seed), calls, crew)  # noqa: S311  no secret
    for arrived_at in _arrivals(world, calls, seed):
        yield teller.inbound(arrived_at)
        if teller.one_in(15):
            yield teller.other(arrived_at + dt.timedelta(seconds=1))


def _arrivals(world: World, calls: int, seed: int) -> list[dt.datetime]:
    """Moments by the profile of hours and days; the edges of days and of hours among them."""
    chance = random.Random(f"arrivals {seed}")  # noqa: S311  no secret
    cells = [(day, hour) for day in world.days for hour in range(24)]
    weights = [world.busyness(day) * HOURS[hour] for day, hour in cells]
    edges = _edges(world)[: calls // 10]
    drawn = [
        world.moment(day, dt.time(hour)) + dt.timedelta(milliseconds=chance.randrange(3_600_000))
        for day, hour in chance.choices(cells, weights, k=calls - len(edges))
    ]
    moments = sorted([*edges, *drawn])
    for begin, end in world.outages(seed):
        moments = [
            end + (moment - begin) if begin <= moment < end else moment for moment in moments
        ]
    return sorted(moments)


def _edges(world: World) -> list[dt.datetime]:
    """The last and first moments of months, days and working hours."""
    hair = dt.timedelta(milliseconds=1)
    months = [day for day in world.days if day.day == 1]
    sample = world.days[::7]
    whole = [world.moment(day) for day in months]
    whole += [world.moment(day, world.calendar.opens) for day in sample]
    whole += [world.moment(day, world.calendar.closes) for day in sample]
    inside = [m for m in whole if world.begin < m < world.end]
    return [*itertools.chain.from_iterable((m - hair, m) for m in inside)]


class _Teller:
    def __init__(self, world: World, chance: random.Random, calls: int, crew: Crew) -> None:
        self.world, self.chance, self.crew = world, chance, crew
        self.callers = max(1, int(calls * 0.6))
        self.serial = itertools.count(1)
        self.outcomes = (*PARTS, "answered")
        self.weights = (*PARTS.values(), 1000 - sum(PARTS.values()))

    def one_in(self, of: int) -> bool:
        return self.chance.randrange(of) == 0

    def seconds(self, low: float, high: float) -> dt.timedelta:
        return dt.timedelta(milliseconds=self.chance.randint(int(low * 1000), int(high * 1000)))

    def about(self, mean: float, longest: float = 3600.0) -> dt.timedelta:
        """A length of which short ones are commoner."""
        return dt.timedelta(
            milliseconds=int(1000 * min(longest, self.chance.expovariate(1 / mean)))
        )

    def inbound(self, arrived_at: dt.datetime) -> Story:
        """A citizen's call."""
        chance = self.chance
        trunk, technology = self.world.trunks[0 if chance.random() < 0.7 else -1]
        diverted = chance.random() < 0.25
        call = Story(
            id=f"demo-{arrived_at:%Y%m%d}-{next(self.serial)}.1",
            direction="inbound",
            arrived_at=arrived_at,
            ended_at=arrived_at,
            caller=self._caller(),
            callee=None,
            number=self.world.numbers[0],
            diverted=self.world.numbers[-1] if diverted else None,
            trunk=trunk,
            technology=technology,
            outcome=chance.choices(self.outcomes, self.weights)[0],
            synthetic=self.one_in(500),
        )
        if call.outcome != "rejected":
            call.language = None if self.one_in(20) else ("uz" if chance.random() < 0.7 else "ru")
            call.menu = {"uz": ["1"], "ru": ["2"]}.get(call.language or "", [])
            if self.one_in(4):
                call.topic = chance.choice(self.world.directions)
        menu = self.seconds(0.05, 0.4) if call.outcome == "rejected" else self.seconds(4, 28)
        if call.outcome in NO_QUEUE:
            return self._end(call, arrived_at + menu, menu)
        self._queue(call, arrived_at + menu)
        return call

    def _caller(self) -> str | None:
        """A number: some call often, a few hide theirs, a few call from abroad."""
        kind = self.chance.randrange(100)
        if kind < 2:
            return None
        person = int(self.callers * self.chance.random() ** 1.6)
        if kind == 2:
            return f"+7495{person % 10_000_000:07}"
        operator = ("90", "91", "93", "94", "97", "98", "99")[person % 7]
        return f"+998{operator}{1_000_000 + person * 7 % 9_000_000:07}"

    def _end(self, call: Story, moment: dt.datetime, menu: dt.timedelta) -> Story:
        """Over before any queue."""
        call.ended_at, call.menu_seconds = moment, menu.total_seconds()
        call.ended_by = "caller" if call.outcome == "abandoned_menu" else "system"
        return call

    def _queue(self, call: Story, joined_at: dt.datetime) -> None:
        """Wait in the queue, perhaps in a second one, until somebody answers or not."""
        call.menu_seconds = (joined_at - call.arrived_at).total_seconds()
        queue = call.language or "uz"
        world = self.world
        if call.outcome in IN_QUEUE:
            self._give_up(call, queue, joined_at)
            return
        taken = self.crew.first_free(
            joined_at + self.about(3), queue, dt.timedelta(seconds=world.max_wait - 60)
        )
        if taken is None:
            call.outcome = "timed_out"
            self._give_up(call, queue, joined_at)
            return
        worker, free_at = taken
        visit = Visit(queue, joined_at, free_at, "answered")
        call.visits.append(visit)
        if self.one_in(12):  # somebody else's phone rang in vain before
            missing = self.chance.choice(self.crew.workers).operator
            away = min(free_at, joined_at + dt.timedelta(seconds=15))
            visit.rings.append(
                Ringing(missing.login, missing.extension, joined_at, away, "no_answer")
            )
        answered_at = free_at + self.seconds(1.5, 9)
        phone = worker.operator
        visit.rings.append(Ringing(phone.login, phone.extension, free_at, answered_at, "answered"))
        visit.left_at = answered_at
        call.wait_seconds = (answered_at - joined_at).total_seconds()
        self._talk(call, worker, answered_at)

    def _give_up(self, call: Story, queue: str, joined_at: dt.datetime) -> None:
        wait = dt.timedelta(seconds=self.world.max_wait)
        if call.outcome == "abandoned_queue":
            quick = self.chance.random() < 0.25
            wait = (
                self.seconds(0.5, self.world.rules.short_abandon) if quick else self.about(45, 280)
            )
        elif call.outcome == "callback":
            wait = self.seconds(30, 120)
        left_at = joined_at + wait
        rung = self.chance.choice(self.crew.workers).operator
        stops = min(left_at, joined_at + dt.timedelta(seconds=15))
        result = "no_answer" if stops < left_at else "cancelled"
        ring = Ringing(rung.login, rung.extension, joined_at, stops, result)
        call.visits.append(Visit(queue, joined_at, left_at, IN_QUEUE[call.outcome], [ring]))
        call.wait_seconds = wait.total_seconds()
        call.short = is_short(call.outcome, call.wait_seconds, self.world.rules)
        call.ended_at = left_at + self.seconds(0, 5 if call.outcome != "abandoned_queue" else 0)
        call.ended_by = "caller" if call.outcome == "abandoned_queue" else "system"

    def _talk(self, call: Story, worker: Worker, answered_at: dt.datetime) -> None:
        phone, chance = worker.operator, self.chance
        over = answered_at + self.seconds(5, 40) + self.about(190)
        call.talks.append(Talking("operator", phone.login, phone.extension, answered_at, over))
        if self.one_in(12):
            longest = (over - answered_at).total_seconds() / 2
            call.hold_seconds = min(self.seconds(5, 60).total_seconds(), round(longest, 3))
        if self.one_in(20):
            over = self._transfer(call, worker, over)
        worker.free_at = over + AFTERWARDS
        call.ended_at = over
        call.ended_by = "operator" if chance.random() < 0.6 else "caller"
        if call.ended_by == "operator":
            call.ended_at = over + self.seconds(2, 9)
            if chance.random() < 0.65:
                call.rating = chance.choices(MARKS, MARK_WEIGHTS)[0]
                call.rating_channel = "keypad"
        elif self.one_in(25):
            call.rating = chance.choices(MARKS, MARK_WEIGHTS)[0]
            call.rating_channel = "sms"
        if not call.synthetic and chance.random() < 0.35:
            region, district = chance.choice(self.world.regions)
            unlisted = self.one_in(40)
            direction = "" if self.one_in(60) else chance.choice(self.world.directions)
            call.appeal = ("", "", direction) if unlisted else (region, district, direction)

    def _transfer(self, call: Story, worker: Worker, at: dt.datetime) -> dt.datetime:
        """Handed on to an employee; not answered, the caller comes back to the operator."""
        chance, phone = self.chance, worker.operator
        kind = chance.choice(("blind", "attended", "automatic"))
        result = chance.choices(("answered", "busy", "no_answer", "failed"), (70, 10, 15, 5))[0]
        to = chance.choice(self.world.employees)
        by = None if kind == "automatic" else phone.login
        call.transfers.append(Transferring(kind, to, at, result, result != "answered", by))
        begins = at + self.seconds(3, 20)
        over = begins + self.seconds(5, 20) + self.about(90)
        if result == "answered":
            call.talks.append(Talking("employee", to, None, begins, over))
        else:
            again = Talking("operator", phone.login, phone.extension, begins, over)
            call.talks.append(again)
        return over

    def other(self, arrived_at: dt.datetime) -> Story:
        """An outgoing call, or one between two phones of the house."""
        chance = self.chance
        inside = self.one_in(8)
        phone = chance.choice(self.crew.workers).operator
        trunk, technology = self.world.trunks[0]
        outcome = chance.choices(("answered", "busy", "no_answer", "failed"), (70, 10, 15, 5))[0]
        call = Story(
            id=f"demo-{arrived_at:%Y%m%d}-{next(self.serial)}.1",
            direction="internal" if inside else "outbound",
            arrived_at=arrived_at,
            ended_at=arrived_at + self.seconds(5, 30),
            caller=phone.extension,
            callee=phone.extension if inside else (self._caller() or "+998901000000"),
            number=self.world.numbers[0],
            diverted=None,
            trunk="" if inside else trunk,
            technology=technology,
            outcome=outcome,
            ended_by="operator",
            by=None if inside else phone.login,
        )
        if outcome == "answered":
            begins = call.ended_at
            call.ended_at = begins + self.seconds(3, 20) + self.about(70)
            who = call.callee or ""
            call.talks.append(Talking("outside", who, phone.extension, begins, call.ended_at))
        return call
