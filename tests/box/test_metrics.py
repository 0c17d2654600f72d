"""`/metrics`, and the rules that read it."""

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from appliance.box import alarms, health, metrics, runs
from appliance.core import outbox, process_id
from appliance.models import Call
from appliance.people import presence
from appliance.telephony import devices, routing, trunks
from appliance.telephony.devices import Seen
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SeenSpan, SeenTrunk

ALERTS = Path(__file__).parents[2] / "provisioning" / "monitoring" / "alerts.yml"
NAMES = re.compile(r"\bappliance_\w+")


def figures(settings) -> dict[tuple[str, ...], float]:
    """(name, values of the labels…) → value."""
    text = metrics.Metrics(settings).text().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def busy(settings, at_noon):
    """A site on which something of everything goes on."""
    lines = (
        Trunk("sip1", address="127.9.9.9", watched=True, channels=50),
        Trunk("e1", kind="e1", spans="1-15,17-31"),
    )
    routing.save(Plan(trunks=lines), by="rustam")
    trunks.see_trunks([SeenTrunk("sip1", trunks.DOWN, "Rejected")])
    slots = {slot: "busy" if slot < 8 else "free" for slot in range(1, 32) if slot != 16}
    trunks.see_spans([SeenSpan(1, "e1", "Red Alarm", False, slots)])
    devices.see([Seen("sip1", "trunk", False, 2)])
    now = at_noon
    Call.create(id="1", direction="inbound", arrived_at=now, stage="talk", talk_seconds=3)
    for number, outcome in enumerate(("answered", "answered", "abandoned_queue")):
        Call.create(
            id=f"9{number}",
            direction="inbound",
            arrived_at=now,
            ended_at=now,
            stage="ended",
            outcome=outcome,
            wait_seconds=4.0,
        )
    Call.create(
        id="8", direction="inbound", arrived_at=now, ended_at=now, stage="ended",
        outcome="answered", synthetic=True,
    )  # fmt: skip
    outbox.put("sms", "manual", "+998901112233", key="x", due_at=now)
    run = runs.begin("disks", now - dt.timedelta(minutes=1), process_id.this_process())
    runs.end(run, "failed", "no disk")
    alarms.remember(health.checks(settings))
    return settings


def test_the_figures(busy, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    seen = figures(busy)
    assert seen["appliance_calls_today", "answered"] == 2  # test calls are none
    assert seen["appliance_calls_today", "abandoned_queue"] == 1
    assert seen["appliance_operators", "ready"] == 1
    assert seen["appliance_trunk_up", "sip1"] == 0
    assert seen["appliance_trunk_registered", "sip1"] == 0
    assert seen["appliance_trunk_channels", "sip1"] == 2
    assert seen["appliance_trunk_channels_limit", "sip1"] == 50
    assert seen["appliance_trunk_channels", "e1"] == 7
    assert seen["appliance_trunk_channels_limit", "e1"] == 30
    assert seen["appliance_span_alarm", "1", "e1"] == 1
    assert seen["appliance_span_d_channel_up", "1", "e1"] == 0
    assert seen["appliance_check_state", "trunk.sip1"] == 2
    assert seen["appliance_check_state", "database"] == 0
    assert seen["appliance_outbox_messages", "sms", "pending"] == 1
    assert seen["appliance_outbox_oldest_seconds", "sms"] >= 0
    assert seen["appliance_answer_seconds",] == 4
    assert seen["appliance_job_failed", "disks"] == 1
    assert seen["appliance_process_up", "pbx"] == 0
    assert seen["appliance_disk_free_bytes", "recordings"] > 0


def test_an_answer_is_given_again_for_some_seconds(busy) -> None:
    answers = metrics.Metrics(busy)
    first = answers.text()
    trunks.see_trunks([SeenTrunk("sip1", trunks.UP)])
    assert answers.text() is first


def test_only_this_machine_reads_them(client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    other = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_base=other).status_code == 404


def test_every_figure_of_the_rules_is_there(busy) -> None:
    rules = [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]
    told = {name for name, *_ in figures(busy)}
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["annotations"]["summary"], rule["alert"]
        assert set(NAMES.findall(rule["expr"])) <= told, rule["alert"]
