"""Scenes played on the dialplan alone: a citizen, his operator, whoever is called outside."""

import asyncio
from collections.abc import Awaitable, Callable

from appliance.sip import tones
from appliance.sip.call import Call
from tests.calls.exchange import Exchange, sure
from tests.rig.parties import People, Phone

CALLER, OTHER = tones.CALLERS[:2]
EMPLOYEE = "+998712000001"
BUSY = "+998712000002"
SILENT = "+998712000003"
OUTSIDE = tones.OUTSIDE[0]
FACTS = (
    *("REFUSED", "CLOSED", "TOPIC", "QUEUE", "QUEUE_LEFT", "CALLBACK", "TRANSFER", "TRANSFER_END"),
    *("OUTGOING", "DIALLED", "RATING"),
)


def play(exchange: Exchange, scene: Callable[[People], Awaitable[None]]) -> list[str]:
    """Play a scene: phones answer, so does the employee; what the dialplan told of it."""
    begin = len(exchange.events())

    async def whole() -> None:
        async with exchange.people() as people:
            people.rings = lambda _phone, call: call.pick_up()
            people.dialled = outside
            try:
                await scene(people)
            finally:
                await end(exchange, people, begin)

    try:
        asyncio.run(whole())
    finally:
        told = exchange.told(begin, *FACTS)
        print(*told, sep="\n")  # shown when the scene fails
    return told


async def end(exchange: Exchange, people: People, begin: int) -> None:
    """End every call of a scene, the citizens' first: who of two ends a talk is told apart."""
    placed = [call for call in people.carrier.calls.values() if not call.is_incoming]
    # The log may be behind: before it knows of a call it says that none goes on.
    answered = sum(call.state == "up" for call in placed)
    await sure(lambda: len(exchange.begun(begin, of_trunk=True)) >= answered)
    for call in placed:
        call.hang_up()
    await sure(lambda: not exchange.alive(begin, of_trunk=True))
    for agent in (people.carrier, people.desk):
        for call in [*agent.calls.values()]:
            call.hang_up()
    await sure(lambda: not exchange.alive(begin))


def outside(call: Call) -> None:
    """Whoever is called outside: the employee answers, the others do not."""
    call.media.pitch = OUTSIDE
    call.media._number = 100  # lower than an operator's: see [record]
    if call.called.endswith(BUSY[4:]):
        call.refuse(486)
    elif call.called.endswith(SILENT[4:]):
        call.ring()
    else:
        call.pick_up()


def operator(people: People, extension: str = "1001") -> Phone:
    phone = people.by_extension(extension)
    assert phone
    return phone


async def refer(exchange: Exchange, people: People, phone: Call, number: str) -> Call:
    """The operator refers his caller to a number and is free again: the call there, untouched."""
    begin = len(exchange.events())
    people.dialled = lambda _call: None
    assert await phone.refer(number) == 202
    await sure(lambda: exchange.told(begin, "CHAN_END"))
    return await sure(lambda: call_to(people, number))


def call_to(people: People, number: str) -> Call | None:
    """The call that has reached a number outside."""
    return next((c for c in people.carrier.calls.values() if c.called == number), None)


async def talk(people: People, number: str, extension: str = "1001") -> tuple[Call, Call]:
    """A citizen calls and speaks with that operator: his call, the operator's."""
    citizen = people.call(number, CALLER)
    await sure(lambda: citizen.state == "up")
    citizen.media.press("1")
    phone = operator(people, extension)
    await sure(
        lambda: phone.call and phone.call.media.hears(CALLER) and citizen.media.hears(phone.pitch)
    )
    assert phone.call
    return citizen, phone.call
