"""The site calls itself: with a real Asterisk, through the real dialplan, with sound."""

import dataclasses
import datetime as dt
import json
import subprocess
import sys

import pytest

from appliance.box import health, selftests
from appliance.box.links import hosts
from appliance.core import clock
from appliance.core.db import database
from appliance.models import Call, FollowUp, QueueVisit, Ring, SelfTest
from appliance.pbx import actions, config
from appliance.reports import monthly
from appliance.reports.periods import Period
from appliance.reports.today import count_today
from appliance.telephony import calls, routing
from appliance.telephony.routing import Trunk
from tests.pbx.box import Box

pytestmark = pytest.mark.calls


def test_a_test_call_passes_all_steps_and_is_not_counted(followed: Box) -> None:
    began = clock.now()
    result = actions.place_synthetic_call(followed.settings)
    assert (result.failed, result.seen) == ("", "")
    assert [step.step for step in result.steps] == [
        *("phone", "line", "menu", "queue", "talk", "mark", "ledger", "recording", "marked")
    ]
    row = Call.get_by_id(result.call_id)
    assert (row.trunk, row.caller, row.synthetic) == ("self-test", None, True)
    assert [visit.queue for visit in QueueVisit.select()] == ["self-test"]
    assert {ring.operator for ring in Ring.select()} == {"self-test"}
    assert not FollowUp.select().exists()
    # figures
    now, tz = clock.now(), followed.settings.tz
    day = began.astimezone(tz).date()
    assert calls.inbound_page(began, now, None, 10) == []
    assert calls.inbound_calls(began, now) == []
    assert count_today(began, now, (), 20).accepted == 0
    report = monthly.as_json(monthly.build_monthly_report(followed.settings, Period(day, day, tz)))
    assert report["calls_total"]["inside"] in (0, None)
    assert report["calls_total"]["outside"] in (0, None)
    balance = calls.ledger_balance(began - dt.timedelta(seconds=1), now)
    assert (balance.arrivals, balance.outcomes, balance.difference) == (1, {"answered": 1}, 0)
    assert _check_by_code(followed, "self_test.call").state == "ok"


def test_an_ongoing_test_call_is_not_on_the_wall_page(followed: Box) -> None:
    with database.atomic() as transaction:
        now = clock.now()
        Call.create(id="1.1", direction="inbound", arrived_at=now, synthetic=True, stage="menu")
        Call.create(id="1.2", direction="inbound", arrived_at=now, stage="menu")
        assert [entry.call.id for entry in calls.live_calls()] == ["1.2"]
        transaction.rollback()


def test_a_failed_step_is_named_and_raises_an_alarm(
    followed: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = dataclasses.replace(selftests.self_test_line(followed.settings), secret="guessed")
    monkeypatch.setattr(selftests, "self_test_line", lambda settings: line)
    result = actions.place_synthetic_call(followed.settings)
    assert (result.ok, result.failed, result.seen) == (False, "phone", "REGISTER: 401")
    assert [step.ok for step in result.steps] == [False]
    assert selftests.latest_test("call").failed == "phone"
    failing = _check_by_code(followed, "self_test.call")
    assert (failing.state, failing.seen) == ("fail", "the phone could not register")
    assert Call.select().count() == SelfTest.select().where(SelfTest.ok).count()


def _check_by_code(box: Box, code: str) -> health.Check:
    return next(check for check in health.all_checks(box.settings) if check.code == code)


def test_without_a_network_a_call_and_its_appeal_pass_all_steps(box: Box) -> None:
    """With a carrier that has a host name, and name servers that never answer."""
    if not _can_create_namespace():
        pytest.skip("this machine lets nobody make a network namespace")
    first = routing.current_plan(box.settings)
    named_trunk = Trunk(
        "named", address="sip.carrier.test", register=True, user="u", password="p", watched=True
    )
    with database.atomic():
        hosts.store_addresses({named_trunk.address: ["192.0.2.44"]})
        routing.save_plan(dataclasses.replace(first, trunks=(*first.trunks, named_trunk)), "test")
    drill = subprocess.run(
        selftests.appliance_command(box.settings, "selftest", "offline", "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(drill.stdout or drill.stderr)
    assert (report["failed"], report["seen"]) == ("", "")
    assert drill.returncode == 0
    assert [step["step"] for step in report["steps"]][-3:] == ["recording", "form", "names"]
    assert selftests.latest_test("offline").ok
    assert not Call.select().where(Call.trunk == "drill").exists()  # in the real site's ledger


def _can_create_namespace() -> bool:
    program = (
        "from appliance.pbx.selftest import offline\n"
        "offline.isolate_network()\noffline.occupy_name_servers()"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    return process.returncode == 0


def test_asterisk_is_configured_with_addresses_only(box: Box) -> None:
    named_trunk = Trunk("named", address="localhost", register=True, user="u", password="p")
    unresolvable = Trunk("never", address="never..found")  # not a valid host name
    plan = dataclasses.replace(
        routing.initial_plan(box.settings), trunks=(named_trunk, unresolvable)
    )
    text = config.render_files(box.settings, plan)["pjsip.conf"]
    assert text.count("outbound_proxy = sip:127.0.0.1:5060\\;lr\\;hide") == 3
    assert "match = 127.0.0.1\n" in text
    assert "match = localhost" not in text
    assert "contact = sip:never..found" not in text
    assert hosts.stored_addresses()["localhost"] == ["127.0.0.1"]


def test_the_telephone_of_the_self_test_is_refused_from_outside(box: Box) -> None:
    """Only this machine is admitted, with or without the secret."""
    text = (box.settings.paths.asterisk / "pjsip.conf").read_text()
    for name in (selftests.TEST_TRUNK, selftests.TEST_PHONE):
        part = text[text.index(f"[{name}]\ntype = endpoint") :].partition("\n\n")[0]
        assert "deny = 0.0.0.0/0.0.0.0" in part
        assert f"permit = {box.settings.asterisk.address}/255.255.255.255" in part
