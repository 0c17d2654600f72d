"""The dialplan alone, without our processes: real calls with sound, branch by branch."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import clock
from appliance.models import CalendarDay
from appliance.sip import tones
from appliance.sip.call import Call
from appliance.telephony import routing
from appliance.telephony.recordings import reserve
from tests.calls.exchange import Exchange, running_exchange
from tests.calls.scene import (
    BUSY_NUMBER,
    CALLER_PITCH,
    EMPLOYEE_NUMBER,
    OUTSIDE_PITCH,
    call_to_number,
    keep_talking,
    listen_to_menu,
    operator_phone,
    play_scene,
    refer_caller,
    start_talk,
    wait_for_return,
)
from tests.rig.parties import CallParties
from tests.rig.waiting import wait_for

pytestmark = pytest.mark.calls


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    with running_exchange(tmp_path_factory.mktemp("exchange"), migrated) as site_exchange:
        yield site_exchange


def test_a_blind_transfer_is_recorded_with_both_voices_and_rated(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    before = len(exchange.logged_events("RECORDING"))
    begin = len(exchange.logged_events())

    async def scene(people: CallParties) -> None:
        citizen, phone = await start_talk(people, "+998901110001")
        assert await phone.send_refer(EMPLOYEE_NUMBER) == 202
        await wait_for(lambda: citizen.media.has_voice(OUTSIDE_PITCH))
        await keep_talking()
        call_to_number(people, EMPLOYEE_NUMBER).hang_up()
        await wait_for(lambda: len(exchange.open_channels(begin)) == 1)
        citizen.media.press_keys("4")
        await wait_for(lambda: citizen.state == "over")

    lines = play_scene(exchange, scene)
    assert lines == [
        "QUEUE queue=uz language=uz topic= why=first",
        f"TRANSFER kind=blind to={EMPLOYEE_NUMBER} by=op01",
        "TRANSFER_END result=answered returned=no",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "RATING mark=4 operator=op01",
    ]
    files = exchange.logged_events("RECORDING")[before:]
    assert {OUTSIDE_PITCH, CALLER_PITCH} in [who for who, _ in exchange.recorded_voices(files[-1])]


def test_calls_go_on_unrecorded_when_the_disk_is_full(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    before = len(exchange.logged_events("RECORDING"))
    reserve.unrecorded_mark(exchange.settings).touch()

    async def scene(people: CallParties) -> None:
        await start_talk(people, "+998901110003")

    try:
        play_scene(exchange, scene)
    finally:
        reserve.unrecorded_mark(exchange.settings).unlink()
    [recording] = exchange.logged_events("RECORDING")[before:]
    assert not (exchange.settings.paths.recordings / recording.extra["file"]).exists()


def test_a_caller_returns_to_the_operator_when_the_employee_is_busy(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        _citizen, phone = await start_talk(people, "+998901110002")
        (await refer_caller(exchange, people, phone, BUSY_NUMBER)).refuse_call(486)
        await wait_for_return(people)

    assert play_scene(exchange, scene)[1:5] == [
        f"TRANSFER kind=blind to={BUSY_NUMBER} by=op01",
        "DIALLED trunk=carrier status=BUSY cause=17 technology=sip",
        "TRANSFER_END result=busy returned=yes",
        "QUEUE queue=op-1001 language=uz topic= why=returned",
    ]


async def start_consultation(
    exchange: Exchange, people: CallParties, number: str
) -> tuple[Call, Call, dict[str, str]]:
    """Let a citizen's operator consult the employee, as the page does.

    Returns the citizen's call, the operator's call, and the channel names by endpoint.
    """
    citizen, phone = await start_talk(people, number)
    names = channel_names(exchange)
    with exchange.connect_ami() as asterisk:
        operator_channel, caller = names["1001"], names["carrier"]
        asterisk.send_action("Setvar", Channel=operator_channel, Variable="HELD", Value=caller)
        asterisk.send_action(
            "Redirect",
            **{"Channel": caller, "Context": "held", "Exten": operator_channel, "Priority": "1"},
            **{
                "ExtraChannel": operator_channel,
                "ExtraContext": "consult",
                "ExtraExten": EMPLOYEE_NUMBER,
            },
            ExtraPriority="1",
        )
    return citizen, phone, names


def channel_names(exchange: Exchange) -> dict[str, str]:
    """Return endpoint → name of its newest channel."""
    with exchange.connect_ami() as asterisk:
        names = [
            event["Channel"]
            for event in asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
        ]
    return {name.split("/")[1].rpartition("-")[0]: name for name in sorted(names)}


def test_a_consultation_can_end_in_a_talk_of_caller_and_employee(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    before = len(exchange.logged_events("RECORDING"))

    async def scene(people: CallParties) -> None:
        citizen, phone, names = await start_consultation(exchange, people, "+998901110003")
        await wait_for(lambda: phone.media.has_voice(OUTSIDE_PITCH))
        assert not citizen.media.has_voice(OUTSIDE_PITCH)
        with exchange.connect_ami() as asterisk:
            asterisk.send_action("Setvar", Channel=names["1001"], Variable="JOINED", Value="yes")
            other = {
                "Context": "joined",
                "Exten": channel_names(exchange)["carrier"],
                "Priority": "1",
            }
            asterisk.send_action("Redirect", Channel=names["carrier"], **other)
        await wait_for(lambda: citizen.media.has_voice(OUTSIDE_PITCH) and phone.state == "over")
        await keep_talking()

    assert play_scene(exchange, scene)[1:] == [
        f"TRANSFER kind=attended to={EMPLOYEE_NUMBER} by=op01",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "TRANSFER_END result=answered returned=no",
    ]
    files = exchange.logged_events("RECORDING")[before:]
    assert {OUTSIDE_PITCH, CALLER_PITCH} in [who for who, _ in exchange.recorded_voices(files[-1])]


def test_the_operator_talks_with_the_caller_again_after_a_consultation(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        citizen, phone, _ = await start_consultation(exchange, people, "+998901110004")
        await wait_for(lambda: phone.media.has_voice(OUTSIDE_PITCH))
        pitch = phone.media.pitch
        await wait_for(
            lambda: not (citizen.media.has_voice(pitch) or phone.media.has_voice(CALLER_PITCH)),
            "the caller and the operator do not hear each other",
        )
        ends = len(exchange.logged_events("TRANSFER_END"))
        call_to_number(people, EMPLOYEE_NUMBER).hang_up()
        await wait_for(lambda: len(exchange.logged_events("TRANSFER_END")) > ends)
        await wait_for(
            lambda: citizen.media.has_voice(pitch) and phone.media.has_voice(CALLER_PITCH)
        )

    assert play_scene(exchange, scene)[1:] == [
        f"TRANSFER kind=attended to={EMPLOYEE_NUMBER} by=op01",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "TRANSFER_END result=answered returned=yes",
    ]


def test_a_caller_whose_operator_left_goes_to_the_next_operator(exchange: Exchange) -> None:
    exchange.set_ready("op01", "op02")

    async def scene(people: CallParties) -> None:
        exchange.set_ready("op01")
        citizen, phone, _ = await start_consultation(exchange, people, "+998901110005")
        await wait_for(lambda: phone.media.has_voice(OUTSIDE_PITCH))
        exchange.set_ready("op02")
        phone.hang_up()
        await wait_for(lambda: citizen.media.has_voice(operator_phone(people, "1002").pitch))

    lines = play_scene(exchange, scene)
    assert lines[-2:] == [
        "TRANSFER_END result=failed returned=yes",
        "QUEUE queue=uz language=uz topic= why=returned",
    ]


def test_a_conference_lasts_until_operator_and_employee_have_left(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    begin = len(exchange.logged_events())

    async def scene(people: CallParties) -> None:
        citizen, phone, names = await start_consultation(exchange, people, "+998901110006")
        await wait_for(lambda: phone.media.has_voice(OUTSIDE_PITCH))
        with exchange.connect_ami() as asterisk:
            room = {"Context": "conference", "Exten": "room", "Priority": "1"}
            extra = {f"Extra{key}": value for key, value in room.items()}
            employee = channel_names(exchange)["carrier"]
            asterisk.send_action(
                "Redirect", Channel=names["1001"], ExtraChannel=employee, **room, **extra
            )
            asterisk.send_action("Redirect", Channel=names["carrier"], **room)
        pitch = phone.media.pitch
        await wait_for(
            lambda: citizen.media.has_voice(pitch) and citizen.media.has_voice(OUTSIDE_PITCH)
        )
        await wait_for(
            lambda: phone.media.has_voice(CALLER_PITCH) and phone.media.has_voice(OUTSIDE_PITCH)
        )
        phone.hang_up()
        await wait_for(lambda: len(exchange.open_channels(begin)) == 2)
        assert citizen.state == "up"
        call_to_number(people, EMPLOYEE_NUMBER).hang_up()
        await wait_for(lambda: len(exchange.open_channels(begin)) == 1)
        citizen.media.press_keys("5")
        await wait_for(lambda: citizen.state == "over")

    assert play_scene(exchange, scene)[-2:] == [
        "TRANSFER_END result=answered returned=no",
        "RATING mark=5 operator=op01",
    ]


def test_a_supervisor_listens_whispers_and_barges_in(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        citizen, phone = await start_talk(people, "+998901110007")
        supervisor = operator_phone(people, "1002")

        def listeners() -> list[Call]:
            return [call for call in (phone, citizen) if call.media.has_voice(supervisor.pitch)]

        for mode, expected in (("listen", []), ("whisper", [phone]), ("barge", [phone, citizen])):
            with exchange.connect_ami() as asterisk:
                asterisk.send_action(
                    "Originate",
                    Channel="PJSIP/1002",
                    Context="spy",
                    Exten=mode,
                    Priority="1",
                    Variable=f"SPIED={channel_names(exchange)['1001']}",
                    Async="true",
                )
            await wait_for(
                lambda: (
                    supervisor.newest_call and supervisor.newest_call.media.has_voice(CALLER_PITCH)
                )
            )
            spying_call = supervisor.newest_call
            assert spying_call
            await keep_talking()  # by now the supervisor is audible where they can be
            await wait_for(lambda should=expected: listeners() == should)
            spying_call.hang_up()
            await wait_for(lambda call=spying_call: call.state == "over")
            supervisor.calls.clear()

    play_scene(exchange, scene)


def test_a_caller_requests_a_callback_and_is_first_when_called(exchange: Exchange) -> None:
    exchange.set_ready()

    async def scene(people: CallParties) -> None:
        citizen = people.call_hotline("", CALLER_PITCH)
        await wait_for(lambda: citizen.state == "up")
        citizen.media.press_keys("2")
        await wait_for(lambda: "QUEUE" in [e.type for e in exchange.logged_events()[-3:]])
        citizen.media.press_keys("9")
        await wait_for(lambda: "QUEUE_LEFT" in [e.type for e in exchange.logged_events()[-3:]])
        citizen.media.press_keys("901110008#")
        await wait_for(lambda: citizen.state == "over")

    assert play_scene(exchange, scene) == [
        "QUEUE queue=ru language=ru topic= why=first",
        "QUEUE_LEFT queue=ru status=CALLBACK",
        "CALLBACK number=+998901110008",
    ]
    exchange.set_ready("op02")

    async def callback_scene(people: CallParties) -> None:
        with exchange.connect_ami() as asterisk:
            asterisk.send_action(
                "Originate",
                Channel="Local/+998901110008@outgoing-machine/n",
                Context="callback",
                Exten="s",
                Priority="1",
                Variable="OUT_REASON=callback,OUT_FOR=7,SPOKEN=ru",
                Async="true",
            )
        phone = operator_phone(people, "1002")
        await wait_for(
            lambda: phone.newest_call and phone.newest_call.media.has_voice(OUTSIDE_PITCH)
        )
        assert phone.newest_call
        assert phone.newest_call.caller == "+998901110008"
        await keep_talking()
        next(iter(people.carrier.calls.values())).hang_up()

    assert play_scene(exchange, callback_scene)[:2] == [
        "OUTGOING number=+998901110008 by= reason=callback for=7 shown=1006",
        "QUEUE queue=ru language=ru topic= why=callback",
    ]


def test_topics_lead_to_their_operators_and_to_employees(exchange: Exchange) -> None:
    topics = (
        routing.Topic("1", "Ish", "Работа", "jobs", "own_queue"),
        routing.Topic("2", "Boshqa", "Другое"),
        routing.Topic("21", "Kadrlar", "Кадры", "staff", "employee", EMPLOYEE_NUMBER),
    )
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        first, second = (people.call_hotline(f"+99890111001{n}", CALLER_PITCH) for n in (1, 2))
        for citizen, keys in ((first, "1"), (second, "22")):
            await wait_for(lambda citizen=citizen: citizen.state == "up")
            citizen.media.press_keys("1")
            await listen_to_menu(2)
            citizen.media.press_keys(keys[0])
            if keys[1:]:
                await listen_to_menu(1.5)
                citizen.media.press_keys("1")
        await wait_for(lambda: second.media.has_voice(OUTSIDE_PITCH))
        await wait_for(lambda: first.media.has_voice(operator_phone(people).pitch))

    with exchange.changed_plan(topics=topics):
        lines = play_scene(exchange, scene)
    assert [line for line in lines if line.startswith(("TOPIC", "QUEUE ", "TRANSFER"))] == [
        "TOPIC topic=jobs",
        "QUEUE queue=uz-jobs language=uz topic=jobs why=first",
        "TOPIC topic=staff",
        f"TRANSFER kind=automatic to={EMPLOYEE_NUMBER} by=",
        "TRANSFER_END result=answered returned=no",
    ]


def test_a_phone_calls_out_over_the_next_trunk_when_the_first_is_dead(exchange: Exchange) -> None:
    dead = routing.Trunk("dead", address="127.0.0.1", port=9)
    working = dataclasses.replace(exchange.current_plan.trunks[0], style="national", shown="1007")
    routes = (routing.Route("+99871", ("dead", "carrier")), routing.Route("", ("dead",)))
    before_calls = len(exchange.logged_events("RECORDING"))

    async def scene(people: CallParties) -> None:
        call = operator_phone(people).dial_number("712000009")
        await wait_for(lambda: call.media.has_voice(OUTSIDE_PITCH))
        outside_call = next(iter(people.carrier.calls.values()))
        assert (outside_call.callee, outside_call.caller) == ("712000009", "1007")
        await keep_talking()
        outside_call.hang_up()
        await wait_for(lambda: call.state == "over")
        busy = operator_phone(people).dial_number("+998712000002")
        await wait_for(lambda: busy.state == "over")
        assert busy.status == 486
        nowhere = operator_phone(people).dial_number("+998901234567")
        await wait_for(lambda: nowhere.state == "over")

    with exchange.changed_plan(trunks=(dead, working), routes=routes):
        lines = play_scene(exchange, scene)
    assert lines == [
        "OUTGOING number=+998712000009 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "OUTGOING number=+998712000002 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
        "DIALLED trunk=carrier status=BUSY cause=17 technology=sip",
        "OUTGOING number=+998901234567 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
    ]
    file = exchange.logged_events("RECORDING")[before_calls]
    assert {OUTSIDE_PITCH, operator_pitch()} in [who for who, _ in exchange.recorded_voices(file)]


def operator_pitch() -> int:
    return tones.OPERATORS[0]


def test_blocked_anonymous_and_surplus_callers_are_refused_and_logged(exchange: Exchange) -> None:
    plan_changes = {
        "blocked": ("+998901110021",),
        "anonymous": "refuse",
        "trunks": (dataclasses.replace(exchange.current_plan.trunks[0], channels=1),),
    }
    begin = len(exchange.logged_events())

    async def scene(people: CallParties) -> None:
        for ended_count, number in enumerate(("+998901110021", "998901110021", ""), 1):
            call = people.call_hotline(number, CALLER_PITCH)
            await wait_for(lambda call=call: call.state == "over")
            await wait_for(
                lambda over=ended_count: len(exchange.event_lines(begin, "CHAN_END")) == over
            )
            assert call.status in (403, 603)
        first = people.call_hotline("+998901110022", CALLER_PITCH)
        await wait_for(lambda: first.state == "up")
        second = people.call_hotline("+998901110023", CALLER_PITCH)
        await wait_for(lambda: second.state == "over")
        assert second.status == 503

    with exchange.changed_plan(**plan_changes):
        lines = play_scene(exchange, scene)
    assert [line for line in lines if line.startswith("REFUSED")] == [
        "REFUSED why=blocked",
        "REFUSED why=blocked",
        "REFUSED why=anonymous",
        "REFUSED why=full",
    ]


def test_the_operator_of_the_last_talk_is_rung_first_then_all_operators(exchange: Exchange) -> None:
    exchange.set_ready("op01", "op02")
    number = "+998901110031"
    begin = len(exchange.logged_events())

    async def scene(people: CallParties) -> None:
        exchange.set_ready("op02")
        citizen, _ = await start_talk(people, number, "1002")
        citizen.hang_up()
        await wait_for(lambda: not exchange.open_channels(begin))
        exchange.set_ready("op01", "op02")
        former_operator = operator_phone(people, "1002")
        people.on_ring = lambda phone, call: (
            call.refuse_call(486) if phone is former_operator else call.pick_up()
        )
        await start_talk(people, number, "1001")
        assert len(former_operator.calls) == 2

    lines = play_scene(exchange, scene)
    assert [line for line in lines if line.startswith("QUEUE ")][1:] == [
        "QUEUE queue=op-1002 language=uz topic= why=first",
        "QUEUE queue=uz language=uz topic= why=overflow",
    ]


def test_a_message_precedes_the_queue_after_hours(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    today = clock.now().astimezone(exchange.settings.tz).date()
    names = {"name_uz_latn": "bayram", "name_uz_cyrl": "байрам"}
    CalendarDay.replace(date=today, working=False, kind="holiday", **names).execute()

    async def scene(people: CallParties) -> None:
        await start_talk(people, "+998901110041")

    with exchange.changed_plan(hours=routing.Hours(closed=True, holiday=True)):
        lines = play_scene(exchange, scene)
    CalendarDay.delete().where(CalendarDay.date == today).execute()
    assert lines[:2] == ["CLOSED message=holiday", "QUEUE queue=uz language=uz topic= why=first"]
