"""What Asterisk tells of the lines to the carriers, by itself and when it is asked."""

import logging
import threading
import time

from appliance.box import alarms, health
from appliance.core.settings import Settings
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Trunk
from appliance.telephony.trunks import DOWN, UNASKED, UP, SeenSpan, SeenTrunk

log = logging.getLogger(__name__)

EVENTS = "system,user"  # classes of AMI that hold the events heard here
_CONTACTS = {"Reachable": UP, "Unreachable": DOWN, "NonQualified": UNASKED}
_QUIET = ("", "No Alarm", "OK", "None")
_TEST = "TestCall"  # told by ivr/test-call.conf
_EVERY = 5.0  # seconds between two looks at everything
_PING = 1.0
_REST = 5.0  # after a fault


def follow(settings: Settings, stop: threading.Event) -> None:
    """Until told to stop, take in what is told of lines, and raise their alarms."""
    while not stop.is_set():
        try:
            with Connection(settings, EVENTS) as told, Connection(settings) as asked:
                looked = float("-inf")
                while not stop.is_set():
                    if event := told.next_event(_PING):
                        handle(settings, event)
                    if time.monotonic() - looked >= _EVERY:
                        looked = time.monotonic()
                        look(settings, asked)
                    alarms.raise_due(settings, health.lines(settings), "lines")
        except (Unreachable, Refused):
            stop.wait(_PING)
        except Exception:  # the boundary of a look: the ledger's threads go on
            log.exception("the lines were not looked at")
            stop.wait(_REST)


def handle(settings: Settings, event: dict[str, str]) -> bool:
    """Take in one event; whether it told of a line."""
    match event.get("Event"):
        case "ContactStatus":
            return _contact(settings, event)
        case "Registry":
            return _registry(settings, event)
        case "Alarm" if event.get("DAHDIChannel", "").isdigit():
            return _alarm(settings, trunks.place(int(event["DAHDIChannel"]))[0], event["Alarm"])
        case "AlarmClear" if event.get("DAHDIChannel", "").isdigit():
            return _alarm(settings, trunks.place(int(event["DAHDIChannel"]))[0], "")
        case "SpanAlarm" if event.get("Span", "").isdigit():
            return _alarm(settings, int(event["Span"]), event["Alarm"])
        case "SpanAlarmClear" if event.get("Span", "").isdigit():
            return _alarm(settings, int(event["Span"]), "")
        case "UserEvent" if event.get("UserEvent") == _TEST:
            return _tested(event)
    return False


def look(settings: Settings, asterisk: Connection) -> None:
    """Ask for the whole state of every line, and write down what changed."""
    current = routing.current(settings).trunks
    registrations = _registrations(asterisk, current)
    trunks.see_trunks(
        (_seen_trunk(asterisk, trunk, registrations) for trunk in current if trunk.kind == "sip"),
        whole=True,
    )
    trunks.see_spans(_spans(asterisk, current), whole=True)


def _contact(settings: Settings, event: dict[str, str]) -> bool:
    name, state = event.get("EndpointName", ""), _CONTACTS.get(event.get("ContactStatus", ""))
    if not state or not _named(settings, name):
        return False
    round_trip = _milliseconds(event) if state == UP else None
    error = f"OPTIONS {event['URI']}" if state == DOWN else ""
    trunks.see_trunks([SeenTrunk(name, state, round_trip=round_trip, error=error)])
    log.info("trunk %s: %s", name, state)
    return True


def _registry(settings: Settings, event: dict[str, str]) -> bool:
    """It names no trunk but the addresses that are registered."""
    for trunk in routing.current(settings).trunks:
        asked = (event.get("Domain"), event.get("Username"))
        if trunk.register and asked == (trunk.server, trunk.client):
            status, cause = event.get("Status", ""), event.get("Cause", "")
            # Asterisk mostly leaves the cause out here, and names it in its log: see refusals.py.
            error = f"{trunks.REGISTER}{status} {cause}" if cause else ""
            trunks.see_trunks([SeenTrunk(trunk.name, registration=status, error=error)])
            log.info("trunk %s: %s", trunk.name, status)
            return True
    return False


def _alarm(settings: Settings, span: int, alarm: str) -> bool:
    alarm = "" if alarm in _QUIET else alarm
    owner = trunks.of_span(routing.current(settings).trunks, span)
    if trunks.see_spans([SeenSpan(span, owner, alarm)]):
        log.warning("span %d: %s", span, alarm or "no alarm")
    return True


def _tested(event: dict[str, str]) -> bool:
    number, took, spoke = (event.get(key, "") for key in ("Test", "Took", "Spoke"))
    answered = event.get("Status") == "ANSWER" and took.isdigit() and spoke.isdigit()
    seconds = (int(took) - int(spoke)) / 1000 if answered else None
    return number.isdigit() and trunks.end_test(
        int(number), event.get("Status") or "CHANUNAVAIL", event.get("Cause", ""), seconds
    )


def _registrations(asterisk: Connection, current: tuple[Trunk, ...]) -> dict[str, str]:
    if not any(trunk.register for trunk in current):
        return {}
    try:
        told = asterisk.listed(
            "PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetailComplete"
        )
    except Refused:  # there is none
        return {}
    return {e["ObjectName"]: e["Status"] for e in told if e.get("ObjectType") == "registration"}


def _seen_trunk(asterisk: Connection, trunk: Trunk, registrations: dict[str, str]) -> SeenTrunk:
    registration = registrations.get(trunk.name, "Unregistered") if trunk.register else ""
    try:
        told = asterisk.listed("PJSIPShowEndpoint", "EndpointDetailComplete", Endpoint=trunk.name)
    except Refused:
        return SeenTrunk(trunk.name, DOWN, registration, error="no such endpoint")
    contact = next((e for e in told if e.get("Event") == "ContactStatusDetail"), {})
    state = _CONTACTS.get(contact.get("Status", "")) if trunk.watched else UNASKED
    return SeenTrunk(
        trunk.name, state, registration, _milliseconds(contact) if state == UP else None
    )


def _spans(asterisk: Connection, current: tuple[Trunk, ...]) -> list[SeenSpan]:
    if not any(trunk.kind == "e1" for trunk in current):
        return []
    try:
        channels = asterisk.listed("DAHDIShowChannels", "DAHDIShowChannelsComplete")
        primaries = asterisk.listed("PRIShowSpans", "PRIShowSpansComplete")
    except Refused:  # chan_dahdi is not there
        return []
    slots: dict[int, dict[int, str]] = {}
    alarms: dict[int, str] = {}
    for event in channels:
        number = event.get("DAHDIChannel", "")
        if number.isdigit() and int(number):
            span, slot = trunks.place(int(number))
            alarm = event.get("Alarm", "")
            quiet = alarm in _QUIET
            busy = "busy" if event.get("Channel") else "free"
            slots.setdefault(span, {})[slot] = busy if quiet else "alarm"
            alarms[span] = alarms.get(span, "") or ("" if quiet else alarm)
    up = {int(e["Span"]): e.get("Up") == "Yes" for e in primaries if e.get("Span", "").isdigit()}
    return [
        SeenSpan(
            span,
            trunks.of_span(current, span),
            alarms.get(span, ""),
            up.get(span, True),
            slots.get(span, {}),
        )
        for span in sorted(slots.keys() | up.keys())
    ]


def _named(settings: Settings, name: str) -> bool:
    return any(t.name == name and t.kind == "sip" for t in routing.current(settings).trunks)


def _milliseconds(told: dict[str, str]) -> int | None:
    microseconds = told.get("RoundtripUsec", "")
    return max(1, round(int(microseconds) / 1000)) if microseconds.isdigit() else None
