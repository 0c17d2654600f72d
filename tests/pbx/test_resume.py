"""A phone in a page that is lost in a talk, by a real Asterisk with sound: the caller hears music
and gets the same operator back. (The phones here speak UDP: what makes one a phone in a page is
that Asterisk has its RESUME_extension.)"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from appliance.core.db import database
from appliance.models import Call, User
from appliance.pbx import actions, ami, phone_events
from appliance.pbx.follow import Follower
from appliance.people import presence
from appliance.sip import tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call as Leg
from tests.pbx.box import Box
from tests.pbx.telephones import Talk, Telephones, seen
from tests.pbx.test_transfers import OPERATORS, at_once, done, ready
from tests.pbx.test_transfers import site as site  # more operators, short prompts
from tests.rig.parties import Phone
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
RESUME = 7  # seconds
SETTLED = 0.2  # seconds: what was sent before has come by then
MARK = "5"


def in_pages(box: Box, count: int) -> None:
    """So many operators are ready, and their phones are in pages."""
    ready(box, count)
    with ami.Connection(box.settings) as asterisk:
        for number in range(1, OPERATORS + 1):
            name, value = f"RESUME_{1000 + number}", RESUME if number <= count else ""
            asterisk.act("Setvar", Variable=name, Value=value)


@contextlib.contextmanager
def heard(box: Box) -> Iterator[None]:
    """Somebody takes in what Asterisk tells, as `appliance pbx` does."""
    stop = threading.Event()

    def listen() -> None:
        with (
            database.connection_context(),
            ami.Connection(box.settings, phone_events.EVENTS) as asterisk,
        ):
            while not stop.is_set():
                if event := asterisk.next_event(0.1):
                    phone_events.handle(box.settings, event)

    thread = threading.Thread(target=listen)
    thread.start()
    yield
    stop.set()
    thread.join()


async def leaves(talk: Talk) -> float:
    """The page of a talk's operator is left, and says so; the moment."""
    at = time.time()
    await left(talk.telephones, talk.phone, talk.leg)
    return at


async def left(lines: Telephones, phone: Phone, leg: Leg) -> None:
    """A phone's leg falls silent, and is let go once Asterisk knows that it was taken up."""
    leg.die()
    for _ in range(100):
        if await done(actions.resume, lines.settings, phone.extension, leg.call_id):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never let go")


async def back(talk: Talk, since: float) -> Leg:
    """The same operator has the caller again. How long that took is printed."""
    number = talk.leg.caller
    phone, leg = await talk.telephones.taken(number, before=talk.leg)
    assert phone is talk.phone
    assert leg.invite
    assert leg.invite.get("x-hotline-resume") == "yes"
    await seen(lambda: hears_by(leg, talk.citizen, phone), "the citizen hears the operator")
    await talk.hears(leg, talk.citizen.media.pitch, "the operator hears the citizen")
    silence = sum(length for at, length in talk.citizen.media.flow.gaps if at > since)
    print(f"{number}: back after {(leg.up_at or 0) - since:.1f} s, {silence:.1f} s of silence")
    talk.leg = leg
    return leg


def hears_by(leg: Leg, other: Leg, phone: Phone) -> bool:
    """Whether the other end has heard the phone since this leg of it was taken up."""
    heard = other.media.flow.heard[-4:]
    return any(at > (leg.up_at or at) + SETTLED and phone.pitch in who for at, who in heard)


async def rated(talk: Talk) -> None:
    """The operator hangs up, the citizen gives a mark."""
    talk.leg.hang_up()
    await seen(lambda: _is_in(talk, "rating", "Read"), "he is asked for a mark")
    talk.citizen.media.press(MARK)
    await seen(lambda: talk.citizen.state == "over", "the call is over")


def _is_in(talk: Talk, context: str, application: str) -> bool:
    with ami.Connection(talk.telephones.settings) as asterisk:
        lines = actions.lines.Lines(asterisk).channels
    return any((one.context, one.application) == (context, application) for one in lines)


def told(box: Box, number: str) -> Call:
    """What the ledger says of the call of that number, once it is over."""
    follower = Follower(box.settings)

    def found() -> Call | None:
        follower.step()
        return Call.get_or_none(Call.caller == number, Call.ended_at.is_null(False))

    call = until(found)
    assert isinstance(call, Call)
    return call


def gaps(call: Call) -> list[float]:
    return [
        (gap.ended_at - gap.started_at).total_seconds() for talk in call.talks for gap in talk.gaps
    ]


async def tells_of_it(lines: Telephones) -> None:
    talk = await lines.talk("+998901000101")
    presence.choose_state(talk.operator, "pause")
    await done(actions.put_states_in_force, lines.settings)
    await back(talk, await leaves(talk))
    await rated(talk)


async def tells_of_it_twice(lines: Telephones) -> None:
    talk = await lines.talk("+998901000102")
    await back(talk, await leaves(talk))
    await back(talk, await leaves(talk))
    talk.citizen.hang_up()
    await seen(lambda: talk.leg.state == "over", "the call is over")


async def registers_elsewhere(lines: Telephones) -> None:
    talk = await lines.talk("+998901000103")
    since, desk = time.time(), talk.phone.agent
    talk.leg.die()
    async with Agent(f"{desk.host}2", desk.port, desk.box, desk.pump) as page:
        page.taken, talk.phone.agent = desk.taken, page
        await talk.phone.register()
        await back(talk, since)
        await rated(talk)


async def only_falls_silent(lines: Telephones) -> None:
    talk = await lines.talk("+998901000104")
    since = time.time()
    talk.leg.die()
    await back(talk, since)
    await rated(talk)


async def comes_back_late(lines: Telephones) -> None:
    talk = await lines.talk("+998901000105")
    talk.phone.is_off = True
    since = await leaves(talk)
    await talk.hears(talk.citizen, tones.MUSIC, "the citizen hears music")
    await seen(lambda: time.time() > since + 3, "3 s are over")
    talk.phone.is_off = False
    await back(talk, since)
    await rated(talk)


async def never_comes_back(lines: Telephones) -> None:
    talk = await lines.talk("+998901000106")
    talk.phone.is_off = True
    await leaves(talk)
    phone, leg = await lines.taken("+998901000106", before=talk.leg)
    assert phone is not talk.phone
    assert leg.invite
    assert not leg.invite.get("x-hotline-resume")
    await seen(lambda: hears_by(leg, talk.citizen, phone), "he hears the other operator")
    talk.citizen.hang_up()
    await seen(lambda: leg.state == "over", "the call is over")


async def the_citizen_leaves(lines: Telephones) -> None:
    talk = await lines.talk("+998901000107")
    talk.phone.is_off = True
    await leaves(talk)
    await talk.hears(talk.citizen, tones.MUSIC, "the citizen hears music")
    talk.citizen.hang_up()


async def of_a_call_out(lines: Telephones) -> None:
    phone = lines.people.by_extension("1008")
    assert phone
    operator = User.get(User.login == "op08")
    await done(actions.dial, lines.settings, operator, "+998712390191", "page")
    outside = await lines.employee("0191")
    mine = phone.call
    assert mine
    await seen(lambda: outside.media.hears(phone.pitch), "he hears the operator")
    for _ in range(2):
        await left(lines, phone, mine)
        mine = await seen(lambda last=mine: _newer(phone, last), "the page gets him again")
        await seen(lambda leg=mine: hears_by(leg, outside, phone), "he hears the operator again")
        assert outside.state == "up"
    mine.hang_up()
    await seen(lambda: outside.state == "over", "the call is over")


def _newer(phone: Phone, last: Leg) -> Leg | None:
    return (
        phone.call if phone.call is not last and phone.call and phone.call.state == "up" else None
    )


async def of_a_call_out_that_ends(lines: Telephones) -> None:
    phone = lines.people.by_extension("1007")
    assert phone
    operator = User.get(User.login == "op07")
    await done(actions.dial, lines.settings, operator, "+998712390192", "page")
    outside = await lines.employee("0192")
    await seen(lambda: outside.media.hears(phone.pitch), "he hears the operator")
    line = await done(actions.line, lines.settings, "1007")
    await done(actions.hang_up, lines.settings, line.call_id, "1007")
    await seen(lambda: outside.state == "over", "the call is over")


async def after_a_word_with_somebody(lines: Telephones) -> None:
    talk = await lines.talk("+998901000131")
    lines.outside["0193"] = "busy"
    await done(actions.consult, lines.settings, talk.operator, "+998712390193")
    await seen(lambda: _is_in(talk, "joined", "Bridge"), "they speak again by themselves")
    await back(talk, await leaves(talk))
    await rated(talk)


async def of_a_colleague(lines: Telephones) -> None:
    talk = await lines.talk("+998901000132")
    other = lines.people.by_extension("1006")
    assert other
    await done(actions.blind, lines.settings, talk.operator, "1006")
    leg = await seen(
        lambda: other.call if other.call and other.call.state == "up" else None, "taken"
    )
    await talk.hears(talk.citizen, other.pitch, "the citizen hears the colleague")
    talk.phone, talk.leg = other, leg
    await back(talk, await leaves(talk))
    await rated(talk)


def test_pages_that_are_lost_in_other_talks(box: Box) -> None:
    in_pages(box, 2)
    with ami.Connection(box.settings) as asterisk:
        for number in (6, 7, 8):
            asterisk.act("Setvar", Variable=f"RESUME_100{number}", Value=RESUME)
    at_once(
        *(box, of_a_call_out, of_a_call_out_that_ends),
        *(after_a_word_with_somebody, of_a_colleague),
    )
    call = told(box, "+998901000131")
    assert [talk.who for talk in call.talks] == [call.talks[0].who] * 2
    assert (len(gaps(call)), call.rating) == (1, int(MARK))
    call = told(box, "+998901000132")
    assert (len(call.talks), call.talks[1].who) == (2, "op06")
    assert (len(gaps(call)), call.rating) == (1, int(MARK))
    out = until(lambda: Call.get_or_none(Call.callee == "+998712390191"))
    assert (out.direction, out.outcome, len(out.talks), len(gaps(out))) == (
        *("outbound", "answered", 1, 2),
    )
    assert out.ended_by == "operator"
    assert not list(out.visits)


def test_pages_that_are_lost(box: Box) -> None:
    in_pages(box, 8)
    with heard(box):
        at_once(
            *(box, tells_of_it, tells_of_it_twice, registers_elsewhere, only_falls_silent),
            *(comes_back_late, never_comes_back, the_citizen_leaves),
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
        call = told(box, f"+998901000{end}")
        assert (end, len(call.talks), len(gaps(call)), call.ended_by) == (
            *(end, talks, count, ended_by),
        )
        assert call.outcome == "answered"
        assert call.rating == (int(MARK) if ended_by == "operator" else None)
        assert [visit.why for visit in call.visits] == ["first", "returned"][:talks]
        assert abs(call.talk_seconds + sum(gaps(call)) - _whole(call)) < 0.5 or end in (
            "106",
            "107",
        )


def _whole(call: Call) -> float:
    first, *_ = call.talks
    return (first.ended_at - first.started_at).total_seconds()


def test_whoever_waits_does_not_get_the_page_that_comes_back(box: Box) -> None:
    in_pages(box, 1)

    async def one_waits(lines: Telephones) -> None:
        talk = await lines.talk("+998901000111")
        other = lines.people.call("+998901000112", tones.CALLERS[-1])
        await seen(lambda: other.state == "up", "the hotline answers him")
        other.media.press("1")
        await talk.hears(other, tones.MUSIC, "he waits")
        for _ in range(3):
            await back(talk, await leaves(talk))
            assert not any(call.caller == "+998901000112" for call in talk.phone.calls)
        talk.leg.hang_up()
        await lines.taken("+998901000112")
        other.hang_up()

    at_once(box, one_waits)
    assert told(box, "+998901000111").talks.count() == 1


def test_nothing_is_let_go_that_is_not_lost(box: Box) -> None:
    in_pages(box, 1)

    async def speaks(lines: Telephones) -> None:
        talk = await lines.talk("+998901000121")
        assert not await done(actions.resume, lines.settings, talk.phone.extension)
        assert not await done(actions.resume, lines.settings, talk.phone.extension, "another")
        await talk.phone.register()
        assert not await done(actions.resume, lines.settings, talk.phone.extension)
        desk = talk.phone.agent  # on another computer, while the first one speaks
        async with Agent(f"{desk.host}3", desk.port, desk.box, desk.pump) as other:
            talk.phone.agent = other
            await talk.phone.register()
            assert not await done(actions.resume, lines.settings, talk.phone.extension)
            talk.phone.agent = desk
            await talk.phone.register()
        assert not await done(actions.resume, lines.settings, "")
        with ami.Connection(box.settings) as asterisk:
            asterisk.act("Setvar", Variable="RESUME_1001", Value="")
        session = talk.leg.call_id
        assert not await done(actions.resume, lines.settings, talk.phone.extension, session)
        assert talk.leg.state == "up"
        talk.citizen.hang_up()

    at_once(box, speaks)
