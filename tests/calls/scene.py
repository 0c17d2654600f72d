"""Scenes played on the dialplan alone: a citizen, an operator, and people called outside."""

import asyncio
from collections.abc import Awaitable, Callable

from appliance.sip import tones
from appliance.sip.call import Call
from tests.calls.exchange import Exchange
from tests.rig.parties import CallParties, Phone
from tests.rig.waiting import wait_for

CALLER_PITCH, OTHER_PITCH = tones.CALLERS[:2]
EMPLOYEE_NUMBER = "+998712000001"
BUSY_NUMBER = "+998712000002"
SILENT_NUMBER = "+998712000003"
OUTSIDE_PITCH = tones.OUTSIDE_PARTIES[0]
# A recording is compared second by second: this long a talk fills at least one of them.
RECORDED_TALK_SECONDS = 1.5
REPORTED_EVENTS = (
    *("REFUSED", "CLOSED", "TOPIC", "QUEUE", "QUEUE_LEFT", "CALLBACK", "TRANSFER", "TRANSFER_END"),
    *("OUTGOING", "DIALLED", "RATING"),
)


def play_scene(exchange: Exchange, scene: Callable[[CallParties], Awaitable[None]]) -> list[str]:
    """Play a scene in which phones and the employee pick up; return the dialplan's event lines."""
    begin = len(exchange.logged_events())

    async def run_scene() -> None:
        async with exchange.open_parties() as people:
            people.on_ring = lambda _phone, call: call.pick_up()
            people.on_outgoing_call = handle_outside_call
            try:
                await scene(people)
            finally:
                await end_all_calls(exchange, people, begin)

    try:
        asyncio.run(run_scene())
    finally:
        event_lines = exchange.event_lines(begin, *REPORTED_EVENTS)
        print(*event_lines, sep="\n")  # visible when the scene fails
    return event_lines


async def end_all_calls(exchange: Exchange, people: CallParties, begin: int) -> None:
    """End every call of a scene, the citizens' first: the log must show who ended a talk."""
    placed_calls = [call for call in people.carrier.calls.values() if not call.is_incoming]
    # The log may be late: before it holds a call it would show that no call is open.
    answered_count = sum(call.state == "up" for call in placed_calls)
    await wait_for(lambda: len(exchange.started_channels(begin, of_trunk=True)) >= answered_count)
    for call in placed_calls:
        call.hang_up()
    await wait_for(lambda: not exchange.open_channels(begin, of_trunk=True))
    for agent in (people.carrier, people.desk):
        for call in [*agent.calls.values()]:
            call.hang_up()
    await wait_for(lambda: not exchange.open_channels(begin))


def handle_outside_call(call: Call) -> None:
    """Handle a call to a number outside: the employee picks up, the other numbers do not."""
    call.media.pitch = OUTSIDE_PITCH
    call.media._sequence_number = 100  # lower than an operator's: see [record]
    if call.callee.endswith(BUSY_NUMBER[4:]):
        call.refuse_call(486)
    elif call.callee.endswith(SILENT_NUMBER[4:]):
        call.send_ringing()
    else:
        call.pick_up()


async def keep_talking(seconds: float = RECORDED_TALK_SECONDS) -> None:
    """Let the parties of a talk go on speaking for some seconds."""
    await asyncio.sleep(seconds)


async def listen_to_menu(seconds: float) -> None:
    """Let a citizen listen to the menu before they press the next key."""
    await asyncio.sleep(seconds)


def operator_phone(people: CallParties, extension: str = "1001") -> Phone:
    """Return the phone of an extension."""
    phone = people.phone_by_extension(extension)
    assert phone
    return phone


async def refer_caller(exchange: Exchange, people: CallParties, phone: Call, number: str) -> Call:
    """Refer the operator's caller to `number` and wait until the operator is free.

    Returns the call to that number, which nobody has handled yet.
    """
    begin = len(exchange.logged_events())
    people.on_outgoing_call = lambda _call: None
    assert await phone.send_refer(number) == 202
    await wait_for(lambda: exchange.event_lines(begin, "CHAN_END"))
    return await wait_for(lambda: call_to_number(people, number))


async def wait_for_return(people: CallParties) -> None:
    """Wait until the operator's phone is called a second time and receives the caller's voice."""
    phone = operator_phone(people)
    await wait_for(
        lambda: (
            len(phone.calls) == 2
            and phone.newest_call
            and phone.newest_call.media.has_voice(CALLER_PITCH)
        )
    )


def call_to_number(people: CallParties, number: str) -> Call | None:
    """Return the call that reached this number outside, if there is one yet."""
    return next((c for c in people.carrier.calls.values() if c.callee == number), None)


async def start_talk(
    people: CallParties, number: str, extension: str = "1001"
) -> tuple[Call, Call]:
    """Let a citizen call and talk with that operator; return both calls, the citizen's first."""
    citizen = people.call_hotline(number, CALLER_PITCH)
    await wait_for(lambda: citizen.state == "up")
    citizen.media.press_keys("1")
    phone = operator_phone(people, extension)
    await wait_for(
        lambda: (
            phone.newest_call
            and phone.newest_call.media.has_voice(CALLER_PITCH)
            and citizen.media.has_voice(phone.pitch)
        )
    )
    assert phone.newest_call
    return citizen, phone.newest_call
