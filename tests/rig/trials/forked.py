"""Answers to one INVITE of the box from several places at once, as a forking carrier sends them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Message
from tests.rig.trials.world import World
from tests.rig.waiting import wait_within

CALL_COUNT = 5
_LIMIT_SECONDS = 15.0  # for every request that the box must send
_TALK_SECONDS = 0.3  # for which the operator stays in the call


class ForkedInvite:
    """One INVITE of the box, and all places that answer it."""

    def __init__(self, call: Call, method_counts: Counter[str]) -> None:
        assert call.invite  # the call is incoming
        self.call, self.invite, self.method_counts = call, call.invite, method_counts
        self.sent = 0
        self.requests: set[tuple[str, str]] = set()  # (method, To-tag) of requests from the box
        self._handle_original = call.handle_request
        call.handle_request = self._count_request  # type: ignore[method-assign]

    def send_response(self, status: int, tag: str, with_sound: bool = False) -> None:
        """Answer as the place with that tag."""
        agent = self.call.agent
        extra_headers = [("Contact", f"<sip:{tag}@{agent.host_port}>")]
        body = self.call._session_offer() if with_sound else ""
        agent.send_datagram(message.encode_response(self.invite, status, tag, extra_headers, body))
        self.sent += 1

    async def has_request(self, method: str, tag: str = "") -> bool:
        """Returns True if the box sends that request in time; with that tag, when there is one."""
        return await wait_within(
            lambda: any(m == method and (not tag or t == tag) for m, t in self.requests),
            _LIMIT_SECONDS,
        )

    def _count_request(self, received: Message) -> None:
        tag = message.find_parameter(received.get("to"), "tag")
        if (received.method, tag) not in self.requests:
            self.method_counts[received.method] += 1
        self.requests.add((received.method, tag))
        if received.method == "CANCEL":
            self.call.agent.send_response(received, message.encode_response(received, 200, "a"))
        elif received.method == "BYE":
            self.call.agent.send_response(received, message.encode_response(received, 200, tag))


async def _ring_many(fork: ForkedInvite, _phone: Call) -> None:
    """Six places ring, with sound and without; a seventh answers."""
    for number in range(6):
        fork.send_response(183 if number % 2 else 180, f"r{number}", with_sound=bool(number % 2))
    fork.send_response(200, "taken", with_sound=True)
    await fork.has_request("ACK", "taken")


async def _answer_twice(fork: ForkedInvite, _phone: Call) -> None:
    """Two places answer at the same time, and both repeat their answers."""
    for tag in ("a", "b"):
        fork.send_response(183, tag, with_sound=True)
    for tag in ("a", "b", "a", "b"):
        fork.send_response(200, tag, with_sound=True)
    await fork.has_request("ACK", "a")


async def _answer_then_busy(fork: ForkedInvite, _phone: Call) -> None:
    """One place is busy after another has answered."""
    fork.send_response(183, "a", with_sound=True)
    fork.send_response(200, "b", with_sound=True)
    fork.send_response(486, "a")
    await fork.has_request("ACK", "b")


async def _ring_then_busy(fork: ForkedInvite, _phone: Call) -> None:
    """Three places ring, and the last of them is busy."""
    for tag in ("a", "b", "c"):
        fork.send_response(183, tag, with_sound=True)
    fork.send_response(486, "c")
    await fork.has_request("ACK", "c")


async def _answer_after_cancel(fork: ForkedInvite, phone: Call) -> None:
    """The phone hangs up; one place has answered in the meantime."""
    fork.send_response(180, "a")
    fork.send_response(183, "b", with_sound=True)
    await wait_within(lambda: phone.log, _LIMIT_SECONDS)
    phone.hang_up()
    await fork.has_request("CANCEL")
    fork.send_response(200, "b", with_sound=True)
    await fork.has_request("BYE", "b")


async def _two_answers_after_cancel(fork: ForkedInvite, phone: Call) -> None:
    """The phone hangs up; two places have answered in the meantime."""
    fork.send_response(180, "a")
    await wait_within(lambda: phone.log, _LIMIT_SECONDS)
    phone.hang_up()
    await fork.has_request("CANCEL")
    for tag in ("a", "b"):
        fork.send_response(200, tag, with_sound=True)
    await fork.has_request("BYE", "a")


FORK_KINDS: dict[str, Callable[[ForkedInvite, Call], Awaitable[None]]] = {
    "forked: six ring, another answers": _ring_many,
    "forked: two answers": _answer_twice,
    "forked: an answer, then busy": _answer_then_busy,
    "forked: three ring, then busy": _ring_then_busy,
    "forked: an answer after CANCEL": _answer_after_cancel,
    "forked: two answers after CANCEL": _two_answers_after_cancel,
}


async def place_forked_calls(world: World, kind: str, method_counts: Counter[str]) -> int:
    """Place calls from our own phones, answered by that kind of fork.

    Returns the number of answers sent.

    `method_counts`: the requests of the box by method, each dialog once.
    """
    forks: dict[str, asyncio.Future[ForkedInvite]] = {}
    former_handler, loop = world.parties.on_outgoing_call, asyncio.get_running_loop()
    world.parties.on_outgoing_call = lambda call: forks[call.callee[-9:]].set_result(
        ForkedInvite(call, method_counts)
    )
    sent_count = 0
    try:
        for position, phone in enumerate(world.parties.phones[-CALL_COUNT:]):
            number = f"+99871299{position:04}"
            forks[number[-9:]] = loop.create_future()
            call = phone.dial_number(number)
            fork = await asyncio.wait_for(forks[number[-9:]], _LIMIT_SECONDS)
            await FORK_KINDS[kind](fork, call)
            await asyncio.sleep(_TALK_SECONDS)
            call.hang_up()
            await wait_within(partial(getattr, call, "over_at"), _LIMIT_SECONDS)
            sent_count += fork.sent
            phone.calls.remove(call)
    finally:
        world.parties.on_outgoing_call = former_handler
    return sent_count
