"""A phone in a page lost in a talk, with a real Asterisk and sound.

The caller gets music and then the same operator again. (The phones here use UDP: a phone counts as
a phone in a page because Asterisk has its RESUME_extension.)
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.models import Call, User
from appliance.pbx import actions, ami, phone_events
from appliance.pbx.log_follower import LogFollower
from appliance.people import presence
from appliance.sip import tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call as Leg
from tests.pbx.box import Box
from tests.pbx.telephones import Talk, Telephones
from tests.pbx.test_transfers import OPERATOR_COUNT, play_scenes, prepare_operators, run_action
from tests.pbx.test_transfers import site as site  # more operators, short prompts
from tests.rig.parties import Phone
from tests.rig.waiting import wait_for, wait_until

pytestmark = pytest.mark.calls
RESUME_SECONDS = 7  # seconds
SETTLE_SECONDS = 0.2  # seconds after which earlier sound has arrived
RATING_KEY = "5"


def prepare_page_phones(box: Box, count: int) -> None:
    """Make `count` operators ready, with their phones in pages."""
    prepare_operators(box, count)
    with ami.Connection(box.settings) as asterisk:
        for number in range(1, OPERATOR_COUNT + 1):
            name, value = f"RESUME_{1000 + number}", RESUME_SECONDS if number <= count else ""
            asterisk.send_action("Setvar", Variable=name, Value=value)


@contextlib.contextmanager
def follow_phone_events(box: Box) -> Iterator[None]:
    """Handle Asterisk's events as `appliance pbx` does."""
    stop = threading.Event()

    def handle_events() -> None:
        with (
            database.connection_context(),
            ami.Connection(box.settings, phone_events.EVENT_CLASSES) as asterisk,
        ):
            while not stop.is_set():
                if event := asterisk.next_event(0.1):
                    phone_events.resume_talk_or_pause_operator(box.settings, event)

    thread = threading.Thread(target=handle_events)
    thread.start()
    yield
    stop.set()
    thread.join()


async def leave_page(talk: Talk) -> float:
    """Leave the page of the talk's operator, which reports it; return the time."""
    at = time.time()
    await drop_leg(talk.telephones, talk.phone, talk.leg)
    return at


async def drop_leg(lines: Telephones, phone: Phone, leg: Leg) -> None:
    """Silence a phone's leg, and release it as soon as Asterisk has registered its answer."""
    leg.disconnect_silently()
    for _ in range(100):
        if await run_action(actions.resume_talk, lines.settings, phone.extension, leg.call_id):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never let go")


async def wait_for_return(talk: Talk, since: float) -> Leg:
    """Wait until the same operator has the caller again; print how long it took."""
    number = talk.leg.caller
    phone, leg = await talk.telephones.wait_for_answer(number, before=talk.leg)
    assert phone is talk.phone
    assert leg.invite
    assert leg.invite.get("x-hotline-resume") == "yes"
    await wait_for(
        lambda: is_heard_since_answer(leg, talk.citizen, phone), "the citizen hears the operator"
    )
    await talk.wait_for_voice(leg, talk.citizen.media.pitch, "the operator hears the citizen")
    silence = sum(length for at, length in talk.citizen.media.received.gaps if at > since)
    print(f"{number}: back after {(leg.up_at or 0) - since:.1f} s, {silence:.1f} s of silence")
    talk.leg = leg
    return leg


def is_heard_since_answer(leg: Leg, other: Leg, phone: Phone) -> bool:
    """Return True if the other end has received the phone's voice since this leg was answered."""
    samples = other.media.received.voices[-4:]
    return any(
        at > (leg.up_at or at) + SETTLE_SECONDS and phone.pitch in pitches
        for at, pitches in samples
    )


async def rate_talk(talk: Talk) -> None:
    """Hang up as the operator and rate the talk as the citizen."""
    talk.leg.hang_up()
    await wait_for_application(talk, "rating", "Read")
    talk.citizen.media.press_keys(RATING_KEY)
    await wait_for(lambda: talk.citizen.state == "over", "the call is over")


async def wait_for_application(talk: Talk, context: str, application: str) -> None:
    """Wait until a channel runs that application in that context of the dial plan."""
    for _ in range(600):
        if await run_action(_runs_application, talk.telephones.settings, context, application):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no channel runs {application} in {context}")


def _runs_application(settings: Settings, context: str, application: str) -> bool:
    with ami.Connection(settings) as asterisk:
        lines = actions.lines.ChannelSnapshot(asterisk).channels
    return any(
        (channel.context, channel.application) == (context, application) for channel in lines
    )


def ended_call(box: Box, number: str) -> Call:
    """Return the ledger's row of the call of that number, once the call has ended."""
    follower = LogFollower(box.settings)

    def read_ended_call() -> Call | None:
        follower.read_new_records()
        return Call.get_or_none(Call.caller == number, Call.ended_at.is_null(False))

    call = wait_until(read_ended_call)
    assert isinstance(call, Call)
    return call


def gap_seconds(call: Call) -> list[float]:
    return [
        (gap.ended_at - gap.started_at).total_seconds() for talk in call.talks for gap in talk.gaps
    ]


async def report_page_loss(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000101")
    presence.choose_state(talk.operator, "pause")
    await run_action(actions.apply_states, lines.settings)
    await wait_for_return(talk, await leave_page(talk))
    await rate_talk(talk)


async def report_page_loss_twice(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000102")
    await wait_for_return(talk, await leave_page(talk))
    await wait_for_return(talk, await leave_page(talk))
    talk.citizen.hang_up()
    await wait_for(lambda: talk.leg.state == "over", "the call is over")


async def register_elsewhere(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000103")
    since, desk = time.time(), talk.phone.agent
    talk.leg.disconnect_silently()
    async with Agent(f"{desk.host}2", desk.port, desk.box, desk.clock) as page:
        page.on_call, talk.phone.agent = desk.on_call, page
        await talk.phone.register_phone()
        await wait_for_return(talk, since)
        await rate_talk(talk)


async def fall_silent(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000104")
    since = time.time()
    talk.leg.disconnect_silently()
    await wait_for_return(talk, since)
    await rate_talk(talk)


async def return_late(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000105")
    talk.phone.is_dead = True
    since = await leave_page(talk)
    await talk.wait_for_voice(talk.citizen, tones.MUSIC, "the citizen hears music")
    await wait_for(lambda: time.time() > since + 3, "3 s are over")
    talk.phone.is_dead = False
    await wait_for_return(talk, since)
    await rate_talk(talk)


async def never_return(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000106")
    talk.phone.is_dead = True
    await leave_page(talk)
    phone, leg = await lines.wait_for_answer("+998901000106", before=talk.leg)
    assert phone is not talk.phone
    assert leg.invite
    assert not leg.invite.get("x-hotline-resume")
    await wait_for(
        lambda: is_heard_since_answer(leg, talk.citizen, phone), "he hears the other operator"
    )
    talk.citizen.hang_up()
    await wait_for(lambda: leg.state == "over", "the call is over")


async def hang_up_as_citizen(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000107")
    talk.phone.is_dead = True
    await leave_page(talk)
    await talk.wait_for_voice(talk.citizen, tones.MUSIC, "the citizen hears music")
    talk.citizen.hang_up()


async def lose_page_in_outbound_call(lines: Telephones) -> None:
    phone = lines.people.phone_by_extension("1008")
    assert phone
    operator = User.get(User.login == "op08")
    await run_action(actions.dial_number, lines.settings, operator, "+998712390191", "page")
    outside = await lines.wait_for_employee("0191")
    phone_leg = phone.newest_call
    assert phone_leg
    await wait_for(lambda: outside.media.has_voice(phone.pitch), "he hears the operator")
    for _ in range(2):
        await drop_leg(lines, phone, phone_leg)
        phone_leg = await wait_for(
            lambda last=phone_leg: _newer_leg(phone, last), "the page gets him again"
        )
        await wait_for(
            lambda leg=phone_leg: is_heard_since_answer(leg, outside, phone),
            "he hears the operator again",
        )
        assert outside.state == "up"
    phone_leg.hang_up()
    await wait_for(lambda: outside.state == "over", "the call is over")


def _newer_leg(phone: Phone, last: Leg) -> Leg | None:
    return (
        phone.newest_call
        if phone.newest_call is not last and phone.newest_call and phone.newest_call.state == "up"
        else None
    )


async def hang_up_outbound_call(lines: Telephones) -> None:
    phone = lines.people.phone_by_extension("1007")
    assert phone
    operator = User.get(User.login == "op07")
    await run_action(actions.dial_number, lines.settings, operator, "+998712390192", "page")
    outside = await lines.wait_for_employee("0192")
    await wait_for(lambda: outside.media.has_voice(phone.pitch), "he hears the operator")
    line = await run_action(actions.phone_line, lines.settings, "1007")
    await run_action(actions.hang_up_phone, lines.settings, line.call_id, "1007")
    await wait_for(lambda: outside.state == "over", "the call is over")


async def lose_page_after_consultation(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000131")
    lines.outside["0193"] = "busy"
    await run_action(actions.start_consultation, lines.settings, talk.operator, "+998712390193")
    await wait_for_application(talk, "joined", "Bridge")  # they speak again without a third party
    await wait_for_return(talk, await leave_page(talk))
    await rate_talk(talk)


async def lose_page_of_colleague(lines: Telephones) -> None:
    talk = await lines.start_talk("+998901000132")
    other = lines.people.phone_by_extension("1006")
    assert other
    await run_action(actions.transfer_blind, lines.settings, talk.operator, "1006")
    leg = await wait_for(
        lambda: (
            other.newest_call if other.newest_call and other.newest_call.state == "up" else None
        ),
        "taken",
    )
    await talk.wait_for_voice(talk.citizen, other.pitch, "the citizen hears the colleague")
    talk.phone, talk.leg = other, leg
    await wait_for_return(talk, await leave_page(talk))
    await rate_talk(talk)


def test_pages_lost_in_outbound_and_transferred_calls_are_resumed(box: Box) -> None:
    prepare_page_phones(box, 3)  # two of them speak Uzbek, one for each of the two citizens
    with ami.Connection(box.settings) as asterisk:
        for number in (6, 7, 8):
            asterisk.send_action("Setvar", Variable=f"RESUME_100{number}", Value=RESUME_SECONDS)
    play_scenes(
        *(box, lose_page_in_outbound_call, hang_up_outbound_call),
        *(lose_page_after_consultation, lose_page_of_colleague),
    )
    call = ended_call(box, "+998901000131")
    assert [talk.who for talk in call.talks] == [call.talks[0].who] * 2
    assert (len(gap_seconds(call)), call.rating) == (1, int(RATING_KEY))
    call = ended_call(box, "+998901000132")
    assert (len(call.talks), call.talks[1].who) == (2, "op06")
    assert (len(gap_seconds(call)), call.rating) == (1, int(RATING_KEY))
    out = wait_until(lambda: Call.get_or_none(Call.callee == "+998712390191"))
    assert (out.direction, out.outcome, len(out.talks), len(gap_seconds(out))) == (
        *("outbound", "answered", 1, 2),
    )
    assert out.ended_by == "operator"
    assert not list(out.visits)


def test_pages_lost_in_a_talk_are_resumed(box: Box) -> None:
    prepare_page_phones(box, 8)
    with follow_phone_events(box):
        play_scenes(
            *(box, report_page_loss, report_page_loss_twice, register_elsewhere, fall_silent),
            *(return_late, never_return, hang_up_as_citizen),
        )
    for end, (talks, count, ended_by) in {
        "101": (1, 1, "operator"),
        "102": (1, 2, "caller"),
        "103": (1, 1, "operator"),
        "104": (1, 1, "operator"),
        "105": (1, 1, "operator"),
        "106": (2, 1, "caller"),
        "107": (1, 1, "caller"),
    }.items():
        call = ended_call(box, f"+998901000{end}")
        assert (end, len(call.talks), len(gap_seconds(call)), call.ended_by) == (
            *(end, talks, count, ended_by),
        )
        assert call.outcome == "answered"
        assert call.rating == (int(RATING_KEY) if ended_by == "operator" else None)
        assert [visit.why for visit in call.visits] == ["first", "returned"][:talks]
        assert abs(
            call.talk_seconds + sum(gap_seconds(call)) - _first_talk_seconds(call)
        ) < 0.5 or end in (
            "106",
            "107",
        )


def _first_talk_seconds(call: Call) -> float:
    first, *_ = call.talks
    return (first.ended_at - first.started_at).total_seconds()


def test_a_waiting_caller_does_not_get_the_returning_page(box: Box) -> None:
    prepare_page_phones(box, 1)

    async def resume_while_caller_waits(lines: Telephones) -> None:
        talk = await lines.start_talk("+998901000111")
        other = lines.people.call_hotline("+998901000112", tones.CALLERS[-1])
        await wait_for(lambda: other.state == "up", "the hotline answers him")
        other.media.press_keys("1")
        await talk.wait_for_voice(other, tones.MUSIC, "he waits")
        for _ in range(3):
            await wait_for_return(talk, await leave_page(talk))
            assert not any(call.caller == "+998901000112" for call in talk.phone.calls)
        talk.leg.hang_up()
        await lines.wait_for_answer("+998901000112")
        other.hang_up()

    play_scenes(box, resume_while_caller_waits)
    assert ended_call(box, "+998901000111").talks.count() == 1


def test_a_leg_that_is_not_lost_is_not_released(box: Box) -> None:
    prepare_page_phones(box, 1)

    async def try_to_release(lines: Telephones) -> None:
        talk = await lines.start_talk("+998901000121")
        assert not await run_action(actions.resume_talk, lines.settings, talk.phone.extension)
        assert not await run_action(
            actions.resume_talk, lines.settings, talk.phone.extension, "another"
        )
        await talk.phone.register_phone()
        assert not await run_action(actions.resume_talk, lines.settings, talk.phone.extension)
        desk = talk.phone.agent  # on another computer, while the first one is in the talk
        async with Agent(f"{desk.host}3", desk.port, desk.box, desk.clock) as other:
            talk.phone.agent = other
            await talk.phone.register_phone()
            assert not await run_action(actions.resume_talk, lines.settings, talk.phone.extension)
            talk.phone.agent = desk
            await talk.phone.register_phone()
        assert not await run_action(actions.resume_talk, lines.settings, "")
        with ami.Connection(box.settings) as asterisk:
            asterisk.send_action("Setvar", Variable="RESUME_1001", Value="")
        session = talk.leg.call_id
        assert not await run_action(
            actions.resume_talk, lines.settings, talk.phone.extension, session
        )
        assert talk.leg.state == "up"
        talk.citizen.hang_up()

    play_scenes(box, try_to_release)
