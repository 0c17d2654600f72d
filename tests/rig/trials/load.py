"""Many calls at once, of every kind, each with its own record to compare the ledger with."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from appliance.sip import tones
from appliance.sip.call import Call
from provisioning.local.phones import tail
from tests.rig.comparison import Account, differences, of_ledger
from tests.rig.parties import Phone
from tests.rig.trials.world import World

# kind → weight; transfers are 15 of 100.
KINDS = {
    "menu": 6,
    "queue": 9,
    "caller": 25,
    "rated": 35,
    "unrated": 10,
    "blind": 9,
    "blind back": 3,
    "attended": 3,
}
CALLERS, OUTSIDE = "+998904", "+998714"
ANSWER = 40.0  # seconds that the line may take to answer
SLACK = 5.0  # seconds by which people and box may differ about a length
END = 60.0  # seconds that the box may take to let go of a caller after a talk


@dataclass(frozen=True)
class Plan:
    """What one caller will do; seconds."""

    kind: str
    number: str
    outside: str
    talk: float
    key: str
    key_after: float
    patience: float
    pickup: float
    mark: str


@dataclass
class Record:
    """What happened, as the people saw it."""

    plan: Plan
    began_at: float = 0.0
    over_at: float = 0.0
    spoke: list[str] = field(default_factory=list)  # extensions and numbers, in order
    stage: str = "line"  # line, menu, queue, talk, after: where the box must not let go
    trouble: str = ""
    unheard: bool = False  # the trunk was dead meanwhile: an end on one side was not told the other
    call: Call | None = None
    phone_calls: list[Call] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def dropped(self) -> bool:
        """The call ended where it should not have."""
        return self.trouble in ("dropped", "no answer", "cut by the crash")


class Load:
    """Callers and operators at work on a site."""

    def __init__(self, world: World, seed: int = 1, talk: tuple[float, float] = (8, 25)) -> None:
        self.world = world
        self.records: list[Record] = []
        self.talk = talk
        self._dice = random.Random(seed)  # noqa: S311  no secret
        self._first = int(time.time()) % 100_000 * 10
        self._by_number: dict[str, Record] = {}
        self._outside: dict[str, Record] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self.is_down = False  # the trunk: nothing comes through, in either direction

    def open(self) -> None:
        """Take the phones and the numbers outside over."""
        self.world.people.rings = self._rang
        self.world.people.dialled = self._dialled

    def plan(self) -> Plan:
        """The next caller's plan."""
        dice = self._dice
        position = (self._first + len(self.records)) % 1_000_000
        kind = dice.choices([*KINDS], weights=[*KINDS.values()])[0]
        return Plan(
            kind,
            f"{CALLERS}{position:06}",
            f"{OUTSIDE}{position:06}",
            dice.uniform(*self.talk),
            dice.choice("1112"),
            dice.uniform(0.5, 3),
            dice.uniform(2, 12) if kind in ("menu", "queue") else 240,
            dice.uniform(0.5, 3),
            dice.choice("12345"),
        )

    async def keep(self, at_once: int, seconds: float) -> None:
        """Keep so many calls up for so long, then let them end."""
        until = time.monotonic() + seconds

        async def line(position: int) -> None:
            await asyncio.sleep(position * 0.15)
            while time.monotonic() < until:
                await self.one()

        await asyncio.gather(*map(line, range(at_once)))

    async def follow(self, arrivals: AsyncIterator[None]) -> None:
        """A call for each arrival, then let them end."""
        async for _ in arrivals:
            task = asyncio.create_task(self.one())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await asyncio.gather(*self._under_way)

    def cut_off(self) -> None:
        """The trunk is dead, for everybody who is on the line at this moment."""
        for record in self.records:
            record.unheard |= not record.over_at

    def crash(self) -> None:
        """Asterisk is gone: nobody will tell us that our calls are over."""
        for record in self.records:
            if not record.over_at and record.call:
                record.trouble = "cut by the crash"
                record.stage = f"{record.stage}, crash"
                for call in (record.call, *record.phone_calls):
                    call.die()
        for phone in self.world.people.phones:
            for call in phone.calls:
                call.die()

    async def first_answer(self, since: float, limit: float = 30.0) -> float:
        """Seconds until the line answers a call placed after that moment; 0 for never."""

        def answered() -> float | None:
            later = (r.call for r in self.records if r.began_at > since and r.call)
            return min((call.up_at for call in later if call.up_at), default=None)

        await _within(limit, answered)
        return (answered() or since) - since

    def up(self) -> int:
        """Calls that go on now."""
        return sum(1 for record in self.records if not record.over_at)

    async def one(self) -> None:
        """One caller from beginning to end."""
        record = Record(self.plan(), time.time())
        self.records.append(record)
        self._by_number[tail(record.plan.number)] = record
        self._outside[tail(record.plan.outside)] = record
        try:
            await self._live(record)
        finally:
            for call in (record.call, *record.phone_calls):
                if call:
                    call.hang_up()
            record.over_at = time.time()
            if record.stage.endswith("crash"):
                record.trouble = "cut by the crash"

    async def _live(self, record: Record) -> None:
        plan = record.plan
        pitch = tones.CALLERS[len(self.records) % len(tones.CALLERS)]
        call = record.call = self.world.people.call(plan.number, pitch)
        if not await _within(ANSWER, lambda: call.up_at or call.over_at) or not call.up_at:
            record.trouble = "no answer"
            return
        record.stage = "menu"
        await _within(plan.key_after, lambda: call.over_at)
        if plan.kind == "menu":
            await self._leave(record)
            return
        if call.over_at:
            record.trouble = "dropped"
            return
        call.media.press(plan.key)
        record.stage = "queue"
        patience = 6 + plan.patience
        await _within(patience, lambda: call.over_at or self._partner(record))
        if not self._partner(record):
            await self._leave(record)
            return
        await self._talk(record)

    async def _leave(self, record: Record) -> None:
        assert record.call  # set by _live
        if record.call.over_at:
            record.trouble = "dropped"
        record.call.hang_up()

    def _partner(self, record: Record) -> Call | None:
        return next((c for c in reversed(record.phone_calls) if c.state == "up"), None)

    async def _talk(self, record: Record) -> None:
        plan, call = record.plan, record.call
        partner = self._partner(record)
        if not call or not partner:
            return
        record.stage = "talk"
        if not await _within(5, lambda: call.over_at or call.media.hears(partner.media.pitch)):
            record.trouble = "no sound"
        await _within(plan.talk, lambda: call.over_at or partner.over_at)
        if call.over_at or partner.over_at:
            record.trouble = "dropped" if call.over_at else "talk cut"
            if call.over_at:
                return
        if plan.kind in ("blind", "blind back", "attended"):
            await self._pass_on(record, partner)
        elif plan.kind == "caller":
            call.hang_up()
        else:
            partner.hang_up()
            await self._rate(record)

    async def _pass_on(self, record: Record, partner: Call) -> None:
        plan, call = record.plan, record.call
        assert call  # it talks
        seen = len(record.phone_calls)
        if plan.kind == "attended":
            await partner.hold(True)
            phone = self.world.people.by_extension(_extension(partner))
            assert phone  # its call goes on
            second = phone.dial(plan.outside)
            if await _within(15, lambda: second.up_at or second.over_at) and second.up_at:
                await asyncio.sleep(2)
                await partner.refer("", replaces=second)
                await _within(10, lambda: any(s >= 200 for s in partner.referred))
                second.hang_up()
        else:
            status = await partner.refer(plan.outside)
            if status != 202:
                record.trouble = f"REFER {status}"
            await _within(5, lambda: any(s >= 200 for s in partner.referred))
        partner.hang_up()
        if not await _within(40, lambda: call.over_at or self._later(record, seen)):
            record.trouble = record.trouble or "lost after transfer"
            return
        if call.over_at:
            record.trouble = "dropped"
            return
        other = self._partner(record)
        await _within(min(plan.talk, 6), lambda: call.over_at or not other or other.over_at)
        if other and not other.over_at and call.over_at:
            record.trouble = "dropped"
        if other:
            other.hang_up()
        await self._rate(record)

    def _later(self, record: Record, seen: int) -> bool:
        return any(call.state == "up" for call in record.phone_calls[seen:])

    async def _rate(self, record: Record) -> None:
        plan, call = record.plan, record.call
        assert call  # it talked
        record.stage = "after"
        end = time.monotonic() + END
        while not call.over_at and time.monotonic() < end:
            if plan.kind != "unrated":
                call.media.press(plan.mark)
            await _within(1.5, lambda: call.over_at)
        if not call.over_at:
            record.trouble = record.trouble or "never let go"
            call.hang_up()

    # Telephones.

    def _rang(self, phone: Phone, call: Call) -> None:
        record = self._by_number.get(tail(call.caller))
        call.ring()
        if not record or not record.call:
            call.refuse(486)
            return
        # Each listens for the other only: 50 calls listened to for everybody cost half a core.
        call.media.among = (record.call.media.pitch,)
        record.call.media.among = (phone.pitch,)
        asyncio.get_running_loop().call_later(record.plan.pickup, self._pick_up, record, call)

    def _dialled(self, call: Call) -> None:
        record = self._outside.get(tail(call.called))
        if not record or not record.call:
            call.refuse(404)
            return
        if self.is_down:
            call.refuse(503)
            return
        if record.plan.kind == "blind back":
            call.refuse(486)
            return
        call.media.pitch = tones.OUTSIDE[len(self.records) % len(tones.OUTSIDE)]
        call.media.among = record.call.media.among = (call.media.pitch, record.call.media.pitch)
        call.ring()
        asyncio.get_running_loop().call_later(record.plan.pickup, self._pick_up, record, call)

    def _pick_up(self, record: Record, call: Call) -> None:
        if call.state == "ringing" and record.call and not record.call.over_at:
            call.pick_up()
            record.phone_calls.append(call)
            record.spoke.append(call.called)


@dataclass
class Outcome:
    """How the ledger compares with the people's own records."""

    calls: int = 0
    dropped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    longest: float = 0.0
    short_recordings: int = 0

    def line(self, name: str) -> tuple[str, ...]:
        """For a table."""
        counts = (self.calls, len(self.dropped), len(self.missing), len(self.wrong))
        troubles = ", ".join(f"{n} × {what}" for what, n in self.troubles.items()) or "-"
        return (
            name,
            *map(str, counts),
            str(self.short_recordings),
            str(self.gaps),
            f"{self.longest * 1000:.0f} ms",
            troubles,
        )


HEAD = (
    *("", "calls", "dropped", "missing", "wrong", "short recordings"),
    *("RTP gaps > 60 ms", "longest", "what went wrong"),
)


def compare(
    records: list[Record], rows: dict[str, dict[str, Any]], extensions: set[str]
) -> Outcome:
    """The ledger's rows, by id, against what the people saw."""
    by_number: dict[str, list[dict[str, Any]]] = {}
    for row in rows.values():
        by_number.setdefault(tail(row["caller"] or ""), []).append(row)
    made = Outcome(calls=len(records))
    for record in records:
        number = record.plan.number
        if record.trouble:
            made.troubles[record.trouble] += 1
        if record.dropped:
            made.dropped.append(f"{number} {record.plan.kind} in {record.stage}")
        calls = [c for c in (record.call, *record.phone_calls) if c]
        made.gaps += sum(len(c.media.flow.gaps) for c in calls)
        made.longest = max([made.longest, *(c.media.flow.longest for c in calls)])
        found = [r for r in by_number.get(tail(number), []) if r["direction"] == "inbound"]
        if not found:
            if record.trouble != "no answer":
                made.missing.append(number)
            continue
        ledger = of_ledger(found[0], extensions)
        if ledger.seconds["talk_seconds"] - ledger.seconds["recorded"] > 2:
            made.short_recordings += 1
        if said := differences(ledger, _account(record, extensions), SLACK):
            made.wrong.append(f"{number} {record.plan.kind}: {'; '.join(said)}")
    return made


def _account(record: Record, extensions: set[str]) -> Account:
    """What the people of one call saw of it."""
    facts: dict[str, object] = {
        "ended": True,
        "talks": [who for who in record.spoke if who in extensions],
    }
    if record.spoke:
        facts["outcome"] = "answered"
    elif not record.dropped:
        facts["outcome"] = "abandoned*"
    if record.unheard:
        return Account(facts)
    lived = record.over_at - record.began_at
    seconds = {} if record.dropped else {"lasted": lived}
    if record.plan.kind in ("caller", "rated", "unrated") and not record.trouble:
        ups = ((call.up_at, call.over_at) for call in record.phone_calls)
        seconds["talks together"] = sum(over - up for up, over in ups if up and over)
    return Account(facts, seconds, lived)


def _extension(call: Call) -> str:
    return call.called


async def _within(limit: float, condition: Callable[[], object]) -> bool:
    """Whether the condition came true within so many seconds."""
    end = time.monotonic() + limit
    while not (true := condition()) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    return bool(true)
