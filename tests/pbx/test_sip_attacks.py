"""SIP attacks on the real Asterisk: a citizen's talk continues, and no other call begins."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import random
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Call, User
from appliance.pbx import actions, ami, ledger
from appliance.pbx.refusals import RefusalLog
from appliance.people import accounts
from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call as SipCall
from appliance.sip.message import Headers, Message, Session
from appliance.telephony import calls, routing
from appliance.telephony.routing import Trunk
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT
from tests.pbx import local_calls
from tests.pbx.box import Box
from tests.pbx.certificates import settings_with_certificate
from tests.pbx.telephones import Talk, Telephones, telephones
from tests.pbx.torture import TORTURE, End
from tests.rig.parties import Phone
from tests.rig.rules import RULES
from tests.rig.waiting import wait_for

pytestmark = pytest.mark.calls
PACE_SECONDS = 0.02  # between two messages
TIMEOUT_SECONDS = 30.0
SCAN_SECONDS = 4
TARGET_NUMBER, FORBIDDEN_NUMBER = "+998901112233", "+883510001234"


@pytest.fixture(scope="module")
def site(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """SIP arrives over UDP, TCP and TLS; the carrier may use each of them."""
    plan = routing.current_plan(site)
    more_trunks = tuple(
        Trunk(
            f"by-{kind}",
            address=site.asterisk.address.replace(".253.", f".{place}."),
            transport=kind,
        )
        for kind, place in (("tcp", 240), ("tls", 241))
    )
    routing.save_plan(dataclasses.replace(plan, trunks=(*plan.trunks, *more_trunks)), by="test")
    return settings_with_certificate(site, tmp_path_factory.mktemp("tls"), plain_phones=("*",))


class Attacker:
    """An attacker at an address that sends any data over UDP, TCP and TLS."""

    def __init__(self, box: Box, host: str) -> None:
        self.box, self.host = box.settings.asterisk, host
        self.tls_context = ssl.create_default_context()
        self.tls_context.check_hostname, self.tls_context.verify_mode = False, ssl.CERT_NONE
        self.sent_count = 0
        self.connections: list[asyncio.StreamWriter] = []

    async def close_connections(self) -> None:
        """End the connections."""
        for line in self.connections:
            line.transport.abort()
        await asyncio.sleep(0)

    def message_end(self, transport: str) -> End:
        """Return the two ends of a message."""
        return End(self.box.address, self.host, transport)

    async def send_message(self, transport: str, data: bytes) -> None:
        """Send one message on its own connection."""
        self.sent_count += 1
        port, loop = self.box.sip_port, asyncio.get_running_loop()
        if transport == "UDP":
            line, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, (self.host, 0), (self.box.address, port)
            )
            line.sendto(data)
            line.close()
            return
        secure = (
            {"port": port + 1, "ssl": self.tls_context} if transport == "TLS" else {"port": port}
        )
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            _, out = await asyncio.wait_for(
                asyncio.open_connection(self.box.address, local_addr=(self.host, 0), **secure),
                TIMEOUT_SECONDS,
            )
            self.connections.append(out)
            out.write(data)
            await asyncio.wait_for(out.drain(), TIMEOUT_SECONDS)


def current_balance(box: Box) -> calls.Balance:
    """Return the ledger's balance over everything that Asterisk has logged so far."""
    ledger.read_log(box.settings.paths.event_log, RULES, growing=True)
    RefusalLog(box.settings).read_refusals()
    now = clock.now()
    return calls.ledger_balance(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1))


@contextlib.asynccontextmanager
async def undisturbed_talk(box: Box, lines: Telephones, number: str) -> AsyncIterator[Talk]:
    """A talk of a citizen and an operator without a gap in the sound; both hang up themselves."""
    actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
    talk = await lines.start_talk(number)
    ends = ((talk.citizen, talk.phone.pitch), (talk.leg, talk.citizen.media.pitch))
    looks = [len(who.media.received.voices) for who, _ in ends]
    yield talk
    for (who, pitch), since in zip(ends, looks, strict=True):
        await wait_for(
            lambda who=who, since=since: len(who.media.received.voices) > since + 3, "sound"
        )
        silent_times = [
            at for at, voices in who.media.received.voices[since:] if pitch not in voices
        ]
        assert silent_times == [], "the other was not heard"
        late = lines.people.carrier.clock.max_lag
        assert who.media.received.longest_gap < 0.3 + 2 * late, "a gap in the sound"
    assert (talk.citizen.state, talk.leg.state) == ("up", "up")
    talk.citizen.hang_up()
    await wait_for(lambda: talk.leg.state == "over", "the operator is free")


def test_torture_of_rfc_4475_disturbs_no_talk_and_makes_no_call(box: Box) -> None:
    carrier = box.settings.trunks[0].address
    stranger = box.settings.asterisk.address.replace("127.253", "127.250")
    invites: set[str] = set()

    async def send_torture_messages() -> int:
        async with telephones(box.settings) as lines, undisturbed_talk(box, lines, "+998901000001"):
            attackers = Attacker(box, carrier), Attacker(box, stranger)
            for transport in ("UDP", "TCP", "TLS"):
                for make in TORTURE.values():
                    for attacker in attackers:
                        end = attacker.message_end(transport)
                        data = make(end)
                        if attacker is attackers[0] and b"INVITE" in data:
                            invites.add(end.once)
                        await attacker.send_message(transport, data)
                        await asyncio.sleep(PACE_SECONDS)
            for attacker in attackers:
                await attacker.close_connections()
            await wait_for(lambda: len(local_calls.active_channels(box)) == 2, "what began is over")
        return sum(attacker.sent_count for attacker in attackers)

    sent = asyncio.run(send_torture_messages())
    assert box.process.poll() is None
    balance = current_balance(box)
    inbound_calls = list(Call.select().where(Call.direction == "inbound"))
    assert (balance.difference, balance.open) == (0, 0)
    assert balance.arrivals == len(inbound_calls)
    strange = [
        call.sip
        for call in inbound_calls
        if not any(token in (call.sip or "") for token in invites)
    ]
    assert len(strange) == 1  # the talk
    assert {call.trunk for call in inbound_calls} == {"carrier"}
    print(
        f"{len(TORTURE)} messages of RFC 4475, {sent} sent, {len(inbound_calls) - 1} became calls"
    )


async def request_status(
    agent: Agent,
    method: str,
    user: str,
    account: tuple[str, str] = ("", ""),
    contact: str = "",
    more: Headers = (),
) -> int:
    """Send a request of `user`, answer the challenge, and return the box's final status."""
    box, challenge, status = agent.box[0], "", 0
    uri = f"sip:{box}" if method == "REGISTER" else f"sip:{HOTLINE_NUMBER}@{box}"
    call, body = secrets.token_hex(8), ""
    if method == "INVITE":
        body = str(Session(agent.host, 40_000, (8,)))
    for number in (1, 2):
        branch = message.new_branch()
        headers = [
            agent.via_header(branch),
            ("From", f"<sip:{user}@{box}>;tag=one"),
            ("To", f"<sip:{user}@{box}>" if method == "REGISTER" else f"<{uri}>"),
            ("Call-ID", call),
            ("CSeq", f"{number} {method}"),
            ("Contact", contact or f"<sip:{user}@{agent.host_port}>"),
            ("Max-Forwards", "70"),
            *more,
        ]
        if challenge:
            proof = message.digest_authorization(challenge, method, uri, *account)
            headers.append(("Authorization", proof))
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def note_response(received: Message, done: asyncio.Future[Message] = done) -> None:
            if received.status >= 200 and not done.done():
                done.set_result(received)

        agent.send_request(
            branch,
            method,
            message.encode_message(f"{method} {uri} SIP/2.0", headers, body),
            note_response,
        )
        response = await done
        if method == "INVITE" and (to := response.get("to")):
            ack = [agent.via_header(branch), *headers[1:2], ("To", to), ("Call-ID", call)]
            ack.append(("CSeq", f"{number} ACK"))
            agent.send_datagram(message.encode_message(f"ACK {uri} SIP/2.0", ack))
        status, challenge = response.status, response.get("www-authenticate")
        if status != 401 or not account[0]:
            break
    return status


def contact_addresses(box: Box, extension: str) -> list[str]:
    """Return the addresses that a phone's calls go to."""
    with ami.Connection(box.settings) as asterisk:
        events = asterisk.list_events(
            "PJSIPShowEndpoint", "EndpointDetailComplete", Endpoint=extension
        )
    return [event["URI"] for event in events if event.get("Event") == "ContactStatusDetail"]


def test_a_scanner_disturbs_no_talk_and_gets_no_channel(box: Box) -> None:
    """Two hundred requests per second from random users, some of them with our extensions."""
    place = f"127.250.{box.settings.asterisk.address.partition('.253.')[2]}"
    before = current_balance(box)

    async def scan_with_requests() -> int:
        async with telephones(box.settings) as lines, undisturbed_talk(box, lines, "+998901000002"):
            scanner, dice = Attacker(box, place), random.Random(4)  # noqa: S311  no secret
            began = asyncio.get_running_loop().time()
            while scanner.sent_count < 200 * SCAN_SECONDS:
                end = scanner.message_end("UDP")
                user = dice.choice(("1001", "100", "admin", f"{dice.randrange(10**4)}"))
                who = f"From: <sip:{user}@{end.box}>;tag={end.once}"
                method = dice.choice(("OPTIONS", "REGISTER", "INVITE"))
                sent = end.invite(who) if method == "INVITE" else end.ask(method, who)
                await scanner.send_message("UDP", sent)
                due = began + scanner.sent_count / 200
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            assert len(local_calls.active_channels(box)) == 2
        return scanner.sent_count

    sent = asyncio.run(scan_with_requests())
    after = current_balance(box)
    assert after.arrivals == before.arrivals + 1
    assert after.difference == 0
    assert after.sip_refused > before.sip_refused + sent // 6
    print(f"{sent} requests of a scanner, {after.sip_refused - before.sip_refused} calls refused")


def test_nobody_can_take_over_an_extension(box: Box) -> None:
    """Not with no password, a wrong one or one's own; nor can a foreign contact divert calls."""
    passwords = {user.extension: user.sip_password for user in accounts.users_with_phone()}
    place = box.settings.asterisk.address.replace("127.253", "127.249")
    diverted: list[str] = []

    async def try_to_take_extension() -> None:
        async with telephones(box.settings) as lines, undisturbed_talk(box, lines, "+998901000003"):
            addresses = contact_addresses(box, "1002")
            assert len(addresses) == 1
            async with Agent(place, 5060, (box.settings.asterisk.address, SIP_PORT)) as thief:
                for account in (("", ""), ("1002", "wrong"), ("1001", passwords["1001"])):
                    assert await request_status(thief, "REGISTER", "1002", account) in (401, 403)
                    for star in ("*", f"<sip:1002@{thief.host_port}>;expires=0"):
                        status = await request_status(thief, "REGISTER", "1002", account, star)
                        assert status in (401, 403)
                    assert await request_status(thief, "INVITE", "1002", account) in (401, 403)
                for claim in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"):
                    more = [(claim, f"<sip:1002@{thief.box[0]}>")]
                    assert await request_status(thief, "INVITE", "9", more=more) == 401
                # a guesser cannot lock anyone out
                assert contact_addresses(box, "1002") == addresses
                # Even with the password, calls cannot be diverted to a carrier.
                elsewhere = f"<sip:+883510001234@{box.settings.trunks[0].address}>"
                account_of_1002 = "1002", passwords["1002"]
                assert await request_status(
                    thief, "REGISTER", "1002", account_of_1002, elsewhere
                ) in (401, 403)
                assert contact_addresses(box, "1002") == addresses
                assert await request_status(thief, "REGISTER", "1002", account_of_1002) == 200
                thief.on_call = lambda call: (diverted.append(call.callee), call.refuse_call(486))
                lines.people.on_outgoing_call = lambda call: (
                    diverted.append("carrier"),
                    call.refuse_call(486),
                )
                phone = lines.people.phone_by_extension("1002")
                assert phone
                await phone.register_phone()
                assert contact_addresses(box, "1002") == addresses

    asyncio.run(try_to_take_extension())
    assert diverted == []


def dialplan_contexts(box: Box) -> list[str]:
    """Return the names of all contexts of the dialplan in force."""
    text = (box.settings.paths.asterisk / "extensions.conf").read_text("utf-8")
    files = re.findall(r"#include (\S+)", text)
    return sorted(
        {
            context
            for file in files
            for context in re.findall(r"^\[(\S+)\]", Path(file).read_text(), re.M)
        }
    )


def forged_invite(box: Box, end: End, user: str) -> bytes:
    """Return an INVITE to `user` whose headers claim that an operator's phone sent it."""
    return end.invite(
        f"Diversion: <sip:1001@{end.box}>;reason=unconditional",
        f"P-Asserted-Identity: <sip:1001@{end.box}>",
        f"Referred-By: <sip:1001@{end.box}>",
        f"Route: <sip:{TARGET_NUMBER}@{box.settings.trunks[0].address};lr>",
        start=f"INVITE sip:{user}@{end.box} SIP/2.0",
    )


async def misuse_talk(lines: Telephones, talk: Talk) -> None:
    """In the talk, send REFERs, and INVITEs that replace the operator: all are refused."""
    citizen, leg = talk.citizen, talk.leg
    for number in (TARGET_NUMBER, f"{TARGET_NUMBER}@outgoing", "1002", "s"):
        assert await citizen.send_refer(number) >= 400
    assert await citizen.send_refer("1001", replaces=leg) >= 400
    tag = message.find_parameter(leg.remote_party, "tag")
    for place in (f"{leg.call_id};to-tag={tag};from-tag=x", "x;to-tag=x;from-tag=x"):
        thief = lines.people.carrier.create_call("+998901000005", HOTLINE_NUMBER, 370)
        thief.send_invite([("Replaces", place), ("Require", "replaces")])
        await wait_for(lambda thief=thief: thief.state == "over", "it is refused")


async def misuse_menu(box: Box, lines: Telephones) -> None:
    """In the menu, press the keys of a number and of feature codes."""
    other = lines.people.call_hotline("+998901000006", 390)
    await wait_for(lambda: other.state == "up", "the menu")
    other.media.press_keys(f"{TARGET_NUMBER[1:]}#*1*2##0")
    await wait_for(lambda: not other.media.has_pending_keys, "all keys are pressed")
    other.hang_up()
    await wait_for(lambda: len(local_calls.active_channels(box)) == 2, "what began is over")


def test_nobody_outside_can_place_an_outbound_call(box: Box) -> None:
    """A caller, a stranger and a caller's phone try every context, header and transfer."""
    contexts = dialplan_contexts(box)
    assert len(contexts) > 30
    stranger = f"127.250.{box.settings.asterisk.address.partition('.253.')[2]}"
    users = [
        u
        for c in contexts
        for u in (f"{TARGET_NUMBER}%40{c}", f"{TARGET_NUMBER};context={c}", c, f"1001@{c}")
    ]
    placed_calls: list[str] = []

    async def try_every_way_out() -> int:
        async with telephones(box.settings) as lines:
            lines.people.on_outgoing_call = lambda call: (
                placed_calls.append(call.callee),
                call.refuse_call(486),
            )
            async with undisturbed_talk(box, lines, "+998901000004") as talk:
                attackers = Attacker(box, box.settings.trunks[0].address), Attacker(box, stranger)
                for user in (*users, TARGET_NUMBER, "s", "h", "i", "t", "dial", "leave", "*43"):
                    for attacker in attackers:
                        invite = forged_invite(box, attacker.message_end("UDP"), user)
                        await attacker.send_message("UDP", invite)
                    await asyncio.sleep(PACE_SECONDS)
                await misuse_talk(lines, talk)
                await misuse_menu(box, lines)
                assert (talk.citizen.state, talk.leg.state) == ("up", "up")
        return sum(attacker.sent_count for attacker in attackers)

    sent = asyncio.run(try_every_way_out())
    assert placed_calls == []
    assert current_balance(box).difference == 0
    print(f"{len(contexts)} contexts, {sent} tries and 7 in a talk: none got out")


def test_knowing_the_dialog_does_not_take_over_a_talk(box: Box) -> None:
    """A carrier, a colleague and a stranger name the legs of a talk in an INVITE with Replaces."""
    place = box.settings.asterisk.address.replace("127.253", "127.248")
    passwords = {user.extension: user.sip_password for user in accounts.users_with_phone()}

    async def try_to_replace_legs() -> None:
        async with (
            telephones(box.settings) as lines,
            undisturbed_talk(box, lines, "+998901000009") as talk,
            Agent(place, 5060, (box.settings.asterisk.address, SIP_PORT)) as stranger,
        ):
            for leg in (talk.leg, talk.citizen):
                theirs, ours = (
                    message.find_parameter(of, "tag") for of in (leg.remote_party, leg.local_party)
                )
                replaced = f"{leg.call_id};to-tag={theirs};from-tag={ours}"
                for name in ("Replaces", "REPLACES", "replaces"):
                    more = [(name, replaced), ("Require", "replaces")]
                    thief = lines.people.carrier.create_call("+998901000010", HOTLINE_NUMBER, 370)
                    thief.send_invite(more)
                    await wait_for(lambda thief=thief: thief.state == "over", "it is refused")
                    account = ("1002", passwords["1002"])
                    for agent in (lines.people.desk, stranger):
                        assert (
                            await request_status(agent, "INVITE", "1002", account, more=more) == 401
                        )
                    assert await request_status(stranger, "INVITE", "1001", more=more) == 401
            assert (talk.citizen.state, talk.leg.state) == ("up", "up")
            assert len(local_calls.active_channels(box)) == 2

    asyncio.run(try_to_replace_legs())
    assert current_balance(box).difference == 0


def test_a_phone_reaches_no_forbidden_number(box: Box) -> None:
    """REFER to a carrier's own address, a redirection with 302, names of contexts."""
    placed_calls: list[str] = []
    carrier = box.settings.trunks[0].address

    async def try_forbidden_targets() -> None:
        async with telephones(box.settings) as lines:
            lines.people.on_outgoing_call = lambda call: (
                placed_calls.append(call.callee),
                call.refuse_call(486),
            )

            def redirect_call(phone: Phone, call: SipCall) -> None:
                if phone.extension == "1002":
                    call.contact = f"<sip:{FORBIDDEN_NUMBER}@{carrier}>"
                    call.refuse_call(302)
                else:
                    call.send_ringing()
                    call.pick_up()

            async with undisturbed_talk(box, lines, "+998901000007"):
                actions.choose_state(box.settings, User.get(User.login == "op02"), "ready")
                lines.people.on_ring = redirect_call
                waits = lines.people.call_hotline("+998901000008", 390)
                phone = lines.people.phone_by_extension("1002")
                assert phone
                await wait_for(lambda: waits.state == "up", "the menu")
                waits.media.press_keys("2")
                await wait_for(lambda: phone.calls, "the phone rings, and sends the call elsewhere")
                for number in (
                    f"{FORBIDDEN_NUMBER}%40{context}" for context in ("outgoing", "routes", "way")
                ):
                    call = phone.dial_number(number)
                    await wait_for(lambda call=call: call.state == "over", f"{number} is over")
                echo = phone.dial_number("*43")
                await wait_for(lambda: echo.state == "up", "the echo")
                for to in (
                    f"sip:{FORBIDDEN_NUMBER}@{carrier}",
                    f"sip:{FORBIDDEN_NUMBER}@{carrier}?Replaces=x",
                ):
                    done = asyncio.get_running_loop().create_future()
                    echo._send_request("REFER", [("Refer-To", f"<{to}>")], done)
                    await done
                echo.hang_up()
                waits.hang_up()
                actions.choose_state(box.settings, User.get(User.login == "op02"), "off")
                await wait_for(
                    lambda: len(local_calls.active_channels(box)) == 2, "what began is over"
                )

    asyncio.run(try_forbidden_targets())
    assert placed_calls == []
