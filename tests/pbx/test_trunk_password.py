"""A trunk's account: its password changes during a talk, and registration never gives up."""

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
from tests.pbx.telephones import Telephones, telephones
from tests.pbx.test_sip_attacks import undisturbed_talk
from tests.rig.waiting import wait_for

pytestmark = pytest.mark.calls
ACCOUNT, TEST_NUMBER = "4711", "+998712000000"
CHALLENGE = 'Digest realm="carrier", nonce="n0nce"'


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """The carrier requires an account; the site's file equals the test's settings."""
    plan = routing.current_plan(site)
    trunk = dataclasses.replace(plan.trunks[0], register=True, user=ACCOUNT, password="first")
    routing.save_plan(dataclasses.replace(plan, trunks=(trunk,)), by="test")
    return dataclasses.replace(site, calls=dataclasses.replace(site.calls, test_number=TEST_NUMBER))


class Registrar:
    """The carrier's own check of registrations and calls, before its telephone receives them.

    `refusal`: 403, or 401, which asks for another proof. `lasts`: seconds of a registration, which
    Asterisk renews 10 s before its end.
    """

    def __init__(self, carrier: Agent, password: str, refusal: int, lasts: int) -> None:
        self.carrier, self.password = carrier, password
        self.refusal, self.lasts = refusal, lasts
        self.pass_on = carrier._handle_request
        carrier._handle_request = self.check_request  # type: ignore[method-assign]
        self.registered: list[str] = []  # the password of each registration
        self.signed_off = 0
        self.refused: list[str] = []  # methods of requests with a wrong proof
        self.calls: list[str] = []  # called numbers

    def check_request(self, received: Message) -> None:
        """Ask for a proof, check it, and pass on valid requests."""
        begins = received.method == "REGISTER" or (
            received.method == "INVITE" and ";tag=" not in received.get("to")
        )
        proof_fields = dict(re.findall(r'(\w+)="?([^",]*)"?', received.get("authorization")))
        if not begins:
            self.pass_on(received)
        elif not proof_fields:
            self._send_response(received, 401)
        elif not self._is_valid_proof(received.method, proof_fields):
            self.refused.append(received.method)
            self._send_response(received, self.refusal)
        elif received.method == "INVITE":
            self.pass_on(received)
        elif received.get("expires") == "0":
            self.signed_off += 1
            self._send_response(received, 200, ("Expires", "0"))
        else:
            self.registered.append(self.password)
            expires = ("Expires", str(self.lasts))
            self._send_response(received, 200, ("Contact", received.get("contact")), expires)

    def refuse_call(self, call: Call) -> None:
        """Note a call over the trunk, and answer busy."""
        self.calls.append(call.callee)
        call.refuse_call(486)

    def _is_valid_proof(self, method: str, proof_fields: dict[str, str]) -> bool:
        proof = message.digest_authorization(
            CHALLENGE, method, proof_fields["uri"], ACCOUNT, self.password
        )
        return f'response="{proof_fields["response"]}"' in proof

    def _send_response(self, request: Message, status: int, *more: tuple[str, str]) -> None:
        headers = [("WWW-Authenticate", CHALLENGE)] if status == 401 else []
        self.carrier.send_response(
            request, message.encode_response(request, status, "t", [*headers, *more])
        )


@contextlib.asynccontextmanager
async def register_trunk(
    box: Box, *, refusal: int, lasts: int
) -> AsyncIterator[tuple[Telephones, Registrar]]:
    """Yield everybody's telephones, and the carrier at which the trunk is registered."""
    async with telephones(box.settings) as lines:
        password = routing.current_plan(box.settings).trunks[0].password
        registrar = Registrar(lines.people.carrier, password, refusal, lasts)
        lines.people.on_outgoing_call = registrar.refuse_call
        with ami.Connection(box.settings) as asterisk:  # no registrar answered it until now
            asterisk.send_action("PJSIPRegister", Registration="carrier")
        await wait_for(lambda: registrar.registered, "the trunk is registered")
        yield lines, registrar


async def place_trial_call(box: Box) -> None:
    """Place a call of our own over the trunk."""
    call = db.database.connection_context()(actions.start_line_trial)
    trial = await asyncio.to_thread(call, box.settings, "carrier", "rustam")
    trunks.end_test(trial.id, "BUSY")  # as `appliance pbx` would store it


async def change_password(box: Box, password: str) -> None:
    """Change the password with the command, as the carrier's letter asks."""
    program = str(Path(sys.executable).with_name("appliance"))
    site = ["--config", str(box.settings.file)]
    arguments = ["trunk", "password", "carrier", "--password-stdin"]
    await asyncio.to_thread(
        subprocess.run, [program, *site, *arguments], input=f"{password}\n", text=True, check=True
    )


def test_a_talk_survives_a_new_password_and_the_old_one_is_not_used(box: Box) -> None:
    former = routing.current_plan(box.settings).trunks[0].password
    entry_count = AuditEntry.select().where(AuditEntry.action == "plan.save").count()

    async def change_during_talk() -> None:
        async with (
            register_trunk(box, refusal=403, lasts=15) as (lines, registrar),
            undisturbed_talk(box, lines, "+998901000001") as talk,
        ):
            await place_trial_call(box)
            await wait_for(lambda: len(registrar.calls) == 1, "a call by the former password")
            registrar.password = "next"  # the carrier changes it first
            await place_trial_call(box)
            for method in ("INVITE", "REGISTER"):
                await wait_for(
                    lambda method=method: method in registrar.refused, f"{method} is refused"
                )
            await change_password(box, "next")
            before = len(registrar.refused)
            await place_trial_call(box)
            await wait_for(lambda: len(registrar.calls) == 2, "a call by the next password")
            await wait_for(lambda: registrar.registered[-1] == "next", "it registers")
            assert registrar.refused[before:] == []
            assert (talk.citizen.state, talk.leg.state) == ("up", "up")

    asyncio.run(change_during_talk())
    assert AuditEntry.select().where(AuditEntry.action == "plan.save").count() == entry_count + 1
    text = (box.settings.paths.asterisk / "pjsip.conf").read_text("utf-8")
    assert "password = next" in text
    assert f"password = {former}" not in text


def test_a_valid_registration_is_not_ended(box: Box) -> None:
    """After a sign-off, no call would arrive until the next registration."""

    async def change_and_call() -> None:
        async with register_trunk(box, refusal=403, lasts=3600) as (_, registrar):
            before = registrar.signed_off
            registrar.password = "another"
            await change_password(box, "another")
            await place_trial_call(box)
            await wait_for(lambda: registrar.calls, "a call by the next password")
            assert (registrar.signed_off, registrar.refused) == (before, [])

    asyncio.run(change_and_call())


def test_the_trunk_registers_again_after_a_refusal(box: Box) -> None:
    """Asterisk needs no command for it."""

    async def refuse_and_recover() -> None:
        async with register_trunk(box, refusal=401, lasts=15) as (_, registrar):
            real_password, registrar.password = registrar.password, "a mistake of the carrier's"
            await wait_for(lambda: registrar.refused, "it is refused")
            registrar.password, since = real_password, len(registrar.registered)
            await wait_for(lambda: len(registrar.registered) > since, "it registers again")

    asyncio.run(refuse_and_recover())
