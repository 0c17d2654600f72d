"""Lines to the carriers: a trunk that dies, a call that tries it, the alarms of an E1 card."""

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
from appliance.pbx.follow import Follower
from appliance.pbx.refusals import Refusals
from appliance.telephony import calls, routing, trunks
from appliance.telephony.routing import Plan, Trunk
from tests.pbx.box import stands
from tests.pbx.carrier import Carrier
from tests.rig.waiting import until

LIMIT = 90
SMS = SmsAccount("eskiz", "eskiz", "http://127.0.0.1:9", "u", "p", "1282")


@pytest.fixture(scope="module")
def carrier(site):
    """The carrier of the site's trunk, which is watched."""
    trunk = dataclasses.replace(routing.current(site).trunks[0], watched=True, channels=30)
    routing.save(dataclasses.replace(routing.current(site), trunks=(trunk,)), by="rustam")
    with Carrier(trunk.address) as answering:
        yield answering


@pytest.fixture(scope="module")
def settings(carrier, box):
    """The settings of the running site: with a technician, and a number to try lines by."""
    return dataclasses.replace(
        box.settings,
        sms=(SMS,),
        alarms=Alarms(phones=("+998901112233",)),
        calls=dataclasses.replace(box.settings.calls, test_number="+998712000000"),
    )


@pytest.fixture
def followed(settings, monkeypatch):
    """The thread of the pbx process that looks after lines, with little patience."""
    monkeypatch.setattr(alarms, "PATIENCE_LINES", alarms.PATIENCE_LINES / 8)
    stop = threading.Event()

    def follow() -> None:
        with db.database.connection_context():
            carriers.follow(settings, stop)

    thread = threading.Thread(target=follow)
    thread.start()
    yield
    stop.set()
    thread.join()


def is_(state: str) -> bool:
    """Whether the trunk is seen so, by Asterisk asked at once."""
    return trunks.states()["carrier"].state == state


def figure(settings, name: str) -> float:
    text = metrics.Metrics(settings).text().decode()
    line = next(line for line in text.splitlines() if line.startswith(f"{name}{{"))
    return float(line.rpartition(" ")[2])


def ask(settings) -> None:
    """Have Asterisk ask the trunk now, not in some seconds."""
    with ami.Connection(settings) as asterisk:
        asterisk.act("PJSIPQualify", Endpoint="carrier")


def reach(settings) -> None:
    """Wait until the trunk is up: Asterisk calls no line that it saw dead before we answered."""
    until(lambda: "carrier" in trunks.states(), LIMIT)
    ask(settings)
    until(lambda: is_(trunks.UP), LIMIT)


@pytest.mark.usefixtures("followed")
def test_a_trunk_that_dies_is_seen_counted_and_told(settings, carrier) -> None:
    Message.delete().execute()
    reach(settings)
    assert figure(settings, "appliance_trunk_up") == 1
    assert {c.state for c in health.lines(settings)} == {"ok"}
    carrier.silent = True
    try:
        ask(settings)
        until(lambda: is_(trunks.DOWN), LIMIT)
        assert figure(settings, "appliance_trunk_up") == 0
        found = next(health.lines(settings))
        assert (found.code, found.state) == ("trunk.carrier", "fail")
        until(lambda: Message.select().count() == 1, LIMIT)
        message = Message.get()
        assert (message.channel, message.purpose) == ("sms", "alarm")
        assert (message.recipient, message.cause) == ("+998901112233", "trunk.carrier")
    finally:
        carrier.silent = False
    reach(settings)
    until(lambda: Message.select().count() == 2, LIMIT)
    assert trunks.states()["carrier"].error.startswith("OPTIONS")


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    ("busy", "silent", "expected"),
    [(False, False, "ANSWER"), (True, False, "BUSY"), (False, True, "CHANUNAVAIL")],
)
def test_a_trunk_is_tried_by_a_call(settings, carrier, busy, silent, expected) -> None:
    reach(settings)
    carrier.silent, carrier.rings = silent, not silent  # at the second try it is not over
    try:
        test = actions.try_line(settings, "carrier", "rustam")
        with pytest.raises(actions.Refused):
            actions.try_line(settings, "carrier", "rustam")
        carrier.busy = busy
        carrier.decide()
        until(lambda: LineTrial.get_by_id(test.id).ended_at, LIMIT)
    finally:
        carrier.busy = carrier.silent = carrier.rings = False
    tried = trunks.tests()["carrier", None]
    assert (tried.result, tried.by, tried.number) == (expected, "rustam", "+998712000000")
    assert (tried.seconds is not None) == (expected == "ANSWER")


@pytest.mark.usefixtures("followed")
def test_a_call_that_tries_a_trunk_is_no_call_of_the_ledger(settings) -> None:
    test = actions.try_line(settings, "carrier", "rustam")
    until(lambda: LineTrial.get_by_id(test.id).ended_at, LIMIT)
    follower = Follower(settings)

    def read() -> bool:
        follower.step()
        rows = EventRow.select().where(EventRow.event == "LINKEDID_END")
        return any("test-call" in row.fields["Context"] for row in rows)

    until(read, LIMIT)
    assert not Call.select().exists()
    assert calls.arrivals(test.at, clock.now()) == 0


def test_a_deaf_exchange_is_noticed_and_asking_is_no_refused_call(settings, box) -> None:
    Refusals(settings).look()
    before = SipRefusal.select().count()
    until(lambda: exchange.answers_sip(settings), LIMIT)
    box.process.send_signal(signal.SIGSTOP)  # it lives, and hears nothing
    try:
        until(lambda: stands(box.process.pid), LIMIT)
        assert not exchange.answers_sip(settings)
    finally:
        box.process.send_signal(signal.SIGCONT)
    until(lambda: exchange.answers_sip(settings), LIMIT)
    Refusals(settings).look()
    assert SipRefusal.select().count() == before


def test_without_a_number_no_line_is_tried(settings) -> None:
    calls_ = dataclasses.replace(settings.calls, test_number="")
    with pytest.raises(actions.Refused) as refused:
        actions.try_line(dataclasses.replace(settings, calls=calls_), "carrier", "rustam")
    assert refused.value.code == "number"


@pytest.fixture
def e1(site):
    """A plan with two spans of E1 and a trunk that registers."""
    former = routing.current(site)
    lines = (
        Trunk("e1", kind="e1", group=1, spans="1-15,17-31"),
        Trunk("e2", kind="e1", group=2, spans="32-46,48-62"),
        Trunk("reg", address="192.0.2.7", register=True, user="u", password="p", transport="tcp"),
    )
    routing.save(Plan(trunks=lines), by="rustam")
    yield site
    trunks.see_spans([], whole=True)
    trunks.see_trunks([], whole=True)
    routing.save(former, by="rustam")


def alarm(name: str, **fields: str) -> dict[str, str]:
    return {"Event": name, "Privilege": "system,all", **fields}


# A cable that is pulled and put back, as chan_dahdi tells it: an event for each channel.
PULLED = [alarm("Alarm", DAHDIChannel=str(n), Alarm="Red Alarm") for n in range(1, 16)]
BACK = [alarm("AlarmClear", DAHDIChannel=str(n)) for n in range(1, 16)]


def test_a_cable_that_is_pulled(e1) -> None:
    for event in PULLED:
        assert carriers.handle(e1, event)
    (span,) = trunks.spans()
    assert (span.number, span.trunk, span.alarm, span.error) == (1, "e1", "Red Alarm", "Red Alarm")
    since = span.since
    checks = {c.code: c.state for c in health.lines(e1)}
    assert checks["span.1"] == "fail"
    assert figure(e1, "appliance_span_alarm") == 1
    for event in BACK:
        carriers.handle(e1, event)
    (span,) = trunks.spans()
    assert (span.alarm, span.error) == ("", "Red Alarm")
    assert span.since > since
    assert figure(e1, "appliance_span_alarm") == 0


def test_an_alarm_of_a_whole_span(e1) -> None:
    carriers.handle(e1, alarm("SpanAlarm", Span="2", Alarm="Yellow Alarm"))
    (span,) = trunks.spans()
    assert (span.number, span.trunk, span.alarm) == (2, "e2", "Yellow Alarm")
    carriers.handle(e1, alarm("SpanAlarmClear", Span="2"))
    assert not trunks.spans()[0].alarm


def test_a_registration_that_is_refused(e1) -> None:
    told = {
        "ChannelType": "PJSIP",
        "Username": "sip:u@192.0.2.7",
        "Domain": "sip:192.0.2.7:5060;transport=tcp",
    }
    assert carriers.handle(e1, alarm("Registry", **told, Status="Rejected", Cause="403"))
    state = trunks.states()["reg"]
    assert (state.registration, state.error) == ("Rejected", "REGISTER Rejected 403")
    assert carriers.handle(e1, alarm("Registry", **told, Status="Registered"))
    assert trunks.states()["reg"].registration == "Registered"
    others = told | {"Domain": "sip:192.0.2.8:5060"}
    assert not carriers.handle(e1, alarm("Registry", **others, Status="Registered"))


class Card:
    """What an Asterisk with a card answers, written down."""

    def listed(self, action: str, until: str, **fields: object) -> list[dict[str, str]]:
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
        raise ami.Refused(f"{action}: Invalid/unknown command")


def test_the_whole_state_of_a_card(e1) -> None:
    carriers.look(e1, Card())
    one, two = trunks.spans()
    assert (one.alarm, one.d_channel, two.alarm, two.d_channel) == ("", True, "Red Alarm", False)
    assert one.channels["3"]["state"] == "busy"
    assert one.channels["4"]["state"] == "free"
    assert two.channels["1"]["state"] == "alarm"
    assert "16" not in one.channels
    e1_trunk = routing.current(e1).trunks[0]
    assert trunks.load(e1_trunk, {}, [one, two]) == (1, 30)
