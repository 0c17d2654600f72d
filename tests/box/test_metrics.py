"""`/metrics`, and the alert rules that use it."""

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
from appliance.telephony.devices import DeviceState
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SpanReport, TrunkReport

ALERTS = Path(__file__).parents[2] / "provisioning" / "monitoring" / "alerts.yml"
NAMES = re.compile(r"\bappliance_\w+")


def metric_values(settings) -> dict[tuple[str, ...], float]:
    """(name, label values…) → value."""
    text = metrics.MetricsPage(settings).render_text().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def busy(settings, at_noon):
    """A site with activity of every kind."""
    lines = (
        Trunk("sip1", address="127.9.9.9", watched=True, channels=50),
        Trunk("e1", kind="e1", spans="1-15,17-31"),
    )
    routing.save_plan(Plan(trunks=lines), by="rustam")
    trunks.store_trunks([TrunkReport("sip1", trunks.DOWN, "Rejected")])
    slots = {slot: "busy" if slot < 8 else "free" for slot in range(1, 32) if slot != 16}
    trunks.store_spans([SpanReport(1, "e1", "Red Alarm", False, slots)])
    devices.store_states([DeviceState("sip1", "trunk", False, 2)])
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
    outbox.queue_message("sms", "manual", "+998901112233", key="x", due_at=now)
    run = runs.claim_run("disks", now - dt.timedelta(minutes=1), process_id.this_process_name())
    runs.finish_run(run, "failed", "no disk")
    alarms.store_check_states(health.all_checks(settings))
    return settings


def test_metrics_contain_the_current_figures(busy, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    values = metric_values(busy)
    assert values["appliance_calls_today", "answered"] == 2  # test calls are not counted
    assert values["appliance_calls_today", "abandoned_queue"] == 1
    assert values["appliance_operators", "ready"] == 1
    assert values["appliance_trunk_up", "sip1"] == 0
    assert values["appliance_trunk_registered", "sip1"] == 0
    assert values["appliance_trunk_channels", "sip1"] == 2
    assert values["appliance_trunk_channels_limit", "sip1"] == 50
    assert values["appliance_trunk_channels", "e1"] == 7
    assert values["appliance_trunk_channels_limit", "e1"] == 30
    assert values["appliance_span_alarm", "1", "e1"] == 1
    assert values["appliance_span_d_channel_up", "1", "e1"] == 0
    assert values["appliance_check_state", "trunk.sip1"] == 2
    assert values["appliance_check_state", "database"] == 0
    assert values["appliance_outbox_messages", "sms", "pending"] == 1
    assert values["appliance_outbox_oldest_seconds", "sms"] >= 0
    assert values["appliance_answer_seconds",] == 4
    assert values["appliance_job_failed", "disks"] == 1
    assert values["appliance_process_up", "pbx"] == 0
    assert values["appliance_disk_free_bytes", "recordings"] > 0


def test_the_metrics_are_cached_for_some_seconds(busy) -> None:
    answers = metrics.MetricsPage(busy)
    first = answers.render_text()
    trunks.store_trunks([TrunkReport("sip1", trunks.UP)])
    assert answers.render_text() is first


def test_metrics_are_readable_only_from_this_machine(client) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    other = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_base=other).status_code == 404


def test_every_metric_of_the_alert_rules_exists(busy) -> None:
    rules = [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]
    metric_names = {name for name, *_ in metric_values(busy)}
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["annotations"]["summary"], rule["alert"]
        assert set(NAMES.findall(rule["expr"])) <= metric_names, rule["alert"]
