"""What the running Asterisk lacks of its configuration, and how it differs from it."""

import asyncio
from collections.abc import Iterator

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.core.db import database
from appliance.models import AsteriskWatch, ExchangeLook
from appliance.pbx import inspection
from appliance.pbx.ami import ActionRefused, Connection
from appliance.pbx.duplicate_registrations import DuplicateRegistrations
from appliance.people import accounts
from appliance.sip.agent import Agent
from appliance.telephony import routing
from tests.pbx.box import Box
from tests.rig.waiting import wait_until

NO_FINDINGS = dict.fromkeys(("modules", "queues", "queue_settings", "dialplan", "files"), [])
IDENTIFIER_MODULE = "res_pjsip_endpoint_identifier_ip.so"


@pytest.fixture(autouse=True)
def answering_exchange(box: Box) -> Iterator[None]:
    """The exchange answered recently."""
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    yield
    AsteriskWatch.delete().execute()
    ExchangeLook.delete().execute()


def inspection_findings(box: Box) -> dict[str, list[str]]:
    inspection.inspect_asterisk(box.settings)
    return {row.name: row.missing for row in ExchangeLook.select()}


def check_state(box: Box, code: str) -> str:
    state_by_code = {check.code: check.state for check in health.quick_checks(box.settings)}
    return state_by_code[code]


def run_console_commands(box: Box, *lines: str) -> None:
    for line in lines:
        inspection.run_console_command(box.settings, line)


def test_missing_modules_and_queues_are_reported(box: Box) -> None:
    assert inspection_findings(box) == NO_FINDINGS
    with Connection(box.settings) as asterisk:
        asterisk.send_action("ModuleLoad", Module="cel_custom.so", LoadType="unload")
        assert inspection_findings(box)["modules"] == ["cel_custom.so"]
        asterisk.send_action("ModuleLoad", Module="cel_custom.so", LoadType="load")
        asterisk.send_action("ModuleLoad", Module="app_queue.so", LoadType="unload")
        findings = inspection_findings(box)
        asterisk.send_action("ModuleLoad", Module="app_queue.so", LoadType="load")
    assert findings["modules"] == ["app_queue.so"]
    assert set(routing.shared_queues(routing.current_plan(box.settings))) < set(findings["queues"])
    assert inspection_findings(box) == NO_FINDINGS


def test_a_missing_context_and_a_changed_step_are_reported(box: Box) -> None:
    assert check_state(box, "asterisk.dialplan") == "warn"  # not inspected yet
    assert inspection_findings(box) == NO_FINDINGS
    assert check_state(box, "asterisk.dialplan") == "ok"
    try:
        run_console_commands(box, "dialplan remove context arrival")
        assert inspection_findings(box)["dialplan"] == ["arrival"]
        assert check_state(box, "asterisk.dialplan") == "fail"
        run_console_commands(box, "dialplan reload")
        assert inspection_findings(box) == NO_FINDINGS
        run_console_commands(box, "dialplan add extension s,1,Hangup() into menu replace")
        assert inspection_findings(box)["dialplan"] == ["menu"]
    finally:
        run_console_commands(box, "dialplan reload")
    assert inspection_findings(box) == NO_FINDINGS
    assert check_state(box, "asterisk.dialplan") == "ok"


def test_a_queue_with_another_strategy_is_reported(box: Box) -> None:
    file = box.settings.paths.asterisk / "queues.conf"
    before = file.read_text("utf-8")
    file.write_text(before.replace("strategy = leastrecent", "strategy = ringall"), "utf-8")
    run_console_commands(box, "queue reload all")
    assert inspection_findings(box)["files"] == ["queues.conf"]
    assert check_state(box, "asterisk.files") == "fail"
    file.write_text(before, "utf-8")  # the files are in order again, Asterisk is not
    findings = inspection_findings(box)
    assert findings["files"] == []
    assert "uz: ringall, 0, 0" in findings["queue_settings"]
    assert check_state(box, "asterisk.queue_settings") == "fail"
    file.touch()
    run_console_commands(box, "queue reload all")
    assert inspection_findings(box) == NO_FINDINGS
    assert check_state(box, "asterisk.queue_settings") == "ok"


def second_places(box: Box, watcher: DuplicateRegistrations) -> list[str]:
    with Connection(box.settings) as asterisk:
        return watcher.find_duplicates(box.settings, asterisk)


def second_places_in_thread(box: Box, watcher: DuplicateRegistrations) -> list[str]:
    """Runs in a thread, so that the phones here can answer at the same time."""
    with database.connection_context():
        return second_places(box, watcher)


def test_an_extension_registered_from_two_places_is_reported(box: Box) -> None:
    phone = next(user for user in accounts.users_with_phone() if user.extension == "1001")
    net, watcher = box.settings.asterisk.address.rpartition(".")[0], DuplicateRegistrations()
    server = (box.settings.asterisk.address, box.settings.asterisk.sip_port)

    async def register_twice() -> None:
        account = (phone.extension, phone.sip_password)
        async with Agent(f"{net}.251", 0, server) as desk:
            assert await desk.register(*account) == 200
            assert await asyncio.to_thread(second_places_in_thread, box, watcher) == []
            async with Agent(f"{net}.252", 0, server) as stranger:
                assert await stranger.register(*account) == 200
                places = await asyncio.to_thread(second_places_in_thread, box, watcher)
                assert places == [f"1001: {net}.252, {net}.251"]
            assert await desk.register(*account) == 200
            # the other phone is gone
            assert await asyncio.to_thread(second_places_in_thread, box, watcher) == []
            # Back and forth: two phones, even if neither answers at its former address.
            async with Agent(f"{net}.253", 0, server) as other:
                assert await other.register(*account) == 200
            places = await asyncio.to_thread(second_places_in_thread, box, watcher)
            assert places == [f"1001: {net}.253, {net}.251"]

    asyncio.run(register_twice())


def test_a_phone_that_moved_is_not_a_second_phone(box: Box) -> None:
    phone = next(user for user in accounts.users_with_phone() if user.extension == "1002")
    net, watcher = box.settings.asterisk.address.rpartition(".")[0], DuplicateRegistrations()
    server = (box.settings.asterisk.address, box.settings.asterisk.sip_port)

    async def register_from_host(host: str) -> list[str]:
        async with Agent(host, 0, server) as desk:
            assert await desk.register(phone.extension, phone.sip_password) == 200
            return await asyncio.to_thread(second_places_in_thread, box, watcher)

    assert asyncio.run(register_from_host(f"{net}.251")) == []
    assert asyncio.run(register_from_host(f"{net}.252")) == []


def test_a_wrong_password_for_commands_is_reported(box: Box) -> None:
    inspection.record_sign_in("Login: Authentication failed")
    [row] = ExchangeLook.select().where(ExchangeLook.name == "sign_in")
    assert row.missing == ["Login: Authentication failed"]
    inspection.record_sign_in("")
    [row] = ExchangeLook.select().where(ExchangeLook.name == "sign_in")
    assert row.missing == []


def test_a_loaded_module_that_does_not_run_is_reported(box: Box) -> None:
    """Runs last: only a restart of Asterisk repairs it."""
    with Connection(box.settings) as asterisk:
        asterisk.send_action("ModuleLoad", Module=IDENTIFIER_MODULE, LoadType="unload")
        with pytest.raises(ActionRefused):  # because it was loaded before
            asterisk.send_action("ModuleLoad", Module=IDENTIFIER_MODULE, LoadType="load")
        # and this check reports it as present
        asterisk.send_action("ModuleCheck", Module=IDENTIFIER_MODULE)
    assert inspection_findings(box)["modules"] == [IDENTIFIER_MODULE]
    assert check_state(box, "asterisk.modules") == "fail"
    box.kill_process()
    box.restart_process()
    wait_until(box.accepts_commands, limit=60)
    assert inspection_findings(box) == NO_FINDINGS
