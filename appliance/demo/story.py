"""Generates the facts of the synthetic calls; the same seed gives the same history."""

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.demo.crew import PAUSE_BETWEEN_CALLS, Crew, OperatorSchedule
from appliance.demo.world import CALLS_BY_HOUR, SiteProfile
from appliance.telephony.calls import is_short

# How many of 1,000 calls have each outcome; the others are answered if an operator is free.
OUTCOME_SHARES = {
    "abandoned_menu": 45,
    "abandoned_queue": 45,
    "callback": 13,
    "timed_out": 4,
    "closed": 5,
    "self_served": 12,
    "rejected": 4,
    "failed": 4,
}
OUTCOMES_BEFORE_QUEUE = ("abandoned_menu", "closed", "self_served", "rejected", "failed")
QUEUE_RESULTS = {"abandoned_queue": "abandoned", "callback": "callback", "timed_out": "timed_out"}
RATINGS = (1, 2, 3, 4, 5)
RATING_WEIGHTS = (3, 2, 5, 15, 75)


@dataclass
class SyntheticRing:
    """One ringing of an operator's phone."""

    operator: str
    extension: str
    started_at: dt.datetime
    ended_at: dt.datetime
    result: str


@dataclass
class SyntheticVisit:
    """One visit of a call to a queue."""

    queue: str
    joined_at: dt.datetime
    left_at: dt.datetime
    result: str
    rings: list[SyntheticRing] = field(default_factory=list)


@dataclass
class SyntheticTalk:
    """One talk of a call with a party."""

    party: str
    who: str
    extension: str | None
    started_at: dt.datetime
    ended_at: dt.datetime


@dataclass
class SyntheticTransfer:
    """One transfer of a call."""

    kind: str
    to: str
    at: dt.datetime
    result: str
    returned: bool
    by: str | None


@dataclass
class SyntheticCall:
    """A call with the facts of its ledger entry, and the codes for its appeal."""

    id: str
    direction: str
    arrived_at: dt.datetime
    ended_at: dt.datetime
    caller: str | None
    callee: str | None
    number: str
    diverted_from: str | None
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
    by: str | None = None  # the operator who placed an outgoing call
    visits: list[SyntheticVisit] = field(default_factory=list)
    talks: list[SyntheticTalk] = field(default_factory=list)
    transfers: list[SyntheticTransfer] = field(default_factory=list)
    appeal: tuple[str, str, str] | None = None  # region ("" if unlisted), district, direction

    @property
    def talk_seconds(self) -> float:
        """The total length of the talks, less the time that the caller was on hold."""
        total = sum((talk.ended_at - talk.started_at).total_seconds() for talk in self.talks)
        return round(total - self.hold_seconds, 3)


def generate_calls(
    world: SiteProfile, calls: int, seed: int, crew: Crew
) -> Iterator[SyntheticCall]:
    """Yield `calls` inbound calls in order of arrival, and between them some calls by operators."""
    generator = _CallGenerator(world, random.Random(seed), calls, crew)  # noqa: S311  no secret
    for arrived_at in _arrival_times(world, calls, seed):
        yield generator.inbound_call(arrived_at)
        if generator.is_one_in(15):
            yield generator.other_call(arrived_at + dt.timedelta(seconds=1))


def _arrival_times(world: SiteProfile, calls: int, seed: int) -> list[dt.datetime]:
    """Return the arrival times, distributed over hours and days as on a real hotline.

    Some are exactly at the boundaries of months and working days, to test reports. Calls that would
    arrive during an outage arrive after it.
    """
    chance = random.Random(f"arrivals {seed}")  # noqa: S311  no secret
    cells = [(day, hour) for day in world.days for hour in range(24)]
    weights = [world.relative_load(day) * CALLS_BY_HOUR[hour] for day, hour in cells]
    boundaries = _boundary_times(world)[: calls // 10]
    random_times = [
        world.utc_time(day, dt.time(hour)) + dt.timedelta(milliseconds=chance.randrange(3_600_000))
        for day, hour in chance.choices(cells, weights, k=calls - len(boundaries))
    ]
    times = sorted([*boundaries, *random_times])
    for begin, end in world.outages(seed):
        times = [end + (time - begin) if begin <= time < end else time for time in times]
    return sorted(times)


def _boundary_times(world: SiteProfile) -> list[dt.datetime]:
    """Return the begins of months, and begins and ends of some days' working hours.

    Each comes with the last millisecond before it.
    """
    millisecond = dt.timedelta(milliseconds=1)
    months = [day for day in world.days if day.day == 1]
    sample = world.days[::7]
    boundaries = [world.utc_time(day) for day in months]
    boundaries += [world.utc_time(day, world.calendar.opens) for day in sample]
    boundaries += [world.utc_time(day, world.calendar.closes) for day in sample]
    within_history = [m for m in boundaries if world.begin < m < world.end]
    return [*itertools.chain.from_iterable((m - millisecond, m) for m in within_history)]


class _CallGenerator:
    def __init__(self, world: SiteProfile, chance: random.Random, calls: int, crew: Crew) -> None:
        self.world, self.chance, self.crew = world, chance, crew
        self.caller_count = max(1, int(calls * 0.6))
        self.serial_numbers = itertools.count(1)
        self.outcomes = (*OUTCOME_SHARES, "answered")
        self.weights = (*OUTCOME_SHARES.values(), 1000 - sum(OUTCOME_SHARES.values()))

    def is_one_in(self, count: int) -> bool:
        return self.chance.randrange(count) == 0

    def random_duration(self, low: float, high: float) -> dt.timedelta:
        return dt.timedelta(milliseconds=self.chance.randint(int(low * 1000), int(high * 1000)))

    def exponential_duration(self, mean: float, longest: float = 3600.0) -> dt.timedelta:
        """A random duration, exponentially distributed: short ones are more frequent."""
        return dt.timedelta(
            milliseconds=int(1000 * min(longest, self.chance.expovariate(1 / mean)))
        )

    def inbound_call(self, arrived_at: dt.datetime) -> SyntheticCall:
        """Generate a citizen's call."""
        chance = self.chance
        trunk, technology = self.world.trunks[0 if chance.random() < 0.7 else -1]
        is_diverted = chance.random() < 0.25
        call = SyntheticCall(
            id=f"demo-{arrived_at:%Y%m%d}-{next(self.serial_numbers)}.1",
            direction="inbound",
            arrived_at=arrived_at,
            ended_at=arrived_at,
            caller=self._caller_number(),
            callee=None,
            number=self.world.numbers[0],
            diverted_from=self.world.numbers[-1] if is_diverted else None,
            trunk=trunk,
            technology=technology,
            outcome=chance.choices(self.outcomes, self.weights)[0],
            synthetic=self.is_one_in(500),
        )
        if call.outcome != "rejected":
            call.language = (
                None if self.is_one_in(20) else ("uz" if chance.random() < 0.7 else "ru")
            )
            call.menu = {"uz": ["1"], "ru": ["2"]}.get(call.language or "", [])
            if self.is_one_in(4):
                call.topic = chance.choice(self.world.directions)
        menu_duration = (
            self.random_duration(0.05, 0.4)
            if call.outcome == "rejected"
            else self.random_duration(4, 28)
        )
        if call.outcome in OUTCOMES_BEFORE_QUEUE:
            return self._end_before_queue(call, arrived_at + menu_duration, menu_duration)
        self._wait_in_queue(call, arrived_at + menu_duration)
        return call

    def _caller_number(self) -> str | None:
        """Return a caller's number: some call often, a few hide it (None) or call from abroad."""
        kind = self.chance.randrange(100)
        if kind < 2:
            return None
        person = int(self.caller_count * self.chance.random() ** 1.6)
        if kind == 2:
            return f"+7495{person % 10_000_000:07}"
        operator = ("90", "91", "93", "94", "97", "98", "99")[person % 7]
        return f"+998{operator}{1_000_000 + person * 7 % 9_000_000:07}"

    def _end_before_queue(
        self, call: SyntheticCall, ended_at: dt.datetime, menu: dt.timedelta
    ) -> SyntheticCall:
        """End the call before it enters a queue."""
        call.ended_at, call.menu_seconds = ended_at, menu.total_seconds()
        call.ended_by = "caller" if call.outcome == "abandoned_menu" else "system"
        return call

    def _wait_in_queue(self, call: SyntheticCall, joined_at: dt.datetime) -> None:
        """Let the call wait in the queue until an operator answers or it leaves."""
        call.menu_seconds = (joined_at - call.arrived_at).total_seconds()
        queue = call.language or "uz"
        world = self.world
        if call.outcome in QUEUE_RESULTS:
            self._leave_queue(call, queue, joined_at)
            return
        assignment = self.crew.find_first_free(
            joined_at + self.exponential_duration(3),
            queue,
            dt.timedelta(seconds=world.max_wait - 60),
        )
        if assignment is None:
            call.outcome = "timed_out"
            self._leave_queue(call, queue, joined_at)
            return
        worker, free_at = assignment
        visit = SyntheticVisit(queue, joined_at, free_at, "answered")
        call.visits.append(visit)
        if self.is_one_in(12):  # another operator's phone rang before, unanswered
            absent = self.chance.choice(self.crew.schedules).operator
            stopped_at = min(free_at, joined_at + dt.timedelta(seconds=15))
            visit.rings.append(
                SyntheticRing(absent.login, absent.extension, joined_at, stopped_at, "no_answer")
            )
        answered_at = free_at + self.random_duration(1.5, 9)
        phone = worker.operator
        visit.rings.append(
            SyntheticRing(phone.login, phone.extension, free_at, answered_at, "answered")
        )
        visit.left_at = answered_at
        call.wait_seconds = (answered_at - joined_at).total_seconds()
        self._add_talk(call, worker, answered_at)

    def _leave_queue(self, call: SyntheticCall, queue: str, joined_at: dt.datetime) -> None:
        wait = dt.timedelta(seconds=self.world.max_wait)
        if call.outcome == "abandoned_queue":
            is_quick = self.chance.random() < 0.25
            wait = (
                self.random_duration(0.5, self.world.rules.short_abandon)
                if is_quick
                else self.exponential_duration(45, 280)
            )
        elif call.outcome == "callback":
            wait = self.random_duration(30, 120)
        left_at = joined_at + wait
        operator = self.chance.choice(self.crew.schedules).operator
        ring_ended_at = min(left_at, joined_at + dt.timedelta(seconds=15))
        result = "no_answer" if ring_ended_at < left_at else "cancelled"
        ring = SyntheticRing(operator.login, operator.extension, joined_at, ring_ended_at, result)
        call.visits.append(
            SyntheticVisit(queue, joined_at, left_at, QUEUE_RESULTS[call.outcome], [ring])
        )
        call.wait_seconds = wait.total_seconds()
        call.short = is_short(call.outcome, call.wait_seconds, self.world.rules)
        call.ended_at = left_at + self.random_duration(
            0, 5 if call.outcome != "abandoned_queue" else 0
        )
        call.ended_by = "caller" if call.outcome == "abandoned_queue" else "system"

    def _add_talk(
        self, call: SyntheticCall, worker: OperatorSchedule, answered_at: dt.datetime
    ) -> None:
        phone, chance = worker.operator, self.chance
        ended_at = answered_at + self.random_duration(5, 40) + self.exponential_duration(190)
        call.talks.append(
            SyntheticTalk("operator", phone.login, phone.extension, answered_at, ended_at)
        )
        if self.is_one_in(12):
            longest = (ended_at - answered_at).total_seconds() / 2
            call.hold_seconds = min(self.random_duration(5, 60).total_seconds(), round(longest, 3))
        if self.is_one_in(20):
            ended_at = self._transfer_call(call, worker, ended_at)
        worker.free_at = ended_at + PAUSE_BETWEEN_CALLS
        call.ended_at = ended_at
        call.ended_by = "operator" if chance.random() < 0.6 else "caller"
        if call.ended_by == "operator":
            call.ended_at = ended_at + self.random_duration(2, 9)
            if chance.random() < 0.65:
                call.rating = chance.choices(RATINGS, RATING_WEIGHTS)[0]
                call.rating_channel = "keypad"
        elif self.is_one_in(25):
            call.rating = chance.choices(RATINGS, RATING_WEIGHTS)[0]
            call.rating_channel = "sms"
        if not call.synthetic and chance.random() < 0.35:
            region, district = chance.choice(self.world.regions)
            is_unlisted = self.is_one_in(40)
            direction = "" if self.is_one_in(60) else chance.choice(self.world.directions)
            call.appeal = ("", "", direction) if is_unlisted else (region, district, direction)

    def _transfer_call(
        self, call: SyntheticCall, worker: OperatorSchedule, at: dt.datetime
    ) -> dt.datetime:
        """Transfer the call to an employee; if unanswered, the caller returns to the operator."""
        chance, phone = self.chance, worker.operator
        kind = chance.choice(("blind", "attended", "automatic"))
        result = chance.choices(("answered", "busy", "no_answer", "failed"), (70, 10, 15, 5))[0]
        to = chance.choice(self.world.employees)
        by = None if kind == "automatic" else phone.login
        call.transfers.append(SyntheticTransfer(kind, to, at, result, result != "answered", by))
        started_at = at + self.random_duration(3, 20)
        ended_at = started_at + self.random_duration(5, 20) + self.exponential_duration(90)
        if result == "answered":
            call.talks.append(SyntheticTalk("employee", to, None, started_at, ended_at))
        else:
            operator_talk = SyntheticTalk(
                "operator", phone.login, phone.extension, started_at, ended_at
            )
            call.talks.append(operator_talk)
        return ended_at

    def other_call(self, arrived_at: dt.datetime) -> SyntheticCall:
        """Generate an outgoing call, or one between two of the site's phones."""
        chance = self.chance
        is_internal = self.is_one_in(8)
        phone = chance.choice(self.crew.schedules).operator
        trunk, technology = self.world.trunks[0]
        outcome = chance.choices(("answered", "busy", "no_answer", "failed"), (70, 10, 15, 5))[0]
        call = SyntheticCall(
            id=f"demo-{arrived_at:%Y%m%d}-{next(self.serial_numbers)}.1",
            direction="internal" if is_internal else "outbound",
            arrived_at=arrived_at,
            ended_at=arrived_at + self.random_duration(5, 30),
            caller=phone.extension,
            callee=phone.extension if is_internal else (self._caller_number() or "+998901000000"),
            number=self.world.numbers[0],
            diverted_from=None,
            trunk="" if is_internal else trunk,
            technology=technology,
            outcome=outcome,
            ended_by="operator",
            by=None if is_internal else phone.login,
        )
        if outcome == "answered":
            answered_at = call.ended_at
            call.ended_at = (
                answered_at + self.random_duration(3, 20) + self.exponential_duration(70)
            )
            party = call.callee or ""
            call.talks.append(
                SyntheticTalk("outside", party, phone.extension, answered_at, call.ended_at)
            )
        return call
