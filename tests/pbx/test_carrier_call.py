"""A test call over a trunk, through a carrier and back, by a real Asterisk, with sound."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator

import pytest

from appliance.box import health, selftests
from appliance.box.selftests import SelfTestResult
from appliance.core import clock
from appliance.core.db import database
from appliance.core.settings import SelfTests, Settings
from appliance.models import Call, Ring, SelfTest
from appliance.pbx.selftest import carrier
from appliance.sip.agent import Agent
from appliance.telephony import calls, routing
from provisioning.local.carrier import LoopCarrier
from tests.pbx.box import Box
from tests.rig.waiting import wait_for, wait_until

pytestmark = pytest.mark.calls
HOTLINE = "1006"


@contextlib.asynccontextmanager
async def run_carrier_loop(settings: Settings) -> AsyncIterator[LoopCarrier]:
    address = settings.trunks[0].address
    box = (settings.asterisk.address, settings.asterisk.sip_port)
    async with Agent(address, settings.asterisk.sip_port, box) as agent:
        loop = LoopCarrier(agent, HOTLINE)
        agent.on_call = loop.receive_call
        yield loop


def run_carrier_call(
    box: Box, mood: str = "ok", caller_number: str | None = None
) -> SelfTestResult:
    """Place one test call through a carrier in that mood, and return its result."""

    def place_call() -> SelfTestResult:
        with database.connection_context():
            return carrier.place_carrier_call(box.settings, "carrier")

    async def call_through_loop() -> SelfTestResult:
        async with run_carrier_loop(box.settings) as loop:
            loop.behaviour, loop.caller_number = mood, caller_number
            return await asyncio.to_thread(place_call)

    return asyncio.run(call_through_loop())


def carrier_check(box: Box) -> tuple[str, str]:
    site = dataclasses.replace(box.settings, self_tests=SelfTests(carrier_minutes=10))
    [check] = [c for c in health.quick_checks(site) if c.code == "carrier_call.carrier"]
    assert "{" not in check.advice.format(**check.values)
    return check.state, check.seen


def test_a_test_call_returns_with_sound_in_both_directions(followed: Box) -> None:
    began = clock.now()
    result = run_carrier_call(followed)
    assert (result.failed, result.seen) == ("", HOTLINE)
    assert [step.step for step in result.steps] == ["phone", "arrival", "there", "back"]
    assert carrier_check(followed)[0] == "ok"
    wait_until(lambda: Call.select().where(Call.ended_at.is_null(False)).exists(), 20)
    [row] = Call.select()  # the outgoing leg is not a call
    assert row.synthetic
    assert row.trunk == "carrier"
    assert not Ring.select().exists()
    now = clock.now()
    assert list(calls.inbound_calls(began, now)) == []
    # it is recorded like any talk
    wait_until(lambda: not calls.ledger_balance(began, now).lacking, 20)
    assert calls.ledger_balance(began, now).difference == 0


@pytest.mark.parametrize("caller_number", ["", "998712000000"])
def test_a_test_call_without_our_number_is_recognised_by_its_code(
    followed: Box, caller_number: str
) -> None:
    assert run_carrier_call(followed, caller_number=caller_number).failed == ""
    wait_until(lambda: Call.select().where(Call.ended_at.is_null()).count() == 0, 20)
    assert not Call.select().where(~Call.synthetic).exists()
    assert not Ring.select().exists()


@pytest.mark.parametrize(
    ("mood", "failed"),
    [
        ("drop", "carrier"),
        ("refuse", "carrier"),
        ("elsewhere", "arrival"),
        ("unheard", "back"),
        ("unheard_there", "there"),
    ],
)
def test_a_fault_of_the_carrier_is_named_until_a_call_succeeds(
    followed: Box, mood: str, failed: str
) -> None:
    assert run_carrier_call(followed, mood).failed == failed
    assert carrier_check(followed) == ("fail", selftests.FAILURES[failed])
    assert run_carrier_call(followed).failed == ""
    assert carrier_check(followed)[0] == "ok"


def test_a_citizen_who_calls_during_a_test_call_is_served(followed: Box) -> None:
    """The test call never returns; a citizen's call arrives, and is not taken for the test."""
    settings = followed.settings

    async def call_from_both_sides() -> tuple[SelfTestResult, bool]:
        async with run_carrier_loop(settings) as loop:
            loop.behaviour = "drop"

            def place_call() -> SelfTestResult:
                with database.connection_context():
                    return carrier.place_carrier_call(settings, "carrier")

            testing = asyncio.create_task(asyncio.to_thread(place_call))
            await wait_for(lambda: loop.agent.calls, "the test call")
            citizen = loop.agent.create_call("998901234567", HOTLINE, 305)
            citizen.send_invite()
            await wait_for(lambda: citizen.media.received.packets, "the hotline's sound")
            citizen.hang_up()
            return await testing, citizen.up_at is not None

    result, served = asyncio.run(call_from_both_sides())
    assert (result.failed, served) == ("carrier", True)
    wait_until(lambda: Call.select().where(Call.caller == "+998901234567").exists(), 20)
    assert not Call.get(Call.caller == "+998901234567").synthetic


def test_a_busy_line_is_left_to_citizens(followed: Box, monkeypatch) -> None:
    [trunk] = routing.current_plan(followed.settings).trunks
    assert not carrier.is_busy(trunk)
    assert carrier.is_busy(dataclasses.replace(trunk, channels=2))
    assert not carrier.is_busy(dataclasses.replace(trunk, channels=3))
    before = carrier_check(followed)
    monkeypatch.setattr(carrier, "is_busy", lambda _trunk: True)
    assert carrier.place_carrier_call(followed.settings, "carrier").failed == "busy"
    assert SelfTest.select().order_by(SelfTest.id.desc()).first().failed == "busy"
    assert carrier_check(followed) == before  # the earlier result still applies


def note_result(ago: float, failed: str) -> None:
    began = clock.now() - dt.timedelta(seconds=ago)
    selftests.save_result(SelfTestResult("carrier.carrier", began, (), failed))


def test_the_next_test_call_is_due_by_the_last_results(followed: Box) -> None:
    site = dataclasses.replace(followed.settings, self_tests=SelfTests(carrier_minutes=10))
    SelfTest.delete().execute()
    due = selftests.is_trunk_call_due
    assert due(site, "carrier")
    note_result(590, "")
    assert not due(site, "carrier")
    note_result(610, "")
    assert due(site, "carrier")
    note_result(30, "back")
    assert not due(site, "carrier")
    for _ in range(4):
        note_result(60, "back")
        assert due(site, "carrier")
    note_result(60, "busy")
    assert not due(site, "carrier")  # after six failures in a row: at the normal interval
    SelfTest.delete().execute()


def test_unknown_and_switched_off_trunks_are_not_tested(followed: Box) -> None:
    with pytest.raises(LookupError):
        carrier.place_carrier_call(followed.settings, "nobody")
    assert [trunk.name for trunk in carrier.eligible_trunks(followed.settings)] == ["carrier"]
    plan = routing.current_plan(followed.settings)
    off = tuple(dataclasses.replace(trunk, test_calls=False) for trunk in plan.trunks)
    routing.save_plan(dataclasses.replace(plan, trunks=off), by="rustam")
    assert carrier.eligible_trunks(followed.settings) == []
