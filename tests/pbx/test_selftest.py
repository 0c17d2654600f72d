"""The site calls itself: by a real Asterisk, through the real dialplan, with sound."""

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
from appliance.reports.today import today
from appliance.telephony import calls, routing
from appliance.telephony.routing import Trunk
from tests.pbx.box import Box

pytestmark = pytest.mark.calls


def test_a_test_call_goes_the_whole_road_and_counts_nowhere(followed: Box) -> None:
    began = clock.now()
    found = actions.synthetic_call(followed.settings)
    assert (found.failed, found.seen) == ("", "")
    assert [step.step for step in found.steps] == [
        *("phone", "line", "menu", "queue", "talk", "mark", "ledger", "recording", "marked")
    ]
    row = Call.get_by_id(found.call_id)
    assert (row.trunk, row.caller, row.synthetic) == ("self-test", None, True)
    assert [visit.queue for visit in QueueVisit.select()] == ["self-test"]
    assert {ring.operator for ring in Ring.select()} == {"self-test"}
    assert not FollowUp.select().exists()
    # figures
    now, tz = clock.now(), followed.settings.tz
    day = began.astimezone(tz).date()
    assert calls.listed(began, now, None, 10) == []
    assert calls.inbound(began, now) == []
    assert today(began, now, (), 20).accepted == 0
    report = monthly.as_json(monthly.build(followed.settings, Period(day, day, tz)))
    assert report["calls_total"]["inside"] in (0, None)
    assert report["calls_total"]["outside"] in (0, None)
    balance = calls.balance(began - dt.timedelta(seconds=1), now)
    assert (balance.arrivals, balance.outcomes, balance.difference) == (1, {"answered": 1}, 0)
    assert _check(followed, "self_test.call").state == "ok"


def test_a_call_that_goes_on_is_on_no_floor(followed: Box) -> None:
    with database.atomic() as kept:
        now = clock.now()
        Call.create(id="1.1", direction="inbound", arrived_at=now, synthetic=True, stage="menu")
        Call.create(id="1.2", direction="inbound", arrived_at=now, stage="menu")
        assert [one.call.id for one in calls.going_on()] == ["1.2"]
        kept.rollback()


def test_the_step_that_fails_is_named_and_alarms(
    followed: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = dataclasses.replace(selftests.line(followed.settings), secret="guessed")
    monkeypatch.setattr(selftests, "line", lambda settings: line)
    found = actions.synthetic_call(followed.settings)
    assert (found.ok, found.failed, found.seen) == (False, "phone", "REGISTER: 401")
    assert [step.ok for step in found.steps] == [False]
    assert selftests.latest("call").failed == "phone"
    failing = _check(followed, "self_test.call")
    assert (failing.state, failing.seen) == ("fail", "the phone could not register")
    assert Call.select().count() == SelfTest.select().where(SelfTest.ok).count()


def _check(box: Box, code: str) -> health.Check:
    return next(check for check in health.checks(box.settings) if check.code == code)


def test_without_a_network_a_call_and_its_appeal_go_the_whole_road(box: Box) -> None:
    """With a carrier who has a name, and name servers that swallow what is asked of them."""
    if not _may_leave_the_network():
        pytest.skip("this machine lets nobody make a network namespace")
    first = routing.current(box.settings)
    named = Trunk(
        "named", address="sip.carrier.test", register=True, user="u", password="p", watched=True
    )
    with database.atomic():
        hosts.remember({named.address: ["192.0.2.44"]})
        routing.save(dataclasses.replace(first, trunks=(*first.trunks, named)), "test")
    drill = subprocess.run(
        selftests.command(box.settings, "selftest", "offline", "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(drill.stdout or drill.stderr)
    assert (told["failed"], told["seen"]) == ("", "")
    assert drill.returncode == 0
    assert [step["step"] for step in told["steps"]][-3:] == ["recording", "form", "names"]
    assert selftests.latest("offline").ok
    assert not Call.select().where(Call.trunk == "drill").exists()  # the real site's ledger


def _may_leave_the_network() -> bool:
    tried = "from appliance.pbx.selftest.offline import cut_off, silence; cut_off(); silence()"
    done = subprocess.run([sys.executable, "-c", tried], capture_output=True, check=False)
    return done.returncode == 0


def test_asterisk_is_given_addresses_only(box: Box) -> None:
    named = Trunk("named", address="localhost", register=True, user="u", password="p")
    never = Trunk("never", address="never..found")  # nothing that could be a name
    wanted = dataclasses.replace(routing.first(box.settings), trunks=(named, never))
    text = config.render(box.settings, wanted)["pjsip.conf"]
    assert text.count("outbound_proxy = sip:127.0.0.1:5060\\;lr\\;hide") == 3
    assert "match = 127.0.0.1\n" in text
    assert "match = localhost" not in text
    assert "contact = sip:never..found" not in text
    assert hosts.known()["localhost"] == ["127.0.0.1"]


def test_the_telephone_of_tests_knows_no_way_in_from_outside(box: Box) -> None:
    """Whoever is not on this machine is refused, with or without the secret."""
    text = (box.settings.paths.asterisk / "pjsip.conf").read_text()
    for name in (selftests.NAME, selftests.PHONE):
        part = text[text.index(f"[{name}]\ntype = endpoint") :].partition("\n\n")[0]
        assert "deny = 0.0.0.0/0.0.0.0" in part
        assert f"permit = {box.settings.asterisk.address}/255.255.255.255" in part
