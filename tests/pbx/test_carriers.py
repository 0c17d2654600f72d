"""Lines to the carriers: a trunk that fails, a call that tries it, the alarms of an E1 card."""

import dataclasses
import signal
import threading

import pytest

from appliance.box import alarms, health, metrics
from appliance.box.health import exchange
from appliance.core import clock, db
from appliance.core.settings import Alarms, SmsAccount
from appliance.models import Call, EventRow, LineTrial, Message, SipRefusal
from appliance.pbx import actions, ami, carriers
from appliance.pbx.log_follower import LogFollower
from appliance.pbx.refusals import RefusalLog
from appliance.telephony import calls, routing, trunks
from appliance.telephony.routing import Plan, Trunk
from tests.pbx.box import is_stopped
from tests.pbx.carrier import Carrier
from tests.rig.waiting import wait_until

LIMIT_SECONDS = 90
SMS_ACCOUNT = SmsAccount("eskiz", "eskiz", "http://127.0.0.1:9", "u", "p", "1282")


@pytest.fixture(scope="module")
def carrier(site):
    """The carrier of the site's trunk, which is monitored."""
    trunk = dataclasses.replace(routing.current_plan(site).trunks[0], watched=True, channels=30)
    routing.save_plan(dataclasses.replace(routing.current_plan(site), trunks=(trunk,)), by="rustam")
    with Carrier(trunk.address) as answering:
        yield answering


@pytest.fixture(scope="module")
def settings(carrier, box):
    """The settings of the running site, with a technician and a number for test calls."""
    return dataclasses.replace(
        box.settings,
        sms=(SMS_ACCOUNT,),
        alarms=Alarms(phones=("+998901112233",)),
        calls=dataclasses.replace(box.settings.calls, test_number="+998712000000"),
    )


@pytest.fixture
def followed(settings, monkeypatch):
    """The thread of the pbx process that watches the lines, with short alarm delays."""
    monkeypatch.setattr(alarms, "LINE_FAULT_GRACE_PERIOD", alarms.LINE_FAULT_GRACE_PERIOD / 8)
    stop = threading.Event()

    def follow_carriers() -> None:
        with db.database.connection_context():
            carriers.monitor_lines(settings, stop)

    thread = threading.Thread(target=follow_carriers)
    thread.start()
    yield
    stop.set()
    thread.join()


def is_trunk_state(state: str) -> bool:
    """Return True if the stored state of the trunk is `state`."""
    return trunks.trunk_states()["carrier"].state == state


def metric_value(settings, name: str) -> float:
    text = metrics.MetricsPage(settings).render_text().decode()
    line = next(line for line in text.splitlines() if line.startswith(f"{name}{{"))
    return float(line.rpartition(" ")[2])


def qualify_trunk(settings) -> None:
    """Make Asterisk query the trunk now instead of at the next interval."""
    with ami.Connection(settings) as asterisk:
        asterisk.send_action("PJSIPQualify", Endpoint="carrier")


def wait_until_up(settings) -> None:
    """Wait until the trunk is up: Asterisk does not call over an unreachable trunk."""
    wait_until(lambda: "carrier" in trunks.trunk_states(), LIMIT_SECONDS)
    qualify_trunk(settings)
    wait_until(lambda: is_trunk_state(trunks.UP), LIMIT_SECONDS)


@pytest.mark.usefixtures("followed")
def test_a_trunk_that_fails_is_detected_counted_and_reported(settings, carrier) -> None:
    Message.delete().execute()
    wait_until_up(settings)
    assert metric_value(settings, "appliance_trunk_up") == 1
    assert {c.state for c in health.check_trunks(settings)} == {"ok"}
    carrier.silent = True
    try:
        qualify_trunk(settings)
        wait_until(lambda: is_trunk_state(trunks.DOWN), LIMIT_SECONDS)
        assert metric_value(settings, "appliance_trunk_up") == 0
        check = next(health.check_trunks(settings))
        assert (check.code, check.state) == ("trunk.carrier", "fail")
        wait_until(lambda: Message.select().count() == 1, LIMIT_SECONDS)
        message = Message.get()
        assert (message.channel, message.purpose) == ("sms", "alarm")
        assert (message.recipient, message.cause) == ("+998901112233", "trunk.carrier")
    finally:
        carrier.silent = False
    wait_until_up(settings)
    wait_until(lambda: Message.select().count() == 2, LIMIT_SECONDS)
    assert trunks.trunk_states()["carrier"].error.startswith("OPTIONS")


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    ("busy", "silent", "expected"),
    [(False, False, "ANSWER"), (True, False, "BUSY"), (False, True, "CHANUNAVAIL")],
)
def test_a_trunk_is_tried_with_a_call(settings, carrier, busy, silent, expected) -> None:
    wait_until_up(settings)
    # the call still goes on at the second attempt
    carrier.silent, carrier.rings = (
        silent,
        not silent,
    )
    try:
        test = actions.start_line_trial(settings, "carrier", "rustam")
        with pytest.raises(actions.ActionRefused):
            actions.start_line_trial(settings, "carrier", "rustam")
        carrier.busy = busy
        carrier.decide_calls()
        wait_until(lambda: LineTrial.get_by_id(test.id).ended_at, LIMIT_SECONDS)
    finally:
        carrier.busy = carrier.silent = carrier.rings = False
    tried = trunks.latest_tests()["carrier", None]
    assert (tried.result, tried.by, tried.number) == (expected, "rustam", "+998712000000")
    assert (tried.seconds is not None) == (expected == "ANSWER")


@pytest.mark.usefixtures("followed")
def test_a_call_that_tries_a_trunk_is_not_in_the_ledger(settings) -> None:
    test = actions.start_line_trial(settings, "carrier", "rustam")
    wait_until(lambda: LineTrial.get_by_id(test.id).ended_at, LIMIT_SECONDS)
    follower = LogFollower(settings)

    def has_read_trial_end() -> bool:
        follower.read_new_records()
        rows = EventRow.select().where(EventRow.event == "LINKEDID_END")
        return any("test-call" in row.fields["Context"] for row in rows)

    wait_until(has_read_trial_end, LIMIT_SECONDS)
    assert not Call.select().exists()
    assert calls.count_arrivals(test.at, clock.now()) == 0


def test_an_unresponsive_exchange_is_detected_and_the_probe_is_not_a_refused_call(
    settings, box
) -> None:
    RefusalLog(settings).read_refusals()
    before = SipRefusal.select().count()
    wait_until(lambda: exchange.can_reach_sip(settings), LIMIT_SECONDS)
    box.process.send_signal(signal.SIGSTOP)  # the process is alive and receives nothing
    try:
        wait_until(lambda: is_stopped(box.process.pid), LIMIT_SECONDS)
        assert not exchange.can_reach_sip(settings)
    finally:
        box.process.send_signal(signal.SIGCONT)
    wait_until(lambda: exchange.can_reach_sip(settings), LIMIT_SECONDS)
    RefusalLog(settings).read_refusals()
    assert SipRefusal.select().count() == before


def test_without_a_test_number_no_line_is_tried(settings) -> None:
    calls_ = dataclasses.replace(settings.calls, test_number="")
    with pytest.raises(actions.ActionRefused) as refused:
        actions.start_line_trial(dataclasses.replace(settings, calls=calls_), "carrier", "rustam")
    assert refused.value.code == "number"


@pytest.fixture
def e1(site):
    """A plan with two E1 spans and a trunk that registers."""
    former = routing.current_plan(site)
    lines = (
        Trunk("e1", kind="e1", group=1, spans="1-15,17-31"),
        Trunk("e2", kind="e1", group=2, spans="32-46,48-62"),
        Trunk("reg", address="192.0.2.7", register=True, user="u", password="p", transport="tcp"),
    )
    routing.save_plan(Plan(trunks=lines), by="rustam")
    yield site
    trunks.store_spans([], is_complete=True)
    trunks.store_trunks([], is_complete=True)
    routing.save_plan(former, by="rustam")


def alarm_event(name: str, **fields: str) -> dict[str, str]:
    return {"Event": name, "Privilege": "system,all", **fields}


# A cable pulled and put back, as chan_dahdi reports it: one event for each channel.
ALARM_EVENTS = [alarm_event("Alarm", DAHDIChannel=str(n), Alarm="Red Alarm") for n in range(1, 16)]
CLEAR_EVENTS = [alarm_event("AlarmClear", DAHDIChannel=str(n)) for n in range(1, 16)]


def test_a_pulled_cable_raises_the_alarm_until_it_is_back(e1) -> None:
    for event in ALARM_EVENTS:
        assert carriers.record_line_event(e1, event)
    (span,) = trunks.span_states()
    assert (span.number, span.trunk, span.alarm, span.error) == (1, "e1", "Red Alarm", "Red Alarm")
    since = span.since
    checks = {c.code: c.state for c in health.check_trunks(e1)}
    assert checks["span.1"] == "fail"
    assert metric_value(e1, "appliance_span_alarm") == 1
    for event in CLEAR_EVENTS:
        carriers.record_line_event(e1, event)
    (span,) = trunks.span_states()
    assert (span.alarm, span.error) == ("", "Red Alarm")
    assert span.since > since
    assert metric_value(e1, "appliance_span_alarm") == 0


def test_an_alarm_of_a_span_is_stored_and_cleared(e1) -> None:
    carriers.record_line_event(e1, alarm_event("SpanAlarm", Span="2", Alarm="Yellow Alarm"))
    (span,) = trunks.span_states()
    assert (span.number, span.trunk, span.alarm) == (2, "e2", "Yellow Alarm")
    carriers.record_line_event(e1, alarm_event("SpanAlarmClear", Span="2"))
    assert not trunks.span_states()[0].alarm


def test_a_refused_registration_is_stored(e1) -> None:
    registration = {
        "ChannelType": "PJSIP",
        "Username": "sip:u@192.0.2.7",
        "Domain": "sip:192.0.2.7:5060;transport=tcp",
    }
    assert carriers.record_line_event(
        e1, alarm_event("Registry", **registration, Status="Rejected", Cause="403")
    )
    state = trunks.trunk_states()["reg"]
    assert (state.registration, state.error) == ("Rejected", "REGISTER Rejected 403")
    assert carriers.record_line_event(
        e1, alarm_event("Registry", **registration, Status="Registered")
    )
    assert trunks.trunk_states()["reg"].registration == "Registered"
    unrelated = registration | {"Domain": "sip:192.0.2.8:5060"}
    assert not carriers.record_line_event(
        e1, alarm_event("Registry", **unrelated, Status="Registered")
    )


class Card:
    """Recorded answers of an Asterisk with an E1 card."""

    def list_events(self, action: str, until: str, **fields: object) -> list[dict[str, str]]:
        if action == "PRIShowSpans":
            return [
                {"Event": action, "Span": "1", "DChannel": "16", "Alarm": "No", "Up": "Yes"},
                {"Event": action, "Span": "2", "DChannel": "47", "Alarm": "Yes", "Up": "No"},
            ]
        if action == "DAHDIShowChannels":
            numbers = [n for n in range(1, 63) if n not in (16, 47)]
            busy = {3: {"Channel": "DAHDI/i1/712000000-1", "Uniqueid": "1.1"}}
            return [
                {"Event": action, "DAHDIChannel": str(n), "Signalling": "ISDN PRI"}
                | {"Alarm": "No Alarm" if n < 32 else "Red Alarm"}
                | busy.get(n, {})
                for n in numbers
            ]
        raise ami.ActionRefused(f"{action}: Invalid/unknown command")


def test_the_state_of_all_spans_of_a_card_is_read(e1) -> None:
    carriers.poll_lines(e1, Card())
    first, second = trunks.span_states()
    assert (first.alarm, first.d_channel, second.alarm, second.d_channel) == (
        "",
        True,
        "Red Alarm",
        False,
    )
    assert first.channels["3"]["state"] == "busy"
    assert first.channels["4"]["state"] == "free"
    assert second.channels["1"]["state"] == "alarm"
    assert "16" not in first.channels
    e1_trunk = routing.current_plan(e1).trunks[0]
    assert trunks.trunk_load(e1_trunk, {}, [first, second]) == (1, 30)
