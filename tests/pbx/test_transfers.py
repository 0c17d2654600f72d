"""Passing on, calling out and listening in, by a real Asterisk with sound: who hears whom."""

import asyncio
import contextlib
import math
import time
import wave
from collections.abc import Awaitable, Callable

import pytest

from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, ami, phone_events
from appliance.people import accounts, presence
from appliance.telephony import devices, routing
from appliance.telephony.routing import Plan, Queueing
from tests.pbx.box import Box
from tests.pbx.telephones import LIMIT, Talk, Telephones, seen, telephones
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
OPERATORS = 8


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """More operators, a supervisor with a phone, short prompts, phones that ring for 3 s."""
    for number in range(3, OPERATORS + 1):
        login = f"op{number:02}"
        accounts.add(
            login, login, "operator", "secret", extension=f"{1000 + number}", speaks=("uz",)
        )
    accounts.add("chief", "Chief", "supervisor", "secret", extension="1901")
    for prompt in site.paths.prompts.glob("??/*.wav"):
        with wave.open(str(prompt), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(3200))
    first = routing.current(site)
    queueing = Queueing(ring=3, autopause=True, last_operator_hours=0)
    routing.save(Plan(trunks=first.trunks, routes=first.routes, queueing=queueing), "test")
    return site


def ready(box: Box, count: int = OPERATORS) -> None:
    """So many operators are ready, the others off; no call is left of what was played before."""
    with ami.Connection(box.settings) as asterisk:
        for left in _channels(asterisk):
            with contextlib.suppress(ami.Refused):  # it ends by itself
                asterisk.act("Hangup", Channel=left["Channel"])
        until(lambda: not _channels(asterisk), every=0.3)
    for number in range(1, OPERATORS + 1):
        user = User.get(User.login == f"op{number:02}")
        presence.choose_state(user, "ready" if number <= count else "off")
    actions.put_states_in_force(box.settings)


def _channels(asterisk: ami.Connection) -> list[dict[str, str]]:
    return asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")


def at_once(box: Box, *scenes: Callable[[Telephones], Awaitable[None]]) -> None:
    """Play the scenes beside each other."""

    async def play() -> None:
        async with telephones(box.settings) as lines:
            await asyncio.gather(*(scene(lines) for scene in scenes))

    asyncio.run(play())


async def done(action: Callable[..., object], *facts: object) -> object:
    """An action as a page does it: in a thread with a connection of its own to the database."""
    return await asyncio.to_thread(database.connection_context()(action), *facts)


async def refused(code: str, action: Callable[..., object], *facts: object) -> None:
    with pytest.raises(actions.Refused) as error:
        await done(action, *facts)
    assert error.value.code == code


async def stage(talk: Talk, expected: str, other: str = "") -> actions.Line:
    """Wait until the operator's phone does this, with that number at the other end."""
    facts, until_then = (talk.telephones.settings, talk.phone.extension), time.monotonic() + LIMIT
    while time.monotonic() < until_then:
        found = await done(actions.line, *facts)
        there = isinstance(found, actions.Line) and found.stage == expected
        if there and other in ("", found.other):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not {expected} {other}: {found}")


async def blind_answered(lines: Telephones) -> None:
    talk = await lines.talk("+998901000001")
    await done(actions.blind, lines.settings, talk.operator, "+998712390101")
    await refused("no_talk", actions.blind, lines.settings, talk.operator, "+998712390101")
    employee = await lines.employee("0101")
    await talk.hears(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    assert talk.leg.state == "over"
    talk.citizen.hang_up()


async def blind_busy(lines: Telephones) -> None:
    lines.outside["0102"] = "busy"
    talk = await lines.talk("+998901000002")
    await done(actions.blind, lines.settings, talk.operator, "+998712390102")
    phone, leg = await lines.taken("+998901000002", before=talk.leg)
    await talk.hears(talk.citizen, phone.pitch, "the citizen is brought back")
    leg.hang_up()


async def asked_and_connected(lines: Telephones) -> None:
    talk = await lines.talk("+998901000003")
    lines.outside["0103"] = "never"
    await done(actions.consult, lines.settings, talk.operator, "+998712390103")
    await stage(talk, "consulting", "+998712390103")
    await refused("no_talk", actions.consult, lines.settings, talk.operator, "+998712390103")
    employee = await lines.employee("0103")
    await refused("not_answered", actions.join, lines.settings, talk.operator)
    await stage(talk, "consulting")
    employee.pick_up()
    await talk.hears(talk.leg, employee.media.pitch, "the operator hears the employee")
    await talk.deaf(talk.citizen, talk.phone.pitch, "the citizen hears music")
    await stage(talk, "consulted", "+998712390103")
    await done(actions.join, lines.settings, talk.operator)
    await refused("no_consultation", actions.join, lines.settings, talk.operator)
    await talk.hears(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    await talk.hears(employee, talk.citizen.media.pitch, "the employee hears the citizen")
    await seen(lambda: talk.leg.state == "over", "the operator is free")
    talk.citizen.hang_up()


async def asked_and_back(lines: Telephones) -> None:
    talk = await lines.talk("+998901000004")
    await done(actions.consult, lines.settings, talk.operator, "+998712390104")
    employee = await lines.employee("0104")
    await talk.hears(talk.leg, employee.media.pitch, "the operator hears the employee")
    await done(actions.back, lines.settings, talk.operator)
    await talk.hears(talk.citizen, talk.phone.pitch, "the citizen hears the operator again")
    await seen(lambda: employee.state == "over", "the employee is let go")
    line = await stage(talk, "talk")
    await done(actions.hang_up, lines.settings, line.call_id, talk.phone.extension)
    await seen(lambda: talk.leg.state == "over", "the operator has hung up")
    talk.citizen.hang_up()


async def asked_who_is_busy(lines: Telephones) -> None:
    lines.outside["0105"] = "busy"
    talk = await lines.talk("+998901000005")
    await done(actions.consult, lines.settings, talk.operator, "+998712390105")
    await lines.employee("0105")
    await talk.hears(talk.citizen, talk.phone.pitch, "they speak again by themselves")
    talk.citizen.hang_up()


async def all_three(lines: Telephones) -> None:
    talk = await lines.talk("+998901000006")
    await done(actions.consult, lines.settings, talk.operator, "+998712390106")
    employee = await lines.employee("0106")
    await talk.hears(talk.leg, employee.media.pitch, "the operator hears the employee")
    await done(actions.conference, lines.settings, talk.operator)
    await talk.hears(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    await talk.hears(talk.citizen, talk.phone.pitch, "and the operator")
    await talk.hears(employee, talk.citizen.media.pitch, "the employee hears the citizen")
    line = await stage(talk, "conference")
    await done(actions.hang_up, lines.settings, line.call_id, talk.phone.extension)
    await talk.deaf(talk.citizen, talk.phone.pitch, "the operator has left")
    await talk.hears(talk.citizen, employee.media.pitch, "the two go on")
    talk.citizen.hang_up()


async def the_operator_leaves_in_the_middle(lines: Telephones) -> None:
    talk = await lines.talk("+998901000007")
    await done(actions.consult, lines.settings, talk.operator, "+998712390107")
    await lines.employee("0107")
    talk.leg.hang_up()
    phone, _ = await lines.taken("+998901000007", before=talk.leg)
    await talk.hears(talk.citizen, phone.pitch, "another operator has the citizen")
    talk.citizen.hang_up()


async def listened_to_and_taken_over(lines: Telephones) -> None:
    chief = User.get(User.login == "chief")
    talk = await lines.talk("+998901000008")
    await refused("not_listening", actions.take_over, lines.settings, chief, talk.operator)
    await done(actions.supervise, lines.settings, chief, talk.operator, "listen")
    own = lines.people.by_extension("1901")
    assert own
    leg = await seen(lambda: own.call, "the supervisor's phone rings")
    await talk.hears(leg, talk.citizen.media.pitch, "the supervisor hears the citizen")
    await talk.hears(leg, talk.phone.pitch, "and the operator")
    line = await done(actions.line, lines.settings, "1901")
    assert (line.stage, line.other) == ("supervising", talk.phone.extension)
    assert not talk.leg.media.hears(own.pitch)
    await done(actions.supervise, lines.settings, chief, talk.operator, "whisper")
    await talk.hears(talk.leg, own.pitch, "the operator hears the supervisor")
    assert not talk.citizen.media.hears(own.pitch)
    await done(actions.supervise, lines.settings, chief, talk.operator, "barge")
    await talk.hears(talk.citizen, own.pitch, "the citizen hears the supervisor")
    await done(actions.take_over, lines.settings, chief, talk.operator)
    await seen(lambda: talk.leg.state == "over", "the operator is free")
    await talk.hears(talk.citizen, own.pitch, "the citizen speaks with the supervisor")
    await talk.hears(leg, talk.citizen.media.pitch, "and is heard")
    await refused("not_listening", actions.stop_supervising, lines.settings, chief)
    talk.citizen.hang_up()


def test_a_caller_is_passed_on_and_never_lost(box: Box) -> None:
    ready(box)
    at_once(
        box,
        blind_answered,
        blind_busy,
        asked_and_connected,
        asked_and_back,
        asked_who_is_busy,
        all_three,
        the_operator_leaves_in_the_middle,
    )


def test_a_supervisor_listens_and_takes_over(box: Box) -> None:
    ready(box)
    at_once(box, listened_to_and_taken_over)


async def called_out(lines: Telephones) -> None:
    user, phone = User.get(User.login == "op01"), lines.people.by_extension("1001")
    assert phone
    await refused("number", actions.dial, lines.settings, user, "nobody", "page")
    await done(actions.dial, lines.settings, user, "+998712390109", "ministry")
    await refused("phone_busy", actions.dial, lines.settings, user, "+998712390109", "ministry")
    outside = await lines.employee("0109")
    leg = phone.call
    assert leg
    await seen(lambda: leg.media.hears(outside.media.pitch), "the operator hears the employee")
    await seen(lambda: outside.media.hears(phone.pitch), "and is heard")
    leg.hang_up()
    await seen(lambda: outside.state == "over", "the call is over")


def test_a_call_out_rings_the_own_phone_first(box: Box) -> None:
    ready(box, 0)
    at_once(box, called_out)


def test_a_phone_that_is_not_taken_up_is_paused_and_its_operator_told(box: Box) -> None:
    ready(box, 1)
    heard: list[dict[str, str]] = []

    async def rings_in_vain(lines: Telephones) -> None:
        lines.silent = {"1001"}
        citizen = lines.people.call("+998901000010", 250)
        await seen(lambda: citizen.state == "up", "the hotline answers")
        citizen.media.press("1")
        await done(listen)
        citizen.hang_up()

    def listen() -> None:
        with ami.Connection(box.settings, phone_events.EVENTS) as asterisk:
            while event := asterisk.next_event(25):
                heard.append(event)
                if event.get("Event") == "QueueMemberPause":
                    return

    at_once(box, rings_in_vain)
    for event in heard:
        phone_events.handle(box.settings, event)
    user = User.get(User.login == "op01")
    state = presence.state_of(user)
    assert (state.state, state.reason, state.by) == ("pause", presence.NO_ANSWER, "asterisk")
    assert _paused(box) == {"1"}
    actions.choose_state(box.settings, user, "ready")
    assert _paused(box) == {"0"}


def _paused(box: Box) -> set[str]:
    with ami.Connection(box.settings) as asterisk:
        members = asterisk.listed("QueueStatus", "QueueStatusComplete")
    return {member["Paused"] for member in members if member.get("Name") == "op01"}


def test_what_asterisk_paused_while_nobody_listened_is_learnt_afterwards(box: Box) -> None:
    ready(box, 1)
    user = User.get(User.login == "op01")
    chosen = presence.state_of(user).since.timestamp()
    with ami.Connection(box.settings) as asterisk:
        until(lambda: _paused_by_asterisk(asterisk) > chosen, every=0.3)
    actions.put_states_in_force(box.settings)
    assert presence.state_of(user).reason == presence.NO_ANSWER


def _paused_by_asterisk(asterisk: ami.Connection) -> float:
    """Pause a phone as Asterisk does it; the moment, known to the second, that it gives."""
    for paused in ("false", "true"):
        asterisk.act(
            "QueuePause", Interface="PJSIP/1001", Paused=paused, Reason=actions.states.AUTOPAUSE
        )
    members = asterisk.listed("QueueStatus", "QueueStatusComplete")
    return max(float(m["LastPause"]) for m in members if m.get("Name") == "op01")


def test_trunks_and_phones_are_seen_and_followed(box: Box, monkeypatch) -> None:
    """In a talk, and at its end with no new list of all."""
    monkeypatch.setattr(phone_events, "_EVERY", math.inf)
    monkeypatch.setattr(phone_events, "_PACE", 0.0)

    async def look(lines: Telephones) -> None:
        with (
            ami.Connection(lines.settings, phone_events.EVENTS) as told,
            ami.Connection(lines.settings) as asterisk,
        ):
            told.hear_only(*phone_events.HEARD)
            phones = phone_events.Phones()
            phones.look(lines.settings, asterisk)
            assert used() == (0, 0)

            def hear() -> tuple[int, int]:
                if event := told.next_event(0.1):
                    phones.hear(event)
                phones.look(lines.settings, asterisk)
                return used()

            talk = await lines.talk("+998901000011")
            await done(until, lambda: hear() == (1, 1))
            assert devices.phones()["1901"].up
            talk.citizen.hang_up()
            await done(until, lambda: hear() == (0, 0))
            assert phones._list_at == math.inf

    ready(box)
    at_once(box, look)


def used() -> tuple[int, int]:
    """Calls on the first trunk, and on all phones."""
    phones = devices.phones().values()
    return devices.trunks()[0].channels, sum(phone.channels for phone in phones)
