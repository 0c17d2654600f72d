"""What Asterisk lacks of what it was given to run with, and how it differs from that."""

import asyncio
from collections.abc import Iterator

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.core.db import database
from appliance.models import AsteriskWatch, ExchangeLook
from appliance.pbx import inspection
from appliance.pbx.ami import Connection, Refused
from appliance.pbx.second_places import SecondPlaces
from appliance.people import accounts
from appliance.sip.agent import Agent
from appliance.telephony import routing
from tests.pbx.box import Box
from tests.rig.waiting import until

IN_ORDER = dict.fromkeys(("modules", "queues", "queue_settings", "dialplan", "files"), [])
IDENTIFIER = "res_pjsip_endpoint_identifier_ip.so"


@pytest.fixture(autouse=True)
def seen(box: Box) -> Iterator[None]:
    """The exchange has answered recently."""
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    yield
    AsteriskWatch.delete().execute()
    ExchangeLook.delete().execute()


def looked(box: Box) -> dict[str, list[str]]:
    inspection.look(box.settings)
    return {row.name: row.missing for row in ExchangeLook.select()}


def state(box: Box, code: str) -> str:
    found = {check.code: check.state for check in health.quick(box.settings)}
    return found[code]


def words(box: Box, *lines: str) -> None:
    for line in lines:
        inspection.console(box.settings, line)


def test_modules_and_queues_are_asked_for(box: Box) -> None:
    assert looked(box) == IN_ORDER
    with Connection(box.settings) as asterisk:
        asterisk.act("ModuleLoad", Module="cel_custom.so", LoadType="unload")
        assert looked(box)["modules"] == ["cel_custom.so"]
        asterisk.act("ModuleLoad", Module="cel_custom.so", LoadType="load")
        asterisk.act("ModuleLoad", Module="app_queue.so", LoadType="unload")
        found = looked(box)
        asterisk.act("ModuleLoad", Module="app_queue.so", LoadType="load")
    assert found["modules"] == ["app_queue.so"]
    assert set(routing.shared(routing.current(box.settings))) < set(found["queues"])
    assert looked(box) == IN_ORDER


def test_a_dialplan_without_a_context_or_with_another_step(box: Box) -> None:
    assert state(box, "asterisk.dialplan") == "warn"  # not looked at yet
    assert looked(box) == IN_ORDER
    assert state(box, "asterisk.dialplan") == "ok"
    try:
        words(box, "dialplan remove context arrival")
        assert looked(box)["dialplan"] == ["arrival"]
        assert state(box, "asterisk.dialplan") == "fail"
        words(box, "dialplan reload")
        assert looked(box) == IN_ORDER
        words(box, "dialplan add extension s,1,Hangup() into menu replace")
        assert looked(box)["dialplan"] == ["menu"]
    finally:
        words(box, "dialplan reload")
    assert looked(box) == IN_ORDER
    assert state(box, "asterisk.dialplan") == "ok"


def test_a_queue_that_shares_calls_out_otherwise(box: Box) -> None:
    file = box.settings.paths.asterisk / "queues.conf"
    before = file.read_text("utf-8")
    file.write_text(before.replace("strategy = leastrecent", "strategy = ringall"), "utf-8")
    words(box, "queue reload all")
    assert looked(box)["files"] == ["queues.conf"]
    assert state(box, "asterisk.files") == "fail"
    file.write_text(before, "utf-8")  # the files are in order again, Asterisk is not
    found = looked(box)
    assert found["files"] == []
    assert "uz: ringall, 0, 0" in found["queue_settings"]
    assert state(box, "asterisk.queue_settings") == "fail"
    file.touch()
    words(box, "queue reload all")
    assert looked(box) == IN_ORDER
    assert state(box, "asterisk.queue_settings") == "ok"


def places(box: Box, known: SecondPlaces) -> list[str]:
    with Connection(box.settings) as asterisk:
        return known.look(box.settings, asterisk)


def places_apart(box: Box, known: SecondPlaces) -> list[str]:
    """Runs in a thread, so that the phones here can answer at the same time."""
    with database.connection_context():
        return places(box, known)


def test_an_extension_that_is_registered_from_two_places(box: Box) -> None:
    phone = next(user for user in accounts.with_phone() if user.extension == "1001")
    net, known = box.settings.asterisk.address.rpartition(".")[0], SecondPlaces()
    server = (box.settings.asterisk.address, box.settings.asterisk.sip_port)

    async def register() -> None:
        account = (phone.extension, phone.sip_password)
        async with Agent(f"{net}.251", 0, server) as desk:
            assert await desk.register(*account) == 200
            assert await asyncio.to_thread(places_apart, box, known) == []
            async with Agent(f"{net}.252", 0, server) as stranger:
                assert await stranger.register(*account) == 200
                found = await asyncio.to_thread(places_apart, box, known)
                assert found == [f"1001: {net}.252, {net}.251"]
            assert await desk.register(*account) == 200
            assert await asyncio.to_thread(places_apart, box, known) == []  # the other one is gone
            # To and fro: two phones, even if neither answers at its former place.
            async with Agent(f"{net}.253", 0, server) as other:
                assert await other.register(*account) == 200
            found = await asyncio.to_thread(places_apart, box, known)
            assert found == [f"1001: {net}.253, {net}.251"]

    asyncio.run(register())


def test_a_phone_that_moved_is_no_second_one(box: Box) -> None:
    phone = next(user for user in accounts.with_phone() if user.extension == "1002")
    net, known = box.settings.asterisk.address.rpartition(".")[0], SecondPlaces()
    server = (box.settings.asterisk.address, box.settings.asterisk.sip_port)

    async def register(host: str) -> list[str]:
        async with Agent(host, 0, server) as desk:
            assert await desk.register(phone.extension, phone.sip_password) == 200
            return await asyncio.to_thread(places_apart, box, known)

    assert asyncio.run(register(f"{net}.251")) == []
    assert asyncio.run(register(f"{net}.252")) == []


def test_a_wrong_password_for_commands_is_named(box: Box) -> None:
    inspection.note_sign_in("Login: Authentication failed")
    [row] = ExchangeLook.select().where(ExchangeLook.name == "sign_in")
    assert row.missing == ["Login: Authentication failed"]
    inspection.note_sign_in("")
    [row] = ExchangeLook.select().where(ExchangeLook.name == "sign_in")
    assert row.missing == []


def test_a_module_that_is_loaded_and_does_not_run(box: Box) -> None:
    """Runs last: only a restart of Asterisk repairs it."""
    with Connection(box.settings) as asterisk:
        asterisk.act("ModuleLoad", Module=IDENTIFIER, LoadType="unload")
        with pytest.raises(Refused):  # it was loaded before
            asterisk.act("ModuleLoad", Module=IDENTIFIER, LoadType="load")
        asterisk.act("ModuleCheck", Module=IDENTIFIER)  # and which says that it is there
    assert looked(box)["modules"] == [IDENTIFIER]
    assert state(box, "asterisk.modules") == "fail"
    box.kill()
    box.start_again()
    until(box.answers, limit=60)
    assert looked(box) == IN_ORDER
