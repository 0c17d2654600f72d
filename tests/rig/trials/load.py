"""Many calls at once, of every kind, each with its own record to compare with the ledger."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from appliance.sip import tones
from appliance.sip.call import Call
from provisioning.local.phones import number_tail
from tests.rig.comparison import CallAccount, differences, ledger_account
from tests.rig.parties import Phone
from tests.rig.trials.world import World
from tests.rig.waiting import wait_within

# kind → weight; transfers are 15 of 100
KIND_WEIGHTS = {
    "menu": 6,
    "queue": 9,
    "caller": 25,
    "rated": 35,
    "unrated": 10,
    "blind": 9,
    "blind back": 3,
    "attended": 3,
}
CALLER_PREFIX, OUTSIDE_PREFIX = "+998904", "+998714"
ANSWER_LIMIT_SECONDS = 40.0  # until the line must answer
START_INTERVAL_SECONDS = 0.15  # between the first calls of two callers
CONSULTATION_SECONDS = 2.0  # for which an operator speaks with an employee before a transfer
LENGTH_TOLERANCE_SECONDS = 5.0  # by which people and box may differ about a length
RELEASE_LIMIT_SECONDS = 60.0  # within which the box must release a caller after a talk


@dataclass(frozen=True)
class LoadPlan:
    """The behaviour of one caller; times in seconds."""

    kind: str
    number: str
    outside_number: str
    talk_seconds: float
    key: str
    key_after: float
    patience: float
    pickup_seconds: float
    mark: str


@dataclass
class LoadRecord:
    """The events of a call, as the simulated people saw them."""

    plan: LoadPlan
    began_at: float = 0.0
    over_at: float = 0.0
    spoken_with: list[str] = field(default_factory=list)  # extensions and numbers, in order
    stage: str = (
        "line"  # line, menu, queue, talk, after: a stage at which the box must not end the call
    )
    trouble: str = ""
    trunk_was_dead: bool = (
        False  # the trunk was dead in between: the end on one side was not signalled to the other
    )
    call: Call | None = None
    phone_calls: list[Call] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_dropped(self) -> bool:
        """Returns True if the call ended where it should not have."""
        return self.trouble in ("dropped", "no answer", "cut by the crash")


class CallLoad:
    """Callers and operators at work on a site."""

    def __init__(
        self, world: World, seed: int = 1, talk_range: tuple[float, float] = (8, 25)
    ) -> None:
        self.world = world
        self.records: list[LoadRecord] = []
        self.talk_range = talk_range
        self._dice = random.Random(seed)  # noqa: S311  no secret
        self._first_number = int(time.time()) % 100_000 * 10
        self._by_number: dict[str, LoadRecord] = {}
        self._outside: dict[str, LoadRecord] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_down = False  # the trunk is down: nothing passes in either direction

    def attach_handlers(self) -> None:
        """Take over the phones and the numbers outside."""
        self.world.parties.on_ring = self._handle_ring
        self.world.parties.on_outgoing_call = self._handle_outgoing_call

    def next_plan(self) -> LoadPlan:
        """The next caller's plan."""
        dice = self._dice
        position = (self._first_number + len(self.records)) % 1_000_000
        kind = dice.choices([*KIND_WEIGHTS], weights=[*KIND_WEIGHTS.values()])[0]
        return LoadPlan(
            kind,
            f"{CALLER_PREFIX}{position:06}",
            f"{OUTSIDE_PREFIX}{position:06}",
            dice.uniform(*self.talk_range),
            dice.choice("1112"),
            dice.uniform(0.5, 3),
            dice.uniform(2, 12) if kind in ("menu", "queue") else 240,
            dice.uniform(0.5, 3),
            dice.choice("12345"),
        )

    async def keep_calls(self, call_count: int, seconds: float) -> None:
        """Keep `call_count` calls up for `seconds` seconds, then let them end."""
        end = time.monotonic() + seconds

        async def repeat_calls(position: int) -> None:
            await asyncio.sleep(position * START_INTERVAL_SECONDS)
            while time.monotonic() < end:
                await self.run_call()

        await asyncio.gather(*map(repeat_calls, range(call_count)))

    async def follow_arrivals(self, arrivals: AsyncIterator[None]) -> None:
        """Make a call for each arrival, then let them end."""
        async for _ in arrivals:
            task = asyncio.create_task(self.run_call())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await asyncio.gather(*self._tasks)

    def mark_trunk_dead(self) -> None:
        """Mark all current calls: the trunk is dead for both sides."""
        for record in self.records:
            record.trunk_was_dead |= not record.over_at

    def mark_crash(self) -> None:
        """End our side of all calls: Asterisk is gone and signals no end."""
        for record in self.records:
            if not record.over_at and record.call:
                record.trouble = "cut by the crash"
                record.stage = f"{record.stage}, crash"
                for call in (record.call, *record.phone_calls):
                    call.disconnect_silently()
        for phone in self.world.parties.phones:
            for call in phone.calls:
                call.disconnect_silently()

    async def seconds_to_answer(self, placed_after: float, limit: float = 30.0) -> float:
        """Seconds until the line answers a call placed after `placed_after`; 0 for never."""

        def earliest_answer() -> float | None:
            calls = (r.call for r in self.records if r.began_at > placed_after and r.call)
            return min((call.up_at for call in calls if call.up_at), default=None)

        await wait_within(earliest_answer, limit)
        return (earliest_answer() or placed_after) - placed_after

    def active_count(self) -> int:
        """The number of current calls."""
        return sum(1 for record in self.records if not record.over_at)

    async def run_call(self) -> None:
        """Play one caller from beginning to end."""
        record = LoadRecord(self.next_plan(), time.time())
        self.records.append(record)
        self._by_number[number_tail(record.plan.number)] = record
        self._outside[number_tail(record.plan.outside_number)] = record
        try:
            await self._play_caller(record)
        finally:
            for call in (record.call, *record.phone_calls):
                if call:
                    call.hang_up()
            record.over_at = time.time()
            if record.stage.endswith("crash"):
                record.trouble = "cut by the crash"

    async def _play_caller(self, record: LoadRecord) -> None:
        plan = record.plan
        pitch = tones.CALLERS[len(self.records) % len(tones.CALLERS)]
        call = record.call = self.world.parties.call_hotline(plan.number, pitch)
        if (
            not await wait_within(lambda: call.up_at or call.over_at, ANSWER_LIMIT_SECONDS)
            or not call.up_at
        ):
            record.trouble = "no answer"
            return
        record.stage = "menu"
        await wait_within(lambda: call.over_at, plan.key_after)
        if plan.kind == "menu":
            await self._leave_call(record)
            return
        if call.over_at:
            record.trouble = "dropped"
            return
        call.media.press_keys(plan.key)
        record.stage = "queue"
        patience = 6 + plan.patience
        await wait_within(lambda: call.over_at or self._active_partner(record), patience)
        if not self._active_partner(record):
            await self._leave_call(record)
            return
        await self._play_talk(record)

    async def _leave_call(self, record: LoadRecord) -> None:
        assert record.call  # set by _play_caller
        if record.call.over_at:
            record.trouble = "dropped"
        record.call.hang_up()

    def _active_partner(self, record: LoadRecord) -> Call | None:
        return next((c for c in reversed(record.phone_calls) if c.state == "up"), None)

    async def _play_talk(self, record: LoadRecord) -> None:
        plan, call = record.plan, record.call
        partner = self._active_partner(record)
        if not call or not partner:
            return
        record.stage = "talk"
        if not await wait_within(
            lambda: call.over_at or call.media.has_voice(partner.media.pitch), 5
        ):
            record.trouble = "no sound"
        await wait_within(lambda: call.over_at or partner.over_at, plan.talk_seconds)
        if call.over_at or partner.over_at:
            record.trouble = "dropped" if call.over_at else "talk cut"
            if call.over_at:
                return
        if plan.kind in ("blind", "blind back", "attended"):
            await self._transfer_call(record, partner)
        elif plan.kind == "caller":
            call.hang_up()
        else:
            partner.hang_up()
            await self._rate_call(record)

    async def _transfer_call(self, record: LoadRecord, partner: Call) -> None:
        plan, call = record.plan, record.call
        assert call  # it is in a talk
        count_before = len(record.phone_calls)
        if plan.kind == "attended":
            await partner.set_hold(True)
            phone = self.world.parties.phone_by_extension(_called_extension(partner))
            assert phone  # its call continues
            second = phone.dial_number(plan.outside_number)
            if await wait_within(lambda: second.up_at or second.over_at, 15) and second.up_at:
                await asyncio.sleep(CONSULTATION_SECONDS)
                await partner.send_refer("", replaces=second)
                await wait_within(lambda: any(s >= 200 for s in partner.refer_statuses), 10)
                second.hang_up()
        else:
            status = await partner.send_refer(plan.outside_number)
            if status != 202:
                record.trouble = f"REFER {status}"
            await wait_within(lambda: any(s >= 200 for s in partner.refer_statuses), 5)
        partner.hang_up()
        if not await wait_within(
            lambda: call.over_at or self._has_new_partner(record, count_before), 40
        ):
            record.trouble = record.trouble or "lost after transfer"
            return
        if call.over_at:
            record.trouble = "dropped"
            return
        next_partner = self._active_partner(record)
        await wait_within(
            lambda: call.over_at or not next_partner or next_partner.over_at,
            min(plan.talk_seconds, 6),
        )
        if next_partner and not next_partner.over_at and call.over_at:
            record.trouble = "dropped"
        if next_partner:
            next_partner.hang_up()
        await self._rate_call(record)

    def _has_new_partner(self, record: LoadRecord, count_before: int) -> bool:
        return any(call.state == "up" for call in record.phone_calls[count_before:])

    async def _rate_call(self, record: LoadRecord) -> None:
        plan, call = record.plan, record.call
        assert call  # it was in a talk
        record.stage = "after"
        end = time.monotonic() + RELEASE_LIMIT_SECONDS
        while not call.over_at and time.monotonic() < end:
            if plan.kind != "unrated":
                call.media.press_keys(plan.mark)
            await wait_within(lambda: call.over_at, 1.5)
        if not call.over_at:
            record.trouble = record.trouble or "never let go"
            call.hang_up()

    # Telephones.

    def _handle_ring(self, phone: Phone, call: Call) -> None:
        record = self._by_number.get(number_tail(call.caller))
        call.send_ringing()
        if not record or not record.call:
            call.refuse_call(486)
            return
        # Each listens for the other only: detecting everybody's voice in 50 calls took half a core.
        call.media.pitches = (record.call.media.pitch,)
        record.call.media.pitches = (phone.pitch,)
        asyncio.get_running_loop().call_later(
            record.plan.pickup_seconds, self._pick_up_call, record, call
        )

    def _handle_outgoing_call(self, call: Call) -> None:
        record = self._outside.get(number_tail(call.callee))
        if not record or not record.call:
            call.refuse_call(404)
            return
        if self.is_down:
            call.refuse_call(503)
            return
        if record.plan.kind == "blind back":
            call.refuse_call(486)
            return
        call.media.pitch = tones.OUTSIDE_PARTIES[len(self.records) % len(tones.OUTSIDE_PARTIES)]
        call.media.pitches = record.call.media.pitches = (call.media.pitch, record.call.media.pitch)
        call.send_ringing()
        asyncio.get_running_loop().call_later(
            record.plan.pickup_seconds, self._pick_up_call, record, call
        )

    def _pick_up_call(self, record: LoadRecord, call: Call) -> None:
        if call.state == "ringing" and record.call and not record.call.over_at:
            call.pick_up()
            record.phone_calls.append(call)
            record.spoken_with.append(call.callee)


@dataclass
class LoadOutcome:
    """The comparison of the ledger with the people's own records."""

    calls: int = 0
    dropped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    longest: float = 0.0
    short_recordings: int = 0

    def as_line(self, name: str) -> tuple[str, ...]:
        """The cells of a table."""
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


LOAD_HEAD = (
    *("", "calls", "dropped", "missing", "wrong", "short recordings"),
    *("RTP gaps > 60 ms", "longest", "what went wrong"),
)


def compare_with_ledger(
    records: list[LoadRecord], rows: dict[str, dict[str, Any]], extensions: set[str]
) -> LoadOutcome:
    """Compare the ledger's rows, by id, with the records of the people."""
    by_number: dict[str, list[dict[str, Any]]] = {}
    for row in rows.values():
        by_number.setdefault(number_tail(row["caller"] or ""), []).append(row)
    outcome = LoadOutcome(calls=len(records))
    for record in records:
        number = record.plan.number
        if record.trouble:
            outcome.troubles[record.trouble] += 1
        if record.is_dropped:
            outcome.dropped.append(f"{number} {record.plan.kind} in {record.stage}")
        calls = [c for c in (record.call, *record.phone_calls) if c]
        outcome.gaps += sum(len(c.media.received.gaps) for c in calls)
        outcome.longest = max([outcome.longest, *(c.media.received.longest_gap for c in calls)])
        call_rows = [
            r for r in by_number.get(number_tail(number), []) if r["direction"] == "inbound"
        ]
        if not call_rows:
            if record.trouble != "no answer":
                outcome.missing.append(number)
            continue
        ledger = ledger_account(call_rows[0], extensions)
        if ledger.seconds["talk_seconds"] - ledger.seconds["recorded"] > 2:
            outcome.short_recordings += 1
        if differing := differences(
            ledger, _people_account(record, extensions), LENGTH_TOLERANCE_SECONDS
        ):
            outcome.wrong.append(f"{number} {record.plan.kind}: {'; '.join(differing)}")
    return outcome


def _people_account(record: LoadRecord, extensions: set[str]) -> CallAccount:
    """The account of the people of one call."""
    facts: dict[str, object] = {
        "ended": True,
        "talks": [party for party in record.spoken_with if party in extensions],
    }
    if record.spoken_with:
        facts["outcome"] = "answered"
    elif not record.is_dropped:
        facts["outcome"] = "abandoned*"
    if record.trunk_was_dead:
        return CallAccount(facts)
    elapsed = record.over_at - record.began_at
    seconds = {} if record.is_dropped else {"lasted": elapsed}
    if record.plan.kind in ("caller", "rated", "unrated") and not record.trouble:
        intervals = ((call.up_at, call.over_at) for call in record.phone_calls)
        seconds["talks together"] = sum(over - up for up, over in intervals if up and over)
    return CallAccount(facts, seconds, elapsed)


def _called_extension(call: Call) -> str:
    return call.callee
