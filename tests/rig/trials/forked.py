"""Answers to one INVITE of ours from several places at once, as a carrier that forks gives them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Message
from tests.rig.trials.world import World

TIMES = 5
_LIMIT = 15.0  # seconds for whatever the box owes


class Fork:
    """One INVITE of the box, and everybody who answers it."""

    def __init__(self, call: Call, came: Counter[str]) -> None:
        assert call.invite  # it is incoming
        self.call, self.invite, self.came = call, call.invite, came
        self.sent = 0
        self.asked: set[tuple[str, str]] = set()  # (method, To-tag) that the box has sent
        self._take = call.requested
        call.requested = self._requested  # type: ignore[method-assign]

    def say(self, status: int, tag: str, sound: bool = False) -> None:
        """Answer as the one of that tag."""
        agent = self.call.agent
        more = [("Contact", f"<sip:{tag}@{agent.here}>")]
        body = self.call._offer() if sound else ""
        agent.send(message.response(self.invite, status, tag, more, body))
        self.sent += 1

    async def has(self, method: str, tag: str = "") -> bool:
        """Whether the box asks that in time; of that tag, when one is given."""
        return await until(
            lambda: any(m == method and (not tag or t == tag) for m, t in self.asked), _LIMIT
        )

    def _requested(self, received: Message) -> None:
        tag = message.parameter(received.get("to"), "tag")
        if (received.method, tag) not in self.asked:
            self.came[received.method] += 1
        self.asked.add((received.method, tag))
        if received.method == "CANCEL":
            self.call.agent.answer(received, message.response(received, 200, "a"))
        elif received.method == "BYE":
            self.call.agent.answer(received, message.response(received, 200, tag))


async def _ringing(fork: Fork, _phone: Call) -> None:
    """Six places ring, with sound and without; a seventh takes it up."""
    for number in range(6):
        fork.say(183 if number % 2 else 180, f"r{number}", sound=bool(number % 2))
    fork.say(200, "taken", sound=True)
    await fork.has("ACK", "taken")


async def _two_answers(fork: Fork, _phone: Call) -> None:
    """Two take it up in the same moment, and both insist."""
    for tag in ("a", "b"):
        fork.say(183, tag, sound=True)
    for tag in ("a", "b", "a", "b"):
        fork.say(200, tag, sound=True)
    await fork.has("ACK", "a")


async def _answer_and_busy(fork: Fork, _phone: Call) -> None:
    """One is busy after another has taken it up."""
    fork.say(183, "a", sound=True)
    fork.say(200, "b", sound=True)
    fork.say(486, "a")
    await fork.has("ACK", "b")


async def _all_busy(fork: Fork, _phone: Call) -> None:
    """Three ring, the last of them is busy."""
    for tag in ("a", "b", "c"):
        fork.say(183, tag, sound=True)
    fork.say(486, "c")
    await fork.has("ACK", "c")


async def _answer_after_cancel(fork: Fork, phone: Call) -> None:
    """We give up; one of them has taken it up meanwhile."""
    fork.say(180, "a")
    fork.say(183, "b", sound=True)
    await until(lambda: phone.log, _LIMIT)
    phone.hang_up()
    await fork.has("CANCEL")
    fork.say(200, "b", sound=True)
    await fork.has("BYE", "b")


async def _two_after_cancel(fork: Fork, phone: Call) -> None:
    """We give up; two of them have taken it up meanwhile."""
    fork.say(180, "a")
    await until(lambda: phone.log, _LIMIT)
    phone.hang_up()
    await fork.has("CANCEL")
    for tag in ("a", "b"):
        fork.say(200, tag, sound=True)
    await fork.has("BYE", "a")


KINDS: dict[str, Callable[[Fork, Call], Awaitable[None]]] = {
    "forked: six ring, another answers": _ringing,
    "forked: two answers": _two_answers,
    "forked: an answer, then busy": _answer_and_busy,
    "forked: three ring, then busy": _all_busy,
    "forked: an answer after CANCEL": _answer_after_cancel,
    "forked: two answers after CANCEL": _two_after_cancel,
}


async def play(world: World, kind: str, came: Counter[str]) -> int:
    """Some calls out by phones of ours, answered so; returns how many answers were sent.

    `came`: what the box asked, by method, each dialog once.
    """
    forks: dict[str, asyncio.Future[Fork]] = {}
    former, loop = world.people.dialled, asyncio.get_running_loop()
    world.people.dialled = lambda call: forks[call.called[-9:]].set_result(Fork(call, came))
    sent = 0
    try:
        for position, phone in enumerate(world.people.phones[-TIMES:]):
            number = f"+99871299{position:04}"
            forks[number[-9:]] = loop.create_future()
            call = phone.dial(number)
            fork = await asyncio.wait_for(forks[number[-9:]], _LIMIT)
            await KINDS[kind](fork, call)
            await asyncio.sleep(0.3)
            call.hang_up()
            await until(partial(getattr, call, "over_at"), _LIMIT)
            sent += fork.sent
            phone.calls.remove(call)
    finally:
        world.people.dialled = former
    return sent


async def until(condition: Callable[[], object], limit: float) -> bool:
    """Wait for a condition; whether it came true."""
    end = loop_time() + limit
    while not (true := bool(condition())) and loop_time() < end:
        await asyncio.sleep(0.02)
    return true


def loop_time() -> float:
    """The loop's clock, seconds."""
    return asyncio.get_running_loop().time()
