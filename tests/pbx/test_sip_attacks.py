"""Attacks by SIP on the real Asterisk: a citizen's talk goes on, and nothing else begins."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import ssl
from collections.abc import AsyncIterator

import pytest

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Call, User
from appliance.pbx import actions, ledger
from appliance.pbx.refusals import Refusals
from appliance.telephony import calls, routing
from appliance.telephony.routing import Trunk
from tests.pbx import talking
from tests.pbx.box import Box
from tests.pbx.telephones import Talk, Telephones, seen, telephones
from tests.pbx.test_secure_trunk import certificate
from tests.pbx.torture import TORTURE, End

pytestmark = pytest.mark.calls
PACE = 0.02  # seconds between two messages
PATIENCE = 30.0


@pytest.fixture(scope="module")
def site(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """SIP comes by UDP, TCP and TLS; the carrier may use each."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, site.asterisk.address)
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
    own = {"certificate": folder / "server.pem", "certificate_key": folder / "server.key"}
    return dataclasses.replace(site, asterisk=dataclasses.replace(site.asterisk, **own))


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
    ledger.read(box.settings.paths.event_log, 5.0, growing=True)
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
