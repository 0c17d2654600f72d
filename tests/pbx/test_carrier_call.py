"""A test call over a trunk: through a carrier and back, by a real Asterisk, with sound."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator

import pytest

from appliance.box import health, selftests
from appliance.box.selftests import Result
from appliance.core import clock
from appliance.core.db import database
from appliance.core.settings import SelfTests, Settings
from appliance.models import Call, Ring, SelfTest
from appliance.pbx.selftest import carrier
from appliance.sip.agent import Agent
from appliance.telephony import calls, routing
from provisioning.local.carrier import Loop
from tests.pbx.box import Box
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
HOTLINE = "1006"


@contextlib.asynccontextmanager
async def looping(settings: Settings) -> AsyncIterator[Loop]:
    address = settings.trunks[0].address
    box = (settings.asterisk.address, settings.asterisk.sip_port)
    async with Agent(address, settings.asterisk.sip_port, box) as agent:
        loop = Loop(agent, HOTLINE)
        agent.taken = loop.take
        yield loop


def called(box: Box, mood: str = "ok", shown: str | None = None) -> Result:
    """One test call over the trunk, through a carrier in that mood."""

    def call() -> Result:
        with database.connection_context():
            return carrier.carrier_call(box.settings, "carrier")

    async def both() -> Result:
        async with looping(box.settings) as loop:
            loop.mood, loop.shown = mood, shown
            return await asyncio.to_thread(call)

    return asyncio.run(both())


def checked(box: Box) -> tuple[str, str]:
    site = dataclasses.replace(box.settings, self_tests=SelfTests(carrier_minutes=10))
    [check] = [c for c in health.quick(site) if c.code == "carrier_call.carrier"]
    assert "{" not in check.advice.format(**check.values)
    return check.state, check.seen


def test_a_call_comes_back_and_is_heard_both_ways(followed: Box) -> None:
    began = clock.now()
    found = called(followed)
    assert (found.failed, found.seen) == ("", HOTLINE)
    assert [step.step for step in found.steps] == ["phone", "arrival", "there", "back"]
    assert checked(followed)[0] == "ok"
    until(lambda: Call.select().where(Call.ended_at.is_null(False)).exists(), 20)
    [row] = Call.select()  # the way out is no call
    assert row.synthetic
    assert row.trunk == "carrier"
    assert not Ring.select().exists()
    now = clock.now()
    assert list(calls.inbound(began, now)) == []
    until(lambda: not calls.balance(began, now).lacking, 20)  # it is recorded, as any talk is
    assert calls.balance(began, now).difference == 0


@pytest.mark.parametrize("shown", ["", "998712000000"])
def test_a_call_without_our_number_is_known_by_its_code(followed: Box, shown: str) -> None:
    assert called(followed, shown=shown).failed == ""
    until(lambda: Call.select().where(Call.ended_at.is_null()).count() == 0, 20)
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
def test_what_a_carrier_does_wrong_is_named_and_ends(followed: Box, mood: str, failed: str) -> None:
    assert called(followed, mood).failed == failed
    assert checked(followed) == ("fail", selftests.FAILURES[failed])
    assert called(followed).failed == ""
    assert checked(followed)[0] == "ok"


def test_a_citizen_who_calls_in_these_seconds_is_served(followed: Box) -> None:
    """The test call never comes back; a citizen does, whose call is no test."""
    settings = followed.settings

    async def both() -> tuple[Result, bool]:
        async with looping(settings) as loop:
            loop.mood = "drop"

            def call() -> Result:
                with database.connection_context():
                    return carrier.carrier_call(settings, "carrier")

            testing = asyncio.create_task(asyncio.to_thread(call))
            while not loop.agent.calls:
                await asyncio.sleep(0.02)
            citizen = loop.agent.call("998901234567", HOTLINE, 305)
            citizen.start()
            async with asyncio.timeout(20):
                while not citizen.media.flow.packets:
                    await asyncio.sleep(0.05)
            citizen.hang_up()
            return await testing, citizen.up_at is not None

    found, served = asyncio.run(both())
    assert (found.failed, served) == ("carrier", True)
    until(lambda: Call.select().where(Call.caller == "+998901234567").exists(), 20)
    assert not Call.get(Call.caller == "+998901234567").synthetic


def test_a_busy_line_is_left_to_citizens(followed: Box, monkeypatch) -> None:
    [trunk] = routing.current(followed.settings).trunks
    assert not carrier.is_busy(trunk)
    assert carrier.is_busy(dataclasses.replace(trunk, channels=2))
    assert not carrier.is_busy(dataclasses.replace(trunk, channels=3))
    before = checked(followed)
    monkeypatch.setattr(carrier, "is_busy", lambda _trunk: True)
    assert carrier.carrier_call(followed.settings, "carrier").failed == "busy"
    assert SelfTest.select().order_by(SelfTest.id.desc()).first().failed == "busy"
    assert checked(followed) == before  # what was found before still holds


def note_result(ago: float, failed: str) -> None:
    began = clock.now() - dt.timedelta(seconds=ago)
    selftests.record(Result("carrier.carrier", began, (), failed))


def test_when_a_call_is_due_again(followed: Box) -> None:
    site = dataclasses.replace(followed.settings, self_tests=SelfTests(carrier_minutes=10))
    SelfTest.delete().execute()
    due = selftests.is_due_over
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
    assert not due(site, "carrier")  # six in a row: as seldom as any
    SelfTest.delete().execute()


def test_no_such_trunk_and_none_that_wants_it(followed: Box) -> None:
    with pytest.raises(LookupError):
        carrier.carrier_call(followed.settings, "nobody")
    assert [trunk.name for trunk in carrier.eligible(followed.settings)] == ["carrier"]
    plan = routing.current(followed.settings)
    off = tuple(dataclasses.replace(trunk, test_calls=False) for trunk in plan.trunks)
    routing.save(dataclasses.replace(plan, trunks=off), by="rustam")
    assert carrier.eligible(followed.settings) == []
