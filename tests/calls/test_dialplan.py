"""The dialplan alone, none of our processes running: real calls with sound, branch by branch."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.core import clock
from appliance.models import CalendarDay
from appliance.sip import tones
from appliance.sip.call import Call
from appliance.telephony import routing
from appliance.telephony.recordings import reserve
from tests.calls.exchange import Exchange, running, sure
from tests.calls.scene import BUSY, CALLER, EMPLOYEE, OUTSIDE, call_to, operator, play, refer, talk
from tests.rig.parties import People

pytestmark = pytest.mark.calls


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange"), migrated) as made:
        yield made


def test_a_blind_transfer_is_recorded_with_both_voices_and_rated(exchange: Exchange) -> None:
    exchange.ready("op01")
    before = len(exchange.events("RECORDING"))
    begin = len(exchange.events())

    async def scene(people: People) -> None:
        citizen, phone = await talk(people, "+998901110001")
        assert await phone.refer(EMPLOYEE) == 202
        await sure(lambda: citizen.media.hears(OUTSIDE))
        await asyncio.sleep(1.5)
        call_to(people, EMPLOYEE).hang_up()
        await sure(lambda: len(exchange.alive(begin)) == 1)
        citizen.media.press("4")
        await sure(lambda: citizen.state == "over")

    told = play(exchange, scene)
    assert told == [
        "QUEUE queue=uz language=uz topic= why=first",
        f"TRANSFER kind=blind to={EMPLOYEE} by=op01",
        "TRANSFER_END result=answered returned=no",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "RATING mark=4 operator=op01",
    ]
    files = exchange.events("RECORDING")[before:]
    assert {OUTSIDE, CALLER} in [who for who, _ in exchange.heard(files[-1])]


def test_on_a_full_disk_calls_go_on_unrecorded(exchange: Exchange) -> None:
    exchange.ready("op01")
    before = len(exchange.events("RECORDING"))
    reserve.mark(exchange.settings).touch()

    async def scene(people: People) -> None:
        await talk(people, "+998901110003")

    try:
        play(exchange, scene)
    finally:
        reserve.mark(exchange.settings).unlink()
    [told] = exchange.events("RECORDING")[before:]
    assert not (exchange.settings.paths.recordings / told.extra["file"]).exists()


def test_an_employee_who_is_busy_gives_the_caller_back_to_his_operator(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        _citizen, phone = await talk(people, "+998901110002")
        (await refer(exchange, people, phone, BUSY)).refuse(486)
        again = operator(people)
        await sure(lambda: len(again.calls) == 2 and again.call.media.hears(CALLER))

    assert play(exchange, scene)[1:5] == [
        f"TRANSFER kind=blind to={BUSY} by=op01",
        "DIALLED trunk=carrier status=BUSY cause=17 technology=sip",
        "TRANSFER_END result=busy returned=yes",
        "QUEUE queue=op-1001 language=uz topic= why=returned",
    ]


async def consult(
    exchange: Exchange, people: People, number: str
) -> tuple[Call, Call, dict[str, str]]:
    """A citizen's operator asks somebody, as the page does it; channel names by whose they are."""
    citizen, phone = await talk(people, number)
    names = channels(exchange)
    with exchange.asterisk() as asterisk:
        own, caller = names["1001"], names["carrier"]
        asterisk.act("Setvar", Channel=own, Variable="HELD", Value=caller)
        asterisk.act(
            "Redirect",
            **{"Channel": caller, "Context": "held", "Exten": own, "Priority": "1"},
            **{"ExtraChannel": own, "ExtraContext": "consult", "ExtraExten": EMPLOYEE},
            ExtraPriority="1",
        )
    return citizen, phone, names


def channels(exchange: Exchange) -> dict[str, str]:
    """Endpoint → name of its channel; the newest."""
    with exchange.asterisk() as asterisk:
        names = [
            event["Channel"]
            for event in asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        ]
    return {name.split("/")[1].rpartition("-")[0]: name for name in sorted(names)}


def test_a_consultation_ends_in_a_talk_of_caller_and_employee(exchange: Exchange) -> None:
    exchange.ready("op01")
    before = len(exchange.events("RECORDING"))

    async def scene(people: People) -> None:
        citizen, phone, names = await consult(exchange, people, "+998901110003")
        await sure(lambda: phone.media.hears(OUTSIDE))
        assert not citizen.media.hears(OUTSIDE)
        with exchange.asterisk() as asterisk:
            asterisk.act("Setvar", Channel=names["1001"], Variable="JOINED", Value="yes")
            other = {"Context": "joined", "Exten": channels(exchange)["carrier"], "Priority": "1"}
            asterisk.act("Redirect", Channel=names["carrier"], **other)
        await sure(lambda: citizen.media.hears(OUTSIDE) and phone.state == "over")
        await asyncio.sleep(1.5)

    assert play(exchange, scene)[1:] == [
        f"TRANSFER kind=attended to={EMPLOYEE} by=op01",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "TRANSFER_END result=answered returned=no",
    ]
    files = exchange.events("RECORDING")[before:]
    assert {OUTSIDE, CALLER} in [who for who, _ in exchange.heard(files[-1])]


def test_after_a_consultation_the_operator_has_his_caller_again(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        citizen, phone, _ = await consult(exchange, people, "+998901110004")
        await sure(lambda: phone.media.hears(OUTSIDE))
        ends = len(exchange.events("TRANSFER_END"))
        call_to(people, EMPLOYEE).hang_up()
        await sure(lambda: len(exchange.events("TRANSFER_END")) > ends)
        await asyncio.sleep(1.5)
        await sure(lambda: citizen.media.hears(phone.media.pitch) and phone.media.hears(CALLER))

    assert play(exchange, scene)[1:] == [
        f"TRANSFER kind=attended to={EMPLOYEE} by=op01",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "TRANSFER_END result=answered returned=yes",
    ]


def test_a_caller_whose_operator_left_goes_to_the_next(exchange: Exchange) -> None:
    exchange.ready("op01", "op02")

    async def scene(people: People) -> None:
        exchange.ready("op01")
        citizen, phone, _ = await consult(exchange, people, "+998901110005")
        await sure(lambda: phone.media.hears(OUTSIDE))
        exchange.ready("op02")
        phone.hang_up()
        await sure(lambda: citizen.media.hears(operator(people, "1002").pitch))

    told = play(exchange, scene)
    assert told[-2:] == [
        "TRANSFER_END result=failed returned=yes",
        "QUEUE queue=uz language=uz topic= why=returned",
    ]


def test_three_speak_until_the_last_of_ours_leaves(exchange: Exchange) -> None:
    exchange.ready("op01")
    begin = len(exchange.events())

    async def scene(people: People) -> None:
        citizen, phone, names = await consult(exchange, people, "+998901110006")
        await sure(lambda: phone.media.hears(OUTSIDE))
        with exchange.asterisk() as asterisk:
            room = {"Context": "conference", "Exten": "room", "Priority": "1"}
            extra = {f"Extra{key}": value for key, value in room.items()}
            employee = channels(exchange)["carrier"]
            asterisk.act("Redirect", Channel=names["1001"], ExtraChannel=employee, **room, **extra)
            asterisk.act("Redirect", Channel=names["carrier"], **room)
        pitch = phone.media.pitch
        await sure(lambda: citizen.media.hears(pitch) and citizen.media.hears(OUTSIDE))
        await sure(lambda: phone.media.hears(CALLER) and phone.media.hears(OUTSIDE))
        phone.hang_up()
        await sure(lambda: len(exchange.alive(begin)) == 2)
        assert citizen.state == "up"
        call_to(people, EMPLOYEE).hang_up()
        await sure(lambda: len(exchange.alive(begin)) == 1)
        citizen.media.press("5")
        await sure(lambda: citizen.state == "over")

    assert play(exchange, scene)[-2:] == [
        "TRANSFER_END result=answered returned=no",
        "RATING mark=5 operator=op01",
    ]


def test_a_supervisor_hears_whispers_and_speaks(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        citizen, phone = await talk(people, "+998901110007")
        chief = operator(people, "1002")

        def hear() -> list[Call]:
            return [call for call in (phone, citizen) if call.media.hears(chief.pitch)]

        for mode, should in (("listen", []), ("whisper", [phone]), ("barge", [phone, citizen])):
            with exchange.asterisk() as asterisk:
                asterisk.act(
                    "Originate",
                    Channel="PJSIP/1002",
                    Context="spy",
                    Exten=mode,
                    Priority="1",
                    Variable=f"SPIED={channels(exchange)['1001']}",
                    Async="true",
                )
            await sure(lambda: chief.call and chief.call.media.hears(CALLER))
            assert chief.call
            await asyncio.sleep(1.5)
            await sure(lambda should=should: hear() == should)
            chief.call.hang_up()
            await asyncio.sleep(0.2)
            chief.calls.clear()

    play(exchange, scene)


def test_a_caller_asks_to_be_called_back_and_is_first_then(exchange: Exchange) -> None:
    exchange.ready()

    async def scene(people: People) -> None:
        citizen = people.call("", CALLER)
        await sure(lambda: citizen.state == "up")
        citizen.media.press("2")
        await sure(lambda: "QUEUE" in [e.type for e in exchange.events()[-3:]])
        citizen.media.press("9")
        await asyncio.sleep(1)
        citizen.media.press("901110008#")
        await sure(lambda: citizen.state == "over")

    assert play(exchange, scene) == [
        "QUEUE queue=ru language=ru topic= why=first",
        "QUEUE_LEFT queue=ru status=CALLBACK",
        "CALLBACK number=+998901110008",
    ]
    exchange.ready("op02")

    async def back(people: People) -> None:
        with exchange.asterisk() as asterisk:
            asterisk.act(
                "Originate",
                Channel="Local/+998901110008@outgoing-machine/n",
                Context="callback",
                Exten="s",
                Priority="1",
                Variable="OUT_REASON=callback,OUT_FOR=7,SPOKEN=ru",
                Async="true",
            )
        phone = operator(people, "1002")
        await sure(lambda: phone.call and phone.call.media.hears(OUTSIDE))
        assert phone.call
        assert phone.call.caller == "+998901110008"
        await asyncio.sleep(1.5)
        next(iter(people.carrier.calls.values())).hang_up()

    assert play(exchange, back)[:2] == [
        "OUTGOING number=+998901110008 by= reason=callback for=7 shown=1006",
        "QUEUE queue=ru language=ru topic= why=callback",
    ]


@contextmanager
def changed(exchange: Exchange, **values: object) -> Iterator[None]:
    """The plan in force with some of its parts replaced."""
    before = exchange.plan
    exchange.install(dataclasses.replace(before, **values))  # type: ignore[arg-type]
    try:
        yield
    finally:
        exchange.install(before)


def test_topics_lead_to_their_operators_and_to_employees(exchange: Exchange) -> None:
    topics = (
        routing.Topic("1", "Ish", "Работа", "jobs", "own_queue"),
        routing.Topic("2", "Boshqa", "Другое"),
        routing.Topic("21", "Kadrlar", "Кадры", "staff", "employee", EMPLOYEE),
    )
    exchange.ready("op01")

    async def scene(people: People) -> None:
        first, second = (people.call(f"+99890111001{n}", CALLER) for n in (1, 2))
        for citizen, keys in ((first, "1"), (second, "22")):
            await sure(lambda citizen=citizen: citizen.state == "up")
            citizen.media.press("1")
            await asyncio.sleep(2)
            citizen.media.press(keys[0])
            if keys[1:]:
                await asyncio.sleep(1.5)
                citizen.media.press("1")
        await sure(lambda: second.media.hears(OUTSIDE))
        await sure(lambda: first.media.hears(operator(people).pitch))

    with changed(exchange, topics=topics):
        told = play(exchange, scene)
    assert [line for line in told if line.startswith(("TOPIC", "QUEUE ", "TRANSFER"))] == [
        "TOPIC topic=jobs",
        "QUEUE queue=uz-jobs language=uz topic=jobs why=first",
        "TOPIC topic=staff",
        f"TRANSFER kind=automatic to={EMPLOYEE} by=",
        "TRANSFER_END result=answered returned=no",
    ]


def test_a_phone_calls_out_over_the_next_trunk_when_the_first_is_dead(exchange: Exchange) -> None:
    dead = routing.Trunk("dead", address="127.0.0.1", port=9)
    own = dataclasses.replace(exchange.plan.trunks[0], style="national", shown="1007")
    routes = (routing.Route("+99871", ("dead", "carrier")), routing.Route("", ("dead",)))
    before_calls = len(exchange.events("RECORDING"))

    async def scene(people: People) -> None:
        call = operator(people).dial("712000009")
        await sure(lambda: call.media.hears(OUTSIDE))
        theirs = next(iter(people.carrier.calls.values()))
        assert (theirs.called, theirs.caller) == ("712000009", "1007")
        await asyncio.sleep(1.5)
        theirs.hang_up()
        await sure(lambda: call.state == "over")
        busy = operator(people).dial("+998712000002")
        await sure(lambda: busy.state == "over")
        assert busy.status == 486
        nowhere = operator(people).dial("+998901234567")
        await sure(lambda: nowhere.state == "over")

    with changed(exchange, trunks=(dead, own), routes=routes):
        told = play(exchange, scene)
    assert told == [
        "OUTGOING number=+998712000009 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip",
        "OUTGOING number=+998712000002 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
        "DIALLED trunk=carrier status=BUSY cause=17 technology=sip",
        "OUTGOING number=+998901234567 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=dead status=CHANUNAVAIL cause=18 technology=sip",
    ]
    file = exchange.events("RECORDING")[before_calls]
    assert {OUTSIDE, operator_pitch()} in [who for who, _ in exchange.heard(file)]


def operator_pitch() -> int:
    return tones.OPERATORS[0]


def test_who_is_blocked_hidden_or_too_many_is_refused_with_a_trace(exchange: Exchange) -> None:
    refused = {
        "blocked": ("+998901110021",),
        "anonymous": "refuse",
        "trunks": (dataclasses.replace(exchange.plan.trunks[0], channels=1),),
    }
    begin = len(exchange.events())

    async def scene(people: People) -> None:
        for over, number in enumerate(("+998901110021", "998901110021", ""), 1):
            call = people.call(number, CALLER)
            await sure(lambda call=call: call.state == "over")
            await sure(lambda over=over: len(exchange.told(begin, "CHAN_END")) == over)
            assert call.status in (403, 603)
        first = people.call("+998901110022", CALLER)
        await sure(lambda: first.state == "up")
        second = people.call("+998901110023", CALLER)
        await sure(lambda: second.state == "over")
        assert second.status == 503

    with changed(exchange, **refused):
        told = play(exchange, scene)
    assert [line for line in told if line.startswith("REFUSED")] == [
        "REFUSED why=blocked",
        "REFUSED why=blocked",
        "REFUSED why=anonymous",
        "REFUSED why=full",
    ]


def test_the_operator_of_last_time_is_rung_first_and_then_everybody(exchange: Exchange) -> None:
    exchange.ready("op01", "op02")
    number = "+998901110031"
    begin = len(exchange.events())

    async def scene(people: People) -> None:
        exchange.ready("op02")
        citizen, _ = await talk(people, number, "1002")
        citizen.hang_up()
        await sure(lambda: not exchange.alive(begin))
        exchange.ready("op01", "op02")
        rung = operator(people, "1002")
        people.rings = lambda phone, call: call.refuse(486) if phone is rung else call.pick_up()
        await talk(people, number, "1001")
        assert len(rung.calls) == 2

    told = play(exchange, scene)
    assert [line for line in told if line.startswith("QUEUE ")][1:] == [
        "QUEUE queue=op-1002 language=uz topic= why=first",
        "QUEUE queue=uz language=uz topic= why=overflow",
    ]


def test_after_hours_a_message_comes_before_the_queue(exchange: Exchange) -> None:
    exchange.ready("op01")
    today = clock.now().astimezone(exchange.settings.tz).date()
    names = {"name_uz_latn": "bayram", "name_uz_cyrl": "байрам"}
    CalendarDay.replace(date=today, working=False, kind="holiday", **names).execute()

    async def scene(people: People) -> None:
        await talk(people, "+998901110041")

    with changed(exchange, hours=routing.Hours(closed=True, holiday=True)):
        told = play(exchange, scene)
    CalendarDay.delete().where(CalendarDay.date == today).execute()
    assert told[:2] == ["CLOSED message=holiday", "QUEUE queue=uz language=uz topic= why=first"]
