"""A trunk's account at its carrier: Asterisk never gives up."""

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator

import pytest

from appliance.core.settings import Settings
from appliance.pbx import ami
from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.message import Message
from appliance.telephony import routing
from tests.pbx.box import Box
from tests.pbx.telephones import Telephones, seen, telephones

pytestmark = pytest.mark.calls
ACCOUNT = "4711"
CHALLENGE = 'Digest realm="carrier", nonce="n0nce"'


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """The carrier wants an account."""
    plan = routing.current(site)
    trunk = dataclasses.replace(plan.trunks[0], register=True, user=ACCOUNT, password="first")
    routing.save(dataclasses.replace(plan, trunks=(trunk,)), by="test")
    return site


class Registrar:
    """The carrier's own check of who registers and calls, before its telephone hears of it.

    `refusal`: 403, or 401, which asks for a proof once more. `lasts`: seconds of a registration,
    which Asterisk begins anew 10 s before.
    """

    def __init__(self, carrier: Agent, password: str, refusal: int, lasts: int) -> None:
        self.carrier, self.password = carrier, password
        self.refusal, self.lasts = refusal, lasts
        self.hand_on = carrier._requested
        carrier._requested = self.check  # type: ignore[method-assign]
        self.registered: list[str] = []  # by which password
        self.signed_off = 0
        self.refused: list[str] = []  # methods whose proof was wrong

    def check(self, said: Message) -> None:
        """Ask for a proof, look at it, and hand on what is in order."""
        begins = said.method == "REGISTER" or (
            said.method == "INVITE" and ";tag=" not in said.get("to")
        )
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', said.get("authorization")))
        if not begins:
            self.hand_on(said)
        elif not given:
            self._answer(said, 401)
        elif not self._proves(said.method, given):
            self.refused.append(said.method)
            self._answer(said, self.refusal)
        elif said.method == "INVITE":
            self.hand_on(said)
        elif said.get("expires") == "0":
            self.signed_off += 1
            self._answer(said, 200, ("Expires", "0"))
        else:
            self.registered.append(self.password)
            expires = ("Expires", str(self.lasts))
            self._answer(said, 200, ("Contact", said.get("contact")), expires)

    def _proves(self, method: str, given: dict[str, str]) -> bool:
        proof = message.authorization(CHALLENGE, method, given["uri"], ACCOUNT, self.password)
        return f'response="{given["response"]}"' in proof

    def _answer(self, said: Message, status: int, *more: tuple[str, str]) -> None:
        asks = [("WWW-Authenticate", CHALLENGE)] if status == 401 else []
        self.carrier.answer(said, message.response(said, status, "t", [*asks, *more]))


@contextlib.asynccontextmanager
async def registered(
    box: Box, *, refusal: int, lasts: int
) -> AsyncIterator[tuple[Telephones, Registrar]]:
    """Everybody's telephones, and the carrier with whom the trunk is registered."""
    async with telephones(box.settings) as lines:
        password = routing.current(box.settings).trunks[0].password
        registrar = Registrar(lines.people.carrier, password, refusal, lasts)
        with ami.Connection(box.settings) as asterisk:  # it met nobody until now
            asterisk.act("PJSIPRegister", Registration="carrier")
        await seen(lambda: registrar.registered, "the trunk is registered")
        yield lines, registrar


def test_it_registers_again_after_the_carrier_knew_it_no_more(box: Box) -> None:
    """Nobody has to tell Asterisk."""

    async def play() -> None:
        async with registered(box, refusal=401, lasts=15) as (_, registrar):
            known, registrar.password = registrar.password, "a mistake of the carrier's"
            await seen(lambda: registrar.refused, "it is refused")
            registrar.password, since = known, len(registrar.registered)
            await seen(lambda: len(registrar.registered) > since, "it registers again")

    asyncio.run(play())
