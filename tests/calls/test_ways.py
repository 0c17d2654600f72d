"""What carriers and telephones do beyond the plain call, against the real dialplan."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.sip import message
from appliance.sip.call import Call
from appliance.sip.message import Headers, Message
from appliance.telephony import routing
from tests.calls.exchange import Exchange, running_exchange
from tests.calls.scene import (
    CALLER_PITCH,
    EMPLOYEE_NUMBER,
    OUTSIDE_PITCH,
    operator_phone,
    play_scene,
    refer_caller,
    start_talk,
    wait_for_return,
)
from tests.rig.parties import CallParties
from tests.rig.waiting import wait_for

pytestmark = pytest.mark.calls
OTHER_NUMBER = "+998935550000"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    with running_exchange(tmp_path_factory.mktemp("exchange"), migrated) as site_exchange:
        yield site_exchange


def redirect_call(call: Call) -> None:
    """Answer 302: the caller is to call `OTHER_NUMBER` instead."""
    call.contact = f"<sip:{OTHER_NUMBER}@{call.agent.host}>"
    call.refuse_call(302)


def announce_call(call: Call) -> None:
    """Answer 183 with a voice."""
    call.media.pitch = OUTSIDE_PITCH
    call.start_early_media()


def start_call(people: CallParties, caller: str, extra_headers: Headers = ()) -> Call:
    """Start a call to the hotline whose From header is `caller` as given."""
    call = people.carrier.create_call("x", "1006", CALLER_PITCH)
    call.local_party = f"<{caller}>;tag={secrets.token_hex(4)}"
    call.send_invite(extra_headers)
    return call


async def send_request(call: Call, method: str, kind: str, body: str) -> int:
    """Send a request with a body within a call; return the final status."""
    final_response: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    branch = message.new_branch()

    def handle_response(response: Message) -> None:
        if response.status >= 200 and not final_response.done():
            if method == "INVITE":
                call.agent.send_datagram(call._failure_ack(response))
            final_response.set_result(response)

    data = call._next_request(method, branch, [("Content-Type", kind)], body)
    if method == "INVITE":
        call.last_invite = data
    call.agent.send_request(branch, method, data, handle_response)
    return (await final_response).status


def test_a_phone_that_redirects_does_not_send_a_citizen_outside(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    outside_numbers: list[str] = []

    async def scene(people: CallParties) -> None:
        second = operator_phone(people, "1002")
        people.on_ring = lambda phone, call: (
            call.pick_up() if phone is second else redirect_call(call)
        )
        people.on_outgoing_call = lambda call: outside_numbers.append(call.callee)
        citizen = people.call_hotline("+998901110030", CALLER_PITCH)
        await wait_for(lambda: citizen.state == "up")
        citizen.media.press_keys("1")
        await wait_for(
            lambda: (
                operator_phone(people).newest_call
                and operator_phone(people).newest_call.state == "over"
            )
        )
        exchange.set_ready("op02")
        await wait_for(
            lambda: second.newest_call and second.newest_call.media.has_voice(CALLER_PITCH)
        )

    play_scene(exchange, scene)
    assert outside_numbers == []


@pytest.mark.parametrize("rings", [False, True])
def test_a_call_that_the_carrier_redirects_counts_as_failed(
    exchange: Exchange, rings: bool
) -> None:
    exchange.set_ready("op01")

    def redirect_outgoing_call(call: Call) -> None:
        if rings:
            call.send_ringing()
        redirect_call(call)

    async def scene(people: CallParties) -> None:
        people.on_outgoing_call = redirect_outgoing_call
        call = operator_phone(people).dial_number("+998712000009")
        await wait_for(lambda: call.state == "over")
        assert call.status >= 400

    begin = len(exchange.logged_events("ARRIVED"))
    assert play_scene(exchange, scene) == [
        "OUTGOING number=+998712000009 by=op01 reason=phone for= shown=1006",
        "DIALLED trunk=carrier status=CHANUNAVAIL cause=23 technology=sip",
    ]
    assert exchange.logged_events("ARRIVED")[begin:] == []


@pytest.mark.parametrize(
    ("status", "recorded", "is_next_tried"),
    [
        (503, "CONGESTION", True),
        (403, "CHANUNAVAIL", True),
        (600, "BUSY", False),
        (603, "BUSY", False),
        (604, "CHANUNAVAIL", False),
        (606, "CHANUNAVAIL", False),
    ],
)
def test_a_declined_call_is_not_repeated_over_the_next_trunk(
    exchange: Exchange, status: int, recorded: str, is_next_tried: bool
) -> None:
    exchange.set_ready("op01")
    dead = routing.Trunk("dead", address="127.0.0.1", port=9)
    trunks = (exchange.current_plan.trunks[0], dead)

    async def scene(people: CallParties) -> None:
        people.on_outgoing_call = lambda call: call.refuse_call(status)
        call = operator_phone(people).dial_number("+998712000009")
        await wait_for(lambda: call.state == "over")
        assert call.status >= 400

    with exchange.changed_plan(trunks=trunks, routes=(routing.Route("", ("carrier", "dead")),)):
        attempts = [line.split() for line in play_scene(exchange, scene)[1:]]
    assert [(attempt[1], attempt[2]) for attempt in attempts] == [
        ("trunk=carrier", f"status={recorded}"),
        *([("trunk=dead", "status=CHANUNAVAIL")] if is_next_tried else []),
    ]


def test_a_redirected_transfer_returns_the_caller_to_the_operator(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        _citizen, phone = await start_talk(people, "+998901110031")
        redirect_call(await refer_caller(exchange, people, phone, EMPLOYEE_NUMBER))
        await wait_for_return(people)

    assert play_scene(exchange, scene)[1:5] == [
        f"TRANSFER kind=blind to={EMPLOYEE_NUMBER} by=op01",
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
            [
                ("History-Info", "<sip:+998712000000@x>;index=1"),
                ("History-Info", "<sip:+998711000002@x>;index=1.1;rc=1"),
            ],
            "+998901110041",
            "+998712000000",
        ),
        # the request's own target, without any diversion
        ("sip:+998901110041@x", [("History-Info", "<sip:1006@x>;index=1")], "+998901110041", ""),
        (
            "sip:+998901110041@x",
            [
                (
                    "Diversion",
                    '"Ali, Vali" <sip:+998711000002@x>;reason=unconditional;counter=1, '
                    "<sip:+998711000003@x>;reason=no-answer,<sip:+998712000000@x>;reason=no-answer",
                )
            ],
            "+998901110041",
            "+998712000000",
        ),
        (
            "sip:anonymous@anonymous.invalid",
            [("P-Asserted-Identity", "<sip:+998901110041@x>, <tel:+998901110041>")],
            "+998901110041",
            "",
        ),
        (
            "sip:+998711000009@x",
            [("P-Asserted-Identity", "<tel:+998901110041>,<sip:+998901110041@x>")],
            "+998901110041",
            "",
        ),
        (
            "sip:anonymous@anonymous.invalid",
            [
                ("P-Asserted-Identity", "<sip:+998901110041@x>, <tel:+998901110041>"),
                ("Privacy", "header; id"),
            ],
            "",
            "",
        ),
        (
            "sip:+998901110041@x",
            [("P-Called-Party-ID", '"17" <tel:+998712000000;cpc=ordinary>')],
            "+998901110041",
            "+998712000000",
        ),
    ],
)
def test_the_caller_and_the_diverted_number_are_read_from_headers(
    exchange: Exchange, caller: str, more: Headers, number: str, diverted: str
) -> None:
    async def scene(people: CallParties) -> None:
        call = start_call(people, caller, more)
        await wait_for(lambda: call.state == "up")

    begin = len(exchange.logged_events("ARRIVED"))
    play_scene(exchange, scene)
    (arrival,) = exchange.logged_events("ARRIVED")[begin:]
    assert arrival.extra["caller"] == number
    assert arrival.extra["diverted"] == diverted


def test_a_call_with_session_timers_is_answered_and_refreshed(exchange: Exchange) -> None:
    timers = [
        ("Supported", "timer,100rel"),
        ("Session-Expires", "90;refresher=uac"),
        ("Min-SE", "90"),
    ]

    async def scene(people: CallParties) -> None:
        call = start_call(people, "sip:+998901110042@x", timers)
        await wait_for(lambda: call.state == "up")
        assert await call.set_hold(False) == 200  # a refresh

    play_scene(exchange, scene)


def test_a_carrier_can_require_reliable_ringing(exchange: Exchange) -> None:
    async def scene(people: CallParties) -> None:
        call = start_call(people, "sip:+998901110043@x", [("Require", "100rel")])
        await wait_for(lambda: call.state in ("up", "over"))
        assert call.state == "up"

    play_scene(exchange, scene)


def test_keys_sent_by_info_requests_choose_the_language(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        citizen = people.call_hotline("+998901110044", CALLER_PITCH)
        await wait_for(lambda: citizen.state == "up")
        for kind, body in (("application/dtmf-relay", "Signal=2\r\nDuration=160\r\n"),):
            assert await send_request(citizen, "INFO", kind, body) == 200
        await wait_for(
            lambda: (
                operator_phone(people).newest_call
                and operator_phone(people).newest_call.media.has_voice(CALLER_PITCH)
            )
        )

    assert play_scene(exchange, scene)[0] == "QUEUE queue=ru language=ru topic= why=first"


def test_a_fax_offered_during_a_talk_is_refused_and_the_talk_goes_on(exchange: Exchange) -> None:
    exchange.set_ready("op01")
    fax = (
        "v=0\r\no=- 1 2 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\n"
        "m=image 40002 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
    )

    async def scene(people: CallParties) -> None:
        citizen, phone = await start_talk(people, "+998901110045")
        body = fax.format(people.carrier.host)
        assert await send_request(citizen, "INVITE", "application/sdp", body) in (415, 488, 606)
        flow_count = len(phone.media.received.voices)
        await wait_for(
            lambda: (
                any(CALLER_PITCH in who for _, who in phone.media.received.voices[flow_count + 1 :])
                and citizen.state == "up"
            )
        )

    play_scene(exchange, scene)


def test_a_carriers_announcement_is_passed_on_before_the_answer(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        people.on_outgoing_call = announce_call
        call = operator_phone(people).dial_number("+998712000010")
        await wait_for(lambda: call.media.has_voice(OUTSIDE_PITCH))
        assert call.state == "ringing"
        next(iter(people.carrier.calls.values())).refuse_call(404)
        await wait_for(lambda: call.state == "over")

    assert play_scene(exchange, scene)[1:] == [
        "DIALLED trunk=carrier status=CHANUNAVAIL cause=1 technology=sip"
    ]


def test_a_call_with_an_early_announcement_is_answered_later(exchange: Exchange) -> None:
    exchange.set_ready("op01")

    async def scene(people: CallParties) -> None:
        people.on_outgoing_call = announce_call
        call = operator_phone(people).dial_number("+998712000011")
        await wait_for(lambda: call.media.has_voice(OUTSIDE_PITCH))
        outside_call = next(iter(people.carrier.calls.values()))
        outside_call.pick_up()
        await wait_for(
            lambda: (
                call.state == "up" and outside_call.media.has_voice(operator_phone(people).pitch)
            )
        )
        outside_call.hang_up()
        await wait_for(lambda: call.state == "over")

    assert play_scene(exchange, scene)[1:] == [
        "DIALLED trunk=carrier status=ANSWER cause=16 technology=sip"
    ]
