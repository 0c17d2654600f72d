"""A trunk's account: its password is changed in a talk over it, and it never gives up."""

import asyncio
import contextlib
import dataclasses
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.core import db
from appliance.core.audit.table import AuditEntry
from appliance.core.settings import Settings
from appliance.pbx import actions, ami
from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from appliance.sip.message import Message
from appliance.telephony import routing, trunks
from tests.pbx.box import Box
from tests.pbx.telephones import Telephones, seen, telephones
from tests.pbx.test_sip_attacks import talk_goes_on

pytestmark = pytest.mark.calls
ACCOUNT, TEST_NUMBER = "4711", "+998712000000"
CHALLENGE = 'Digest realm="carrier", nonce="n0nce"'


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """The carrier wants an account; the site's file says what the test's settings do."""
    plan = routing.current(site)
    trunk = dataclasses.replace(plan.trunks[0], register=True, user=ACCOUNT, password="first")
    routing.save(dataclasses.replace(plan, trunks=(trunk,)), by="test")
    return dataclasses.replace(site, calls=dataclasses.replace(site.calls, test_number=TEST_NUMBER))


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
        self.calls: list[str] = []  # numbers

    def check(self, received: Message) -> None:
        """Ask for a proof, look at it, and hand on what is in order."""
        begins = received.method == "REGISTER" or (
            received.method == "INVITE" and ";tag=" not in received.get("to")
        )
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', received.get("authorization")))
        if not begins:
            self.hand_on(received)
        elif not given:
            self._answer(received, 401)
        elif not self._proves(received.method, given):
            self.refused.append(received.method)
            self._answer(received, self.refusal)
        elif received.method == "INVITE":
            self.hand_on(received)
        elif received.get("expires") == "0":
            self.signed_off += 1
            self._answer(received, 200, ("Expires", "0"))
        else:
            self.registered.append(self.password)
            expires = ("Expires", str(self.lasts))
            self._answer(received, 200, ("Contact", received.get("contact")), expires)

    def busy(self, call: Call) -> None:
        """Note a call of the trunk's, and be busy."""
        self.calls.append(call.called)
        call.refuse(486)

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
        lines.people.dialled = registrar.busy
        with ami.Connection(box.settings) as asterisk:  # it met nobody until now
            asterisk.act("PJSIPRegister", Registration="carrier")
        await seen(lambda: registrar.registered, "the trunk is registered")
        yield lines, registrar


async def call_out(box: Box) -> None:
    """A call of ours over the trunk."""
    call = db.database.connection_context()(actions.try_line)
    trial = await asyncio.to_thread(call, box.settings, "carrier", "rustam")
    trunks.end_test(trial.id, "BUSY")  # as `appliance pbx` would note


async def change(box: Box, password: str) -> None:
    """By the command, as the carrier's letter says."""
    program = str(Path(sys.executable).with_name("appliance"))
    site = ["--config", str(box.settings.file)]
    words = ["trunk", "password", "carrier", "--password-stdin"]
    await asyncio.to_thread(
        subprocess.run, [program, *site, *words], input=f"{password}\n", text=True, check=True
    )


def test_the_talk_goes_on_and_the_old_one_is_worth_nothing(box: Box) -> None:
    former = routing.current(box.settings).trunks[0].password
    noted = AuditEntry.select().where(AuditEntry.action == "plan.save").count()

    async def play() -> None:
        async with (
            registered(box, refusal=403, lasts=15) as (lines, registrar),
            talk_goes_on(box, lines, "+998901000001") as talk,
        ):
            await call_out(box)
            await seen(lambda: len(registrar.calls) == 1, "a call by the former password")
            registrar.password = "next"  # the carrier has it first
            await call_out(box)
            for method in ("INVITE", "REGISTER"):
                await seen(
                    lambda method=method: method in registrar.refused, f"{method} is refused"
                )
            await change(box, "next")
            before = len(registrar.refused)
            await call_out(box)
            await seen(lambda: len(registrar.calls) == 2, "a call by the next password")
            await seen(lambda: registrar.registered[-1] == "next", "it registers")
            assert registrar.refused[before:] == []
            assert (talk.citizen.state, talk.leg.state) == ("up", "up")

    asyncio.run(play())
    assert AuditEntry.select().where(AuditEntry.action == "plan.save").count() == noted + 1
    text = (box.settings.paths.asterisk / "pjsip.conf").read_text("utf-8")
    assert "password = next" in text
    assert f"password = {former}" not in text


def test_a_registration_that_stands_is_not_given_up(box: Box) -> None:
    """Signed off, no call would come in until the next one."""

    async def play() -> None:
        async with registered(box, refusal=403, lasts=3600) as (_, registrar):
            before = registrar.signed_off
            registrar.password = "another"
            await change(box, "another")
            await call_out(box)
            await seen(lambda: registrar.calls, "a call by the next password")
            assert (registrar.signed_off, registrar.refused) == (before, [])

    asyncio.run(play())


def test_it_registers_again_after_the_carrier_knew_it_no_more(box: Box) -> None:
    """Nobody has to tell Asterisk."""

    async def play() -> None:
        async with registered(box, refusal=401, lasts=15) as (_, registrar):
            known, registrar.password = registrar.password, "a mistake of the carrier's"
            await seen(lambda: registrar.refused, "it is refused")
            registrar.password, since = known, len(registrar.registered)
            await seen(lambda: len(registrar.registered) > since, "it registers again")

    asyncio.run(play())
