"""Transfers, outbound calls and supervision by a real Asterisk: who can talk to whom."""

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
from tests.pbx.telephones import Talk, Telephones, telephones
from tests.rig.waiting import wait_for, wait_until

pytestmark = pytest.mark.calls
OPERATOR_COUNT = 8
STAGE_LIMIT_SECONDS = 30.0  # until a phone is in the expected stage


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """More operators, a supervisor with a phone, short prompts, phones that ring for 3 s."""
    for number in range(3, OPERATOR_COUNT + 1):
        login = f"op{number:02}"
        accounts.create_account(
            login, login, "operator", "secret", extension=f"{1000 + number}", speaks=("uz",)
        )
    accounts.create_account("chief", "Chief", "supervisor", "secret", extension="1901")
    for prompt in site.paths.prompts.glob("??/*.wav"):
        with wave.open(str(prompt), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(3200))
    first = routing.current_plan(site)
    queueing = Queueing(ring=3, autopause=True, last_operator_hours=0)
    routing.save_plan(Plan(trunks=first.trunks, routes=first.routes, queueing=queueing), "test")
    return site


def prepare_operators(box: Box, count: int = OPERATOR_COUNT) -> None:
    """Make `count` operators ready and the others off; end the calls of earlier tests."""
    with ami.Connection(box.settings) as asterisk:
        for channel in _active_channels(asterisk):
            with contextlib.suppress(ami.ActionRefused):  # it ends by itself
                asterisk.send_action("Hangup", Channel=channel["Channel"])
        wait_until(lambda: not _active_channels(asterisk), every=0.3)
    for number in range(1, OPERATOR_COUNT + 1):
        user = User.get(User.login == f"op{number:02}")
        presence.choose_state(user, "ready" if number <= count else "off")
    actions.apply_states(box.settings)


def _active_channels(asterisk: ami.Connection) -> list[dict[str, str]]:
    return asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")


def play_scenes(box: Box, *scenes: Callable[[Telephones], Awaitable[None]]) -> None:
    """Play the scenes at the same time."""

    async def play_together() -> None:
        async with telephones(box.settings) as lines:
            await asyncio.gather(*(scene(lines) for scene in scenes))

    asyncio.run(play_together())


async def run_action(action: Callable[..., object], *arguments: object) -> object:
    """Run an action as a page does: in a thread with its own connection to the database."""
    return await asyncio.to_thread(database.connection_context()(action), *arguments)


async def expect_refusal(code: str, action: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(actions.ActionRefused) as error:
        await run_action(action, *arguments)
    assert error.value.code == code


async def wait_for_stage(talk: Talk, expected: str, other: str = "") -> actions.Line:
    """Wait until the operator's phone is in that stage, with that number at the other end."""
    settings, extension = talk.telephones.settings, talk.phone.extension
    deadline = time.monotonic() + STAGE_LIMIT_SECONDS
    while time.monotonic() < deadline:
        line = await run_action(actions.phone_line, settings, extension)
        is_expected = isinstance(line, actions.Line) and line.stage == expected
        if is_expected and other in ("", line.other_number):
            return line
        await asyncio.sleep(0.05)
    raise AssertionError(f"not {expected} {other}: {line}")


async def transfer_to_answering_employee(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000001")
    await run_action(actions.transfer_blind, lines.settings, talk.operator, "+998712390101")
    await expect_refusal(
        "no_talk", actions.transfer_blind, lines.settings, talk.operator, "+998712390101"
    )
    employee = await lines.wait_for_employee("0101")
    await talk.wait_for_voice(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    assert talk.leg.state == "over"
    talk.citizen.hang_up()


async def transfer_to_busy_employee(lines: Telephones) -> None:
    lines.outside["0102"] = "busy"
    talk = await lines.start_talk("+998901000002")
    await run_action(actions.transfer_blind, lines.settings, talk.operator, "+998712390102")
    phone, leg = await lines.wait_for_answer("+998901000002", before=talk.leg)
    await talk.wait_for_voice(talk.citizen, phone.pitch, "the citizen is brought back")
    leg.hang_up()


async def consult_and_connect(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000003")
    lines.outside["0103"] = "never"
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390103")
    await wait_for_stage(talk, "consulting", "+998712390103")
    await expect_refusal(
        "no_talk", actions.start_consultation, lines.settings, talk.operator, "+998712390103"
    )
    employee = await lines.wait_for_employee("0103")
    await expect_refusal("not_answered", actions.join_caller, lines.settings, talk.operator)
    await wait_for_stage(talk, "consulting")
    employee.pick_up()
    await talk.wait_for_voice(talk.leg, employee.media.pitch, "the operator hears the employee")
    await talk.wait_for_silence(talk.citizen, talk.phone.pitch, "the citizen hears music")
    await wait_for_stage(talk, "consulted", "+998712390103")
    await run_action(actions.join_caller, lines.settings, talk.operator)
    await expect_refusal("no_consultation", actions.join_caller, lines.settings, talk.operator)
    await talk.wait_for_voice(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    await talk.wait_for_voice(employee, talk.citizen.media.pitch, "the employee hears the citizen")
    await wait_for(lambda: talk.leg.state == "over", "the operator is free")
    talk.citizen.hang_up()


async def consult_and_return(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000004")
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390104")
    employee = await lines.wait_for_employee("0104")
    await talk.wait_for_voice(talk.leg, employee.media.pitch, "the operator hears the employee")
    await run_action(actions.return_to_caller, lines.settings, talk.operator)
    await talk.wait_for_voice(
        talk.citizen, talk.phone.pitch, "the citizen hears the operator again"
    )
    await wait_for(lambda: employee.state == "over", "the employee is let go")
    line = await wait_for_stage(talk, "talk")
    await run_action(actions.hang_up_phone, lines.settings, line.call_id, talk.phone.extension)
    await wait_for(lambda: talk.leg.state == "over", "the operator has hung up")
    talk.citizen.hang_up()


async def consult_busy_employee(lines: Telephones) -> None:
    lines.outside["0105"] = "busy"
    talk = await lines.start_talk("+998901000005")
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390105")
    await lines.wait_for_employee("0105")
    await talk.wait_for_voice(talk.citizen, talk.phone.pitch, "they speak again by themselves")
    talk.citizen.hang_up()


async def start_conference(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000006")
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390106")
    employee = await lines.wait_for_employee("0106")
    await talk.wait_for_voice(talk.leg, employee.media.pitch, "the operator hears the employee")
    await run_action(actions.start_conference, lines.settings, talk.operator)
    await talk.wait_for_voice(talk.citizen, employee.media.pitch, "the citizen hears the employee")
    await talk.wait_for_voice(talk.citizen, talk.phone.pitch, "and the operator")
    await talk.wait_for_voice(employee, talk.citizen.media.pitch, "the employee hears the citizen")
    line = await wait_for_stage(talk, "conference")
    await run_action(actions.hang_up_phone, lines.settings, line.call_id, talk.phone.extension)
    await talk.wait_for_silence(talk.citizen, talk.phone.pitch, "the operator has left")
    await talk.wait_for_voice(talk.citizen, employee.media.pitch, "the two go on")
    talk.citizen.hang_up()


async def hang_up_in_consultation(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000007")
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390107")
    await lines.wait_for_employee("0107")
    talk.leg.hang_up()
    phone, _ = await lines.wait_for_answer("+998901000007", before=talk.leg)
    await talk.wait_for_voice(talk.citizen, phone.pitch, "another operator has the citizen")
    talk.citizen.hang_up()


async def listen_and_take_over(lines: Telephones) -> None:
    chief = User.get(User.login == "chief")
    talk = await lines.start_talk("+998901000008")
    await expect_refusal(
        "not_listening", actions.take_over_talk, lines.settings, chief, talk.operator
    )
    await run_action(actions.supervise_talk, lines.settings, chief, talk.operator, "listen")
    supervisor_phone = lines.people.phone_by_extension("1901")
    assert supervisor_phone
    leg = await wait_for(lambda: supervisor_phone.newest_call, "the supervisor's phone rings")
    await talk.wait_for_voice(leg, talk.citizen.media.pitch, "the supervisor hears the citizen")
    await talk.wait_for_voice(leg, talk.phone.pitch, "and the operator")
    line = await run_action(actions.phone_line, lines.settings, "1901")
    assert (line.stage, line.other_number) == ("supervising", talk.phone.extension)
    assert not talk.leg.media.has_voice(supervisor_phone.pitch)
    await run_action(actions.supervise_talk, lines.settings, chief, talk.operator, "whisper")
    await talk.wait_for_voice(talk.leg, supervisor_phone.pitch, "the operator hears the supervisor")
    assert not talk.citizen.media.has_voice(supervisor_phone.pitch)
    await run_action(actions.supervise_talk, lines.settings, chief, talk.operator, "barge")
    await talk.wait_for_voice(
        talk.citizen, supervisor_phone.pitch, "the citizen hears the supervisor"
    )
    await run_action(actions.take_over_talk, lines.settings, chief, talk.operator)
    await wait_for(lambda: talk.leg.state == "over", "the operator is free")
    await talk.wait_for_voice(
        talk.citizen, supervisor_phone.pitch, "the citizen speaks with the supervisor"
    )
    await talk.wait_for_voice(leg, talk.citizen.media.pitch, "and is heard")
    await expect_refusal("not_listening", actions.stop_supervising, lines.settings, chief)
    talk.citizen.hang_up()


def test_a_transferred_caller_is_never_lost(box: Box) -> None:
    prepare_operators(box)
    play_scenes(
        box,
        transfer_to_answering_employee,
        transfer_to_busy_employee,
        consult_and_connect,
        consult_and_return,
        consult_busy_employee,
        start_conference,
        hang_up_in_consultation,
    )


def test_a_supervisor_listens_and_takes_over(box: Box) -> None:
    prepare_operators(box)
    play_scenes(box, listen_and_take_over)


async def call_out(lines: Telephones) -> None:
    user, phone = User.get(User.login == "op01"), lines.people.phone_by_extension("1001")
    assert phone
    await expect_refusal("number", actions.dial_number, lines.settings, user, "nobody", "page")
    await run_action(actions.dial_number, lines.settings, user, "+998712390109", "ministry")
    await expect_refusal(
        "phone_busy", actions.dial_number, lines.settings, user, "+998712390109", "ministry"
    )
    outside = await lines.wait_for_employee("0109")
    leg = phone.newest_call
    assert leg
    await wait_for(
        lambda: leg.media.has_voice(outside.media.pitch), "the operator hears the employee"
    )
    await wait_for(lambda: outside.media.has_voice(phone.pitch), "and is heard")
    leg.hang_up()
    await wait_for(lambda: outside.state == "over", "the call is over")


def test_an_outbound_call_rings_the_operators_phone_first(box: Box) -> None:
    prepare_operators(box, 0)
    play_scenes(box, call_out)


def test_an_unanswered_phone_is_paused_and_its_operator_notified(box: Box) -> None:
    prepare_operators(box, 1)
    events: list[dict[str, str]] = []

    async def leave_call_unanswered(lines: Telephones) -> None:
        lines.silent = {"1001"}
        citizen = lines.people.call_hotline("+998901000010", 250)
        await wait_for(lambda: citizen.state == "up", "the hotline answers")
        citizen.media.press_keys("1")
        await run_action(collect_events)
        citizen.hang_up()

    def collect_events() -> None:
        with ami.Connection(box.settings, phone_events.EVENT_CLASSES) as asterisk:
            while event := asterisk.next_event(25):
                events.append(event)
                if event.get("Event") == "QueueMemberPause":
                    return

    play_scenes(box, leave_call_unanswered)
    for event in events:
        phone_events.resume_talk_or_pause_operator(box.settings, event)
    user = User.get(User.login == "op01")
    state = presence.state_of(user)
    assert (state.state, state.reason, state.by) == ("pause", presence.NO_ANSWER, "asterisk")
    assert _paused_flags(box) == {"1"}
    actions.choose_state(box.settings, user, "ready")
    assert _paused_flags(box) == {"0"}


def _paused_flags(box: Box) -> set[str]:
    with ami.Connection(box.settings) as asterisk:
        members = asterisk.list_events("QueueStatus", "QueueStatusComplete")
    return {member["Paused"] for member in members if member.get("Name") == "op01"}


def test_a_pause_by_asterisk_that_was_missed_is_found_later(box: Box) -> None:
    prepare_operators(box, 1)
    user = User.get(User.login == "op01")
    chosen_at = presence.state_of(user).since.timestamp()
    with ami.Connection(box.settings) as asterisk:
        wait_until(lambda: _pause_like_asterisk(asterisk) > chosen_at, every=0.3)
    actions.apply_states(box.settings)
    assert presence.state_of(user).reason == presence.NO_ANSWER


def _pause_like_asterisk(asterisk: ami.Connection) -> float:
    """Pause a phone as Asterisk does; return the time it reports, in whole seconds."""
    for paused in ("false", "true"):
        asterisk.send_action(
            "QueuePause", Interface="PJSIP/1001", Paused=paused, Reason=actions.states.AUTOPAUSE
        )
    members = asterisk.list_events("QueueStatus", "QueueStatusComplete")
    return max(float(m["LastPause"]) for m in members if m.get("Name") == "op01")


def test_the_use_of_trunks_and_phones_is_followed(box: Box, monkeypatch) -> None:
    """During a talk and at its end, without a new complete listing."""
    monkeypatch.setattr(phone_events, "_LIST_SECONDS", math.inf)
    monkeypatch.setattr(phone_events, "_WRITE_INTERVAL_SECONDS", 0.0)

    async def follow_one_talk(lines: Telephones) -> None:
        with (
            ami.Connection(lines.settings, phone_events.EVENT_CLASSES) as event_connection,
            ami.Connection(lines.settings) as asterisk,
        ):
            event_connection.receive_only(*phone_events.EVENT_NAMES)
            phones = phone_events.PhoneMonitor()
            phones.update_devices(lines.settings, asterisk)
            assert channels_in_use() == (0, 0)

            def channels_after_event() -> tuple[int, int]:
                if event := event_connection.next_event(0.1):
                    phones.track_event(event)
                phones.update_devices(lines.settings, asterisk)
                return channels_in_use()

            talk = await lines.start_talk("+998901000011")
            await run_action(wait_until, lambda: channels_after_event() == (1, 1))
            assert devices.phones_by_extension()["1901"].up
            talk.citizen.hang_up()
            await run_action(wait_until, lambda: channels_after_event() == (0, 0))
            assert phones._next_list == math.inf

    prepare_operators(box)
    play_scenes(box, follow_one_talk)


def channels_in_use() -> tuple[int, int]:
    """Return the number of calls on the first trunk, and on all phones."""
    phones = devices.phones_by_extension().values()
    return devices.list_trunks()[0].channels, sum(phone.channels for phone in phones)
