"""The hotline with an E1 line in its plan."""

import subprocess
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.pbx import ami, config, eventlog
from appliance.pbx.interpret import interpret_call
from appliance.telephony.routing import Plan, Route, Trunk
from provisioning.local import asterisk as tree
from tests.pbx.box import Box
from tests.pbx.stories import ABANDONED_IN_MENU, LEFT_BY_CALLER, RATED_CALL
from tests.pbx.story import table_events as told_by
from tests.rig.waiting import wait_until

E1_PLAN = Plan(
    trunks=(Trunk("exchange", kind="e1", spans="1-15,17-31"), Trunk("carrier", address="10.9.2.1")),
    routes=(Route("", ("exchange", "carrier")),),
)


def test_without_a_card_the_hotline_answers_over_sip(site: Settings) -> None:
    config.install_files(site, is_verified=True)
    for name, text in config.render_files(site, E1_PLAN).items():
        (site.paths.asterisk / name).write_text(text)
    process = subprocess.Popen(
        [*tree.start_command(), "-f", "-C", str(site.paths.asterisk / "asterisk.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(Box(site, process).accepts_commands, limit=120)
        with ami.Connection(site) as asterisk:
            ends = asterisk.list_events("PJSIPShowEndpoints", "EndpointListComplete")
            channels = asterisk.list_events("DAHDIShowChannels", "DAHDIShowChannelsComplete")
    finally:
        process.kill()
        process.wait()
    assert {"carrier", "1001"} <= {event.get("ObjectName") for event in ends}
    assert channels == []


def test_asterisk_reports_an_alarm_for_each_channel() -> None:
    """A recorded pull of a cable: one alarm per channel, and no alarm of the span."""
    blocks = (Path(__file__).parent / "e1-alarms.txt").read_text().split("\n\n")
    events = [dict(line.split(": ", 1) for line in t.splitlines()) for t in blocks if t]
    raised = {e["DAHDIChannel"] for e in events if e["Event"] == "Alarm"}
    cleared = {e["DAHDIChannel"] for e in events if e["Event"] == "AlarmClear"}
    assert raised == cleared == {str(n) for n in range(1, 32) if n != 16}


def test_calls_over_an_e1_carry_the_name_of_their_trunk() -> None:
    """Read from an event log that was recorded with a real E1 driver."""
    data = (Path(__file__).parent / "e1-calls.csv").read_bytes()
    events = [piece.event for piece in eventlog.split_log(data) if piece.event]
    calls = [
        interpret_call(e for e in events if e.linkedid == i) for i in {e.linkedid for e in events}
    ]
    facts = {
        (c.direction, c.technology, c.trunk, c.outcome, tuple(a.trunk for a in c.attempts))
        for c in calls
        if c
    }
    assert facts == {
        ("inbound", "e1", "exchange", "answered", ()),
        ("outbound", "e1", "exchange", "answered", ("exchange",)),
        ("outbound", "e1", "exchange", "busy", ("exchange",)),
        ("outbound", "sip", "carrier", "answered", ("exchange", "carrier")),
    }


@pytest.mark.parametrize(
    ("table", "cause", "outcome", "ended_by"),
    [
        pytest.param(LEFT_BY_CALLER, 16, "answered", "caller", id="talk"),
        pytest.param(LEFT_BY_CALLER, 27, "answered", "system", id="talk-cable-cut"),
        pytest.param(ABANDONED_IN_MENU, 16, "abandoned_menu", "caller", id="menu"),
        pytest.param(ABANDONED_IN_MENU, 27, "failed", "system", id="menu-cable-cut"),
        pytest.param(RATED_CALL, 16, "answered", "operator", id="operator"),
    ],
)
def test_the_party_that_ended_a_call_over_an_e1_is_recognised(
    table: str, cause: int, outcome: str, ended_by: str
) -> None:
    """Asterisk names no source if the other end clears, the channel itself if the line fails."""
    source = "none" if cause == 16 else "caller"
    over_e1 = table.replace("source=caller", f"source={source} cause={cause}")
    call = interpret_call(told_by(over_e1.replace("caller", "first:e1")))
    assert call
    assert call.technology == "e1"
    assert (call.outcome, call.ended_by) == (outcome, ended_by)
