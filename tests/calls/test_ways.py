"""What carriers and telephones do beyond the plain call, against the real dialplan."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Headers, Message
from tests.calls.exchange import Exchange, running, sure
from tests.calls.scene import CALLER, EMPLOYEE, OUTSIDE, operator, play, refer, talk
from tests.rig.parties import People

pytestmark = pytest.mark.calls
ELSEWHERE = "+998935550000"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange"), migrated) as made:
        yield made


def moved(call: Call) -> None:
    """Answer 302: call there instead."""
    call.contact = f"<sip:{ELSEWHERE}@{call.agent.host}>"
    call.refuse(302)


def announced(call: Call) -> None:
    """Answer 183 with a voice."""
    call.media.pitch = OUTSIDE
    call.announce()


def arrive(people: People, caller: str, more: Headers = ()) -> Call:
    """A call whose From is written as given."""
    call = people.carrier.call("x", "1006", CALLER)
    call.ours = f"<{caller}>;tag={secrets.token_hex(4)}"
    call.start(more)
    return call


async def ask(call: Call, method: str, kind: str, body: str) -> int:
    """A request with a body within a call; the final status."""
    done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    branch = message.new_branch()

    def told(said: Message) -> None:
        if said.status >= 200 and not done.done():
            if method == "INVITE":
                call.agent.send(call._plain_ack(said))
            done.set_result(said)

    data = call._request(method, branch, [("Content-Type", kind)], body)
    if method == "INVITE":
        call.whole_data = data
    call.agent.ask(branch, method, data, told)
    return (await done).status


def test_a_phone_that_is_sent_on_takes_no_citizen_outside(exchange: Exchange) -> None:
    exchange.ready("op01")
    outside: list[str] = []

    async def scene(people: People) -> None:
        second = operator(people, "1002")
        people.rings = lambda phone, call: call.pick_up() if phone is second else moved(call)
        people.dialled = lambda call: outside.append(call.called)
        citizen = people.call("+998901110030", CALLER)
        await sure(lambda: citizen.state == "up")
        citizen.media.press("1")
        await sure(lambda: operator(people).call and operator(people).call.state == "over")
        exchange.ready("op02")
        await sure(lambda: second.call and second.call.media.hears(CALLER))

    play(exchange, scene)
    assert outside == []


@pytest.mark.parametrize("rings", [False, True])
def test_a_carrier_that_sends_a_call_on_has_not_carried_it(exchange: Exchange, rings: bool) -> None:
    exchange.ready("op01")

    def sent_on(call: Call) -> None:
        if rings:
            call.ring()
        moved(call)

    async def scene(people: People) -> None:
        people.dialled = sent_on
        call = operator(people).dial("+998712000009")
        await sure(lambda: call.state == "over")
        assert call.status >= 400

    begin = len(exchange.events("ARRIVED"))
    assert play(exchange, scene) == [
        "OUTGOING number=+998712000009 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=carrier status=CHANUNAVAIL cause=23 technology=sip",
    ]
    assert exchange.events("ARRIVED")[begin:] == []


def test_a_transfer_that_is_sent_on_gives_the_caller_back(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        _citizen, phone = await talk(people, "+998901110031")
        moved(await refer(exchange, people, phone, EMPLOYEE))
        again = operator(people)
        await sure(lambda: len(again.calls) == 2 and again.call.media.hears(CALLER))

    assert play(exchange, scene)[1:5] == [
        f"TRANSFER kind=blind to={EMPLOYEE} by=op01",
        "DIALLED trunk=carrier status=CHANUNAVAIL cause=23 technology=sip",
        "TRANSFER_END result=failed returned=yes",
        "QUEUE queue=op-1001 language=uz topic= why=returned",
    ]


@pytest.mark.parametrize(
    ("caller", "more", "number", "diverted"),
    [
        ("tel:+998901110041", [], "+998901110041", ""),
        ("sip:901110041@x;user=phone", [], "+998901110041", ""),
        ("sip:998901110041;phone-context=uz@x", [], "+998901110041", ""),
        (
            "sip:+998901110041@x",
            [
                ("Diversion", "<sip:+998711000002@x>;reason=unconditional;counter=1"),
                ("Diversion", "<sip:+998712000000@x>;reason=no-answer;counter=2;privacy=off"),
            ],
            "+998901110041",
            "+998712000000",
        ),
        (
            "sip:+998901110041@x",
            [("Diversion", "<tel:+998712000000>;reason=unconditional")],
            "+998901110041",
            "+998712000000",
        ),
        (
            "sip:+998901110041@x",
            [
                (
                    "History-Info",
                    "<sip:+998712000000@x>;index=1,"
                    "<sip:+998711000002@x?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1",
                )
            ],
            "+998901110041",
            "+998712000000",
        ),
        (
            "sip:+998901110041@x",
            [("P-Called-Party-ID", '"17" <tel:+998712000000;cpc=ordinary>')],
            "+998901110041",
            "+998712000000",
        ),
    ],
)
def test_who_calls_and_what_was_dialled(
    exchange: Exchange, caller: str, more: Headers, number: str, diverted: str
) -> None:
    async def scene(people: People) -> None:
        call = arrive(people, caller, more)
        await sure(lambda: call.state == "up")

    begin = len(exchange.events("ARRIVED"))
    play(exchange, scene)
    (arrived,) = exchange.events("ARRIVED")[begin:]
    assert arrived.extra["caller"] == number
    assert arrived.extra["diverted"] == diverted


def test_a_carrier_with_session_timers_is_answered(exchange: Exchange) -> None:
    timers = [
        ("Supported", "timer,100rel"),
        ("Session-Expires", "90;refresher=uac"),
        ("Min-SE", "90"),
    ]

    async def scene(people: People) -> None:
        call = arrive(people, "sip:+998901110042@x", timers)
        await sure(lambda: call.state == "up")
        assert await call.hold(False) == 200  # a refresh

    play(exchange, scene)


def test_reliable_ringing_that_a_carrier_requires(exchange: Exchange) -> None:
    async def scene(people: People) -> None:
        call = arrive(people, "sip:+998901110043@x", [("Require", "100rel")])
        await sure(lambda: call.state in ("up", "over"))
        assert call.state == "up"

    play(exchange, scene)


def test_keys_by_info(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        citizen = people.call("+998901110044", CALLER)
        await sure(lambda: citizen.state == "up")
        for kind, body in (("application/dtmf-relay", "Signal=2\r\nDuration=160\r\n"),):
            assert await ask(citizen, "INFO", kind, body) == 200
        await sure(lambda: operator(people).call and operator(people).call.media.hears(CALLER))

    assert play(exchange, scene)[0] == "QUEUE queue=ru language=ru topic= why=first"


def test_a_fax_offered_in_the_talk_is_refused_and_the_talk_goes_on(exchange: Exchange) -> None:
    exchange.ready("op01")
    fax = (
        "v=0\r\no=- 1 2 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\n"
        "m=image 40002 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    )

    async def scene(people: People) -> None:
        citizen, phone = await talk(people, "+998901110045")
        body = fax.format(people.carrier.host)
        assert await ask(citizen, "INVITE", "application/sdp", body) in (415, 488, 606)
        heard = len(phone.media.flow.heard)
        await sure(
            lambda: (
                any(CALLER in who for _, who in phone.media.flow.heard[heard + 1 :])
                and citizen.state == "up"
            )
        )

    play(exchange, scene)


def test_a_carriers_announcement_is_heard_before_the_answer(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        people.dialled = announced
        call = operator(people).dial("+998712000010")
        await sure(lambda: call.media.hears(OUTSIDE))
        assert call.state == "ringing"
        next(iter(people.carrier.calls.values())).refuse(404)
        await sure(lambda: call.state == "over")

    assert play(exchange, scene)[1:] == [
        "DIALLED trunk=carrier status=CHANUNAVAIL cause=1 technology=sip"
    ]


def test_a_talk_announced_first_is_answered_later(exchange: Exchange) -> None:
    exchange.ready("op01")

    async def scene(people: People) -> None:
        people.dialled = announced
        call = operator(people).dial("+998712000011")
        await sure(lambda: call.media.hears(OUTSIDE))
        theirs = next(iter(people.carrier.calls.values()))
        theirs.pick_up()
        await sure(lambda: call.state == "up" and theirs.media.hears(operator(people).pitch))
        theirs.hang_up()
        await sure(lambda: call.state == "over")

    assert play(exchange, scene)[1:] == [
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip"
    ]
