"""Attacks by SIP on the real Asterisk: a citizen's talk goes on, and nothing else begins."""

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
from appliance.pbx.refusals import Refusals
from appliance.people import accounts
from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call as SipCall
from appliance.sip.message import Headers, Message, Session
from appliance.telephony import calls, routing
from appliance.telephony.routing import Trunk
from provisioning.local.place import HOTLINE, SIP
from tests.pbx import talking
from tests.pbx.box import Box
from tests.pbx.certificates import certified
from tests.pbx.telephones import Talk, Telephones, seen, telephones
from tests.pbx.torture import TORTURE, End
from tests.rig.parties import Phone
from tests.rig.rules import RULES

pytestmark = pytest.mark.calls
PACE = 0.02  # seconds between two messages
PATIENCE = 30.0
SCANNED = 4  # seconds
GOAL, FORBIDDEN = "+998901112233", "+883510001234"


@pytest.fixture(scope="module")
def site(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """SIP comes by UDP, TCP and TLS; the carrier may use each."""
    plan = routing.current(site)
    others = tuple(
        Trunk(
            f"by-{kind}",
            address=site.asterisk.address.replace(".253.", f".{place}."),
            transport=kind,
        )
        for kind, place in (("tcp", 240), ("tls", 241))
    )
    routing.save(dataclasses.replace(plan, trunks=(*plan.trunks, *others)), by="test")
    return certified(site, tmp_path_factory.mktemp("tls"), plain_phones=("*",))


class Thrower:
    """Somebody at an address who sends what he likes, by UDP, TCP and TLS."""

    def __init__(self, box: Box, host: str) -> None:
        self.box, self.host = box.settings.asterisk, host
        self.unchecked = ssl.create_default_context()
        self.unchecked.check_hostname, self.unchecked.verify_mode = False, ssl.CERT_NONE
        self.sent = 0
        self.lines: list[asyncio.StreamWriter] = []

    async def close(self) -> None:
        """End the connections."""
        for line in self.lines:
            line.transport.abort()
        await asyncio.sleep(0)

    def end(self, transport: str) -> End:
        """The ends of a message."""
        return End(self.box.address, self.host, transport)

    async def throw(self, transport: str, data: bytes) -> None:
        """One message, on a connection of its own."""
        self.sent += 1
        port, loop = self.box.sip_port, asyncio.get_running_loop()
        if transport == "UDP":
            line, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, (self.host, 0), (self.box.address, port)
            )
            line.sendto(data)
            line.close()
            return
        secure = {"port": port + 1, "ssl": self.unchecked} if transport == "TLS" else {"port": port}
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            _, out = await asyncio.wait_for(
                asyncio.open_connection(self.box.address, local_addr=(self.host, 0), **secure),
                PATIENCE,
            )
            self.lines.append(out)
            out.write(data)
            await asyncio.wait_for(out.drain(), PATIENCE)


def told(box: Box) -> calls.Balance:
    """What the ledger says, of all that Asterisk wrote until now."""
    ledger.read(box.settings.paths.event_log, RULES, growing=True)
    Refusals(box.settings).look()
    now = clock.now()
    return calls.balance(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1))


@contextlib.asynccontextmanager
async def talk_goes_on(box: Box, lines: Telephones, number: str) -> AsyncIterator[Talk]:
    """A citizen talks with an operator; neither misses a word, and both hang up themselves."""
    actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
    talk = await lines.talk(number)
    ends = ((talk.citizen, talk.phone.pitch), (talk.leg, talk.citizen.media.pitch))
    looks = [len(who.media.flow.heard) for who, _ in ends]
    yield talk
    for (who, pitch), since in zip(ends, looks, strict=True):
        await seen(lambda who=who, since=since: len(who.media.flow.heard) > since + 3, "sound")
        deaf = [at for at, voices in who.media.flow.heard[since:] if pitch not in voices]
        assert deaf == [], "the other was not heard"
        late = lines.people.carrier.pump.late
        assert who.media.flow.longest < 0.3 + 2 * late, "a gap in the sound"
    assert (talk.citizen.state, talk.leg.state) == ("up", "up")
    talk.citizen.hang_up()
    await seen(lambda: talk.leg.state == "over", "the operator is free")


def test_torture_of_rfc_4475_disturbs_no_talk_and_makes_no_call(box: Box) -> None:
    carrier = box.settings.trunks[0].address
    stranger = box.settings.asterisk.address.replace("127.253", "127.250")
    invites: set[str] = set()

    async def play() -> int:
        async with telephones(box.settings) as lines, talk_goes_on(box, lines, "+998901000001"):
            who = Thrower(box, carrier), Thrower(box, stranger)
            for transport in ("UDP", "TCP", "TLS"):
                for make in TORTURE.values():
                    for one in who:
                        end = one.end(transport)
                        data = make(end)
                        if one is who[0] and b"INVITE" in data:
                            invites.add(end.once)
                        await one.throw(transport, data)
                        await asyncio.sleep(PACE)
            for one in who:
                await one.close()
            await seen(lambda: len(talking.channels(box)) == 2, "what began is over")
        return sum(one.sent for one in who)

    sent = asyncio.run(play())
    assert box.process.poll() is None
    balance = told(box)
    made = list(Call.select().where(Call.direction == "inbound"))
    assert (balance.difference, balance.open) == (0, 0)
    assert balance.arrivals == len(made)
    strange = [call.sip for call in made if not any(one in (call.sip or "") for one in invites)]
    assert len(strange) == 1  # the talk
    assert {call.trunk for call in made} == {"carrier"}
    print(f"{len(TORTURE)} messages of RFC 4475, {sent} sent, {len(made) - 1} became calls")


async def answered(
    agent: Agent,
    method: str,
    of: str,
    account: tuple[str, str] = ("", ""),
    contact: str = "",
    more: Headers = (),
) -> int:
    """The box's last word on a request of `of`, its challenge answered by an account."""
    box, challenge, status = agent.box[0], "", 0
    uri = f"sip:{box}" if method == "REGISTER" else f"sip:{HOTLINE}@{box}"
    call, body = secrets.token_hex(8), ""
    if method == "INVITE":
        body = str(Session(agent.host, 40_000, (8,)))
    for number in (1, 2):
        branch = message.new_branch()
        headers = [
            agent.via(branch),
            ("From", f"<sip:{of}@{box}>;tag=one"),
            ("To", f"<sip:{of}@{box}>" if method == "REGISTER" else f"<{uri}>"),
            ("Call-ID", call),
            ("CSeq", f"{number} {method}"),
            ("Contact", contact or f"<sip:{of}@{agent.here}>"),
            ("Max-Forwards", "70"),
            *more,
        ]
        if challenge:
            proof = message.authorization(challenge, method, uri, *account)
            headers.append(("Authorization", proof))
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def told(said: Message, done: asyncio.Future[Message] = done) -> None:
            if said.status >= 200 and not done.done():
                done.set_result(said)

        agent.ask(branch, method, message.text(f"{method} {uri} SIP/2.0", headers, body), told)
        said = await done
        if method == "INVITE" and (to := said.get("to")):
            ack = [agent.via(branch), *headers[1:2], ("To", to), ("Call-ID", call)]
            ack.append(("CSeq", f"{number} ACK"))
            agent.send(message.text(f"ACK {uri} SIP/2.0", ack))
        status, challenge = said.status, said.get("www-authenticate")
        if status != 401 or not account[0]:
            break
    return status


def contacts(box: Box, extension: str) -> list[str]:
    """Where a phone's calls go."""
    with ami.Connection(box.settings) as asterisk:
        found = asterisk.listed("PJSIPShowEndpoint", "EndpointDetailComplete", Endpoint=extension)
    return [one["URI"] for one in found if one.get("Event") == "ContactStatusDetail"]


def test_a_scanner_disturbs_no_talk_and_gets_no_channel(box: Box) -> None:
    """Two hundred requests a second of random users, among them our extensions."""
    place = f"127.250.{box.settings.asterisk.address.partition('.253.')[2]}"
    before = told(box)

    async def play() -> int:
        async with telephones(box.settings) as lines, talk_goes_on(box, lines, "+998901000002"):
            scanner, dice = Thrower(box, place), random.Random(4)  # noqa: S311  no secret
            began = asyncio.get_running_loop().time()
            while scanner.sent < 200 * SCANNED:
                end = scanner.end("UDP")
                user = dice.choice(("1001", "100", "admin", f"{dice.randrange(10**4)}"))
                who = f"From: <sip:{user}@{end.box}>;tag={end.once}"
                method = dice.choice(("OPTIONS", "REGISTER", "INVITE"))
                sent = end.invite(who) if method == "INVITE" else end.ask(method, who)
                await scanner.throw("UDP", sent)
                due = began + scanner.sent / 200
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            assert len(talking.channels(box)) == 2
        return scanner.sent

    sent = asyncio.run(play())
    after = told(box)
    assert after.arrivals == before.arrivals + 1
    assert after.difference == 0
    assert after.sip_refused > before.sip_refused + sent // 6
    print(f"{sent} requests of a scanner, {after.sip_refused - before.sip_refused} calls refused")


def test_nobody_takes_anothers_extension(box: Box) -> None:
    """By no password, a wrong one, one's own; nor are calls led away by a contact elsewhere."""
    own = {user.extension: user.sip_password for user in accounts.with_phone()}
    place = box.settings.asterisk.address.replace("127.253", "127.249")
    led: list[str] = []

    async def play() -> None:
        async with telephones(box.settings) as lines, talk_goes_on(box, lines, "+998901000003"):
            there = contacts(box, "1002")
            assert len(there) == 1
            async with Agent(place, 5060, (box.settings.asterisk.address, SIP)) as thief:
                for account in (("", ""), ("1002", "wrong"), ("1001", own["1001"])):
                    assert await answered(thief, "REGISTER", "1002", account) in (401, 403)
                    for star in ("*", f"<sip:1002@{thief.here}>;expires=0"):
                        status = await answered(thief, "REGISTER", "1002", account, star)
                        assert status in (401, 403)
                    assert await answered(thief, "INVITE", "1002", account) in (401, 403)
                for claim in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"):
                    more = [(claim, f"<sip:1002@{thief.box[0]}>")]
                    assert await answered(thief, "INVITE", "9", more=more) == 401
                assert contacts(box, "1002") == there  # a guesser locks nobody out
                # He who has the password leads no calls to a carrier.
                elsewhere = f"<sip:+883510001234@{box.settings.trunks[0].address}>"
                known = "1002", own["1002"]
                assert await answered(thief, "REGISTER", "1002", known, elsewhere) in (401, 403)
                assert contacts(box, "1002") == there
                assert await answered(thief, "REGISTER", "1002", known) == 200
                thief.taken = lambda call: (led.append(call.called), call.refuse(486))
                lines.people.dialled = lambda call: (led.append("carrier"), call.refuse(486))
                phone = lines.people.by_extension("1002")
                assert phone
                await phone.register()
                assert contacts(box, "1002") == there

    asyncio.run(play())
    assert led == []


def test_nobody_outside_gets_out(box: Box) -> None:
    """A caller, a stranger and a caller's phone try every context, header and transfer."""
    text = (box.settings.paths.asterisk / "extensions.conf").read_text("utf-8")
    files = re.findall(r"#include (\S+)", text)
    contexts = sorted(
        {one for file in files for one in re.findall(r"^\[(\S+)\]", Path(file).read_text(), re.M)}
    )
    assert len(contexts) > 30
    stranger = f"127.250.{box.settings.asterisk.address.partition('.253.')[2]}"
    users = [u for c in contexts for u in (f"{GOAL}%40{c}", f"{GOAL};context={c}", c, f"1001@{c}")]
    led: list[str] = []

    def tried(end: End, user: str) -> bytes:
        return end.invite(
            f"Diversion: <sip:1001@{end.box}>;reason=unconditional",
            f"P-Asserted-Identity: <sip:1001@{end.box}>",
            f"Referred-By: <sip:1001@{end.box}>",
            f"Route: <sip:{GOAL}@{box.settings.trunks[0].address};lr>",
            start=f"INVITE sip:{user}@{end.box} SIP/2.0",
        )

    async def play() -> int:
        async with telephones(box.settings) as lines:
            lines.people.dialled = lambda call: (led.append(call.called), call.refuse(486))
            async with talk_goes_on(box, lines, "+998901000004") as talk:
                citizen, leg = talk.citizen, talk.leg
                who = Thrower(box, box.settings.trunks[0].address), Thrower(box, stranger)
                for user in (*users, GOAL, "s", "h", "i", "t", "dial", "leave", "*43"):
                    for one in who:
                        await one.throw("UDP", tried(one.end("UDP"), user))
                    await asyncio.sleep(PACE)
                # In the talk: REFER, and the operator's place taken by an INVITE.
                for number in (GOAL, f"{GOAL}@outgoing", "1002", "s"):
                    assert await citizen.refer(number) >= 400
                assert await citizen.refer("1001", replaces=leg) >= 400
                tag = message.parameter(leg.theirs, "tag")
                places = (f"{leg.call_id};to-tag={tag};from-tag=x", "x;to-tag=x;from-tag=x")
                for place in places:
                    thief = lines.people.carrier.call("+998901000005", HOTLINE, 370)
                    thief.start([("Replaces", place), ("Require", "replaces")])
                    await seen(lambda thief=thief: thief.state == "over", "it is refused")
                # In the menu: a number, and codes of features.
                other = lines.people.call("+998901000006", 390)
                await seen(lambda: other.state == "up", "the menu")
                other.media.press(f"{GOAL[1:]}#*1*2##0")
                await seen(lambda: not other.media.pressing, "all keys are pressed")
                assert (citizen.state, leg.state) == ("up", "up")
                other.hang_up()
                await seen(lambda: len(talking.channels(box)) == 2, "what began is over")
        return sum(one.sent for one in who)

    sent = asyncio.run(play())
    assert led == []
    assert told(box).difference == 0
    print(f"{len(contexts)} contexts, {sent} tries and 7 in a talk: none got out")


def test_who_knows_the_dialog_takes_no_talk_over(box: Box) -> None:
    """A carrier, a colleague, a stranger name a talk's legs in an INVITE with Replaces."""
    place = box.settings.asterisk.address.replace("127.253", "127.248")
    own = {user.extension: user.sip_password for user in accounts.with_phone()}

    async def play() -> None:
        async with (
            telephones(box.settings) as lines,
            talk_goes_on(box, lines, "+998901000009") as talk,
            Agent(place, 5060, (box.settings.asterisk.address, SIP)) as stranger,
        ):
            for leg in (talk.leg, talk.citizen):
                theirs, ours = (message.parameter(of, "tag") for of in (leg.theirs, leg.ours))
                replaced = f"{leg.call_id};to-tag={theirs};from-tag={ours}"
                for name in ("Replaces", "REPLACES", "replaces"):
                    more = [(name, replaced), ("Require", "replaces")]
                    thief = lines.people.carrier.call("+998901000010", HOTLINE, 370)
                    thief.start(more)
                    await seen(lambda thief=thief: thief.state == "over", "it is refused")
                    account = ("1002", own["1002"])
                    for agent in (lines.people.desk, stranger):
                        assert await answered(agent, "INVITE", "1002", account, more=more) == 401
                    assert await answered(stranger, "INVITE", "1001", more=more) == 401
            assert (talk.citizen.state, talk.leg.state) == ("up", "up")
            assert len(talking.channels(box)) == 2

    asyncio.run(play())
    assert told(box).difference == 0


def test_a_phone_gets_no_further_than_it_may(box: Box) -> None:
    """REFER to a carrier's own address, a redirection by 302, names of contexts."""
    led: list[str] = []
    carrier = box.settings.trunks[0].address

    async def play() -> None:
        async with telephones(box.settings) as lines:
            lines.people.dialled = lambda call: (led.append(call.called), call.refuse(486))

            def redirect(phone: Phone, call: SipCall) -> None:
                if phone.extension == "1002":
                    call.contact = f"<sip:{FORBIDDEN}@{carrier}>"
                    call.refuse(302)
                else:
                    call.ring()
                    call.pick_up()

            async with talk_goes_on(box, lines, "+998901000007"):
                actions.choose_state(box.settings, User.get(User.login == "op02"), "ready")
                lines.people.rings = redirect
                waits = lines.people.call("+998901000008", 390)
                phone = lines.people.by_extension("1002")
                assert phone
                await seen(lambda: waits.state == "up", "the menu")
                waits.media.press("2")
                await seen(lambda: phone.calls, "the phone rings, and sends the call elsewhere")
                for number in (f"{FORBIDDEN}%40{one}" for one in ("outgoing", "routes", "way")):
                    call = phone.dial(number)
                    await seen(lambda call=call: call.state == "over", f"{number} is over")
                echo = phone.dial("*43")
                await seen(lambda: echo.state == "up", "the echo")
                for to in (f"sip:{FORBIDDEN}@{carrier}", f"sip:{FORBIDDEN}@{carrier}?Replaces=x"):
                    done = asyncio.get_running_loop().create_future()
                    echo._ask("REFER", [("Refer-To", f"<{to}>")], done)
                    await done
                echo.hang_up()
                waits.hang_up()
                actions.choose_state(box.settings, User.get(User.login == "op02"), "off")
                await seen(lambda: len(talking.channels(box)) == 2, "what began is over")

    asyncio.run(play())
    assert led == []
