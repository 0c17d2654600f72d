"""The state of the lines to the carriers, from Asterisk's events and from regular queries.

A line is a SIP trunk or an E1 span.
"""

import logging
import threading
import time

from appliance.box import alarms, health
from appliance.core.settings import Settings
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Trunk
from appliance.telephony.trunks import DOWN, UNASKED, UP, SpanReport, TrunkReport

log = logging.getLogger(__name__)

EVENT_CLASSES = "system,user"  # the AMI classes of the events handled here
# UNASKED: Asterisk does not ask this peer by OPTIONS whether it is reachable.
_STATE_BY_CONTACT_STATUS = {"Reachable": UP, "Unreachable": DOWN, "NonQualified": UNASKED}
_NO_ALARM = ("", "No Alarm", "OK", "None")
_TEST_EVENT = "TestCall"  # sent by ivr/test-call.conf
_POLL_SECONDS = 5.0  # between two queries of all lines
_EVENT_WAIT_SECONDS = 1.0
_FAULT_PAUSE_SECONDS = 5.0


def monitor_lines(settings: Settings, stop: threading.Event) -> None:
    """Record the state of all trunks and spans and raise their alarms, until `stop` is set."""
    while not stop.is_set():
        try:
            with (
                Connection(settings, EVENT_CLASSES) as event_connection,
                Connection(settings) as query_connection,
            ):
                polled_at = float("-inf")
                while not stop.is_set():
                    if event := event_connection.next_event(_EVENT_WAIT_SECONDS):
                        record_line_event(settings, event)
                    if time.monotonic() - polled_at >= _POLL_SECONDS:
                        polled_at = time.monotonic()
                        poll_lines(settings, query_connection)
                    alarms.notify_due_alarms(settings, health.check_trunks(settings), "lines")
        except (Unreachable, ActionRefused):  # `process._monitor_asterisk` reports it
            stop.wait(_EVENT_WAIT_SECONDS)
        except Exception:  # the boundary of a round: the ledger's threads go on
            log.exception("the lines were not looked at")
            stop.wait(_FAULT_PAUSE_SECONDS)


def record_line_event(settings: Settings, event: dict[str, str]) -> bool:
    """Record the line state that one event reports; returns True if it was about a line."""
    match event.get("Event"):
        case "ContactStatus":
            return _record_contact(settings, event)
        case "Registry":
            return _record_registration(settings, event)
        case "Alarm" if event.get("DAHDIChannel", "").isdigit():
            return _record_span_alarm(
                settings, trunks.span_and_slot(int(event["DAHDIChannel"]))[0], event["Alarm"]
            )
        case "AlarmClear" if event.get("DAHDIChannel", "").isdigit():
            return _record_span_alarm(
                settings, trunks.span_and_slot(int(event["DAHDIChannel"]))[0], ""
            )
        case "SpanAlarm" if event.get("Span", "").isdigit():
            return _record_span_alarm(settings, int(event["Span"]), event["Alarm"])
        case "SpanAlarmClear" if event.get("Span", "").isdigit():
            return _record_span_alarm(settings, int(event["Span"]), "")
        case "UserEvent" if event.get("UserEvent") == _TEST_EVENT:
            return _record_test_call(event)
    return False


def poll_lines(settings: Settings, asterisk: Connection) -> None:
    """Query the complete state of every line, and record what changed.

    The stored states of lines that are no longer reported are deleted.
    """
    trunk_list = routing.current_plan(settings).trunks
    registrations = _registration_states(asterisk, trunk_list)
    trunks.store_trunks(
        (
            _query_trunk(asterisk, trunk, registrations)
            for trunk in trunk_list
            if trunk.kind == "sip"
        ),
        is_complete=True,
    )
    trunks.store_spans(_query_spans(asterisk, trunk_list), is_complete=True)


def _record_contact(settings: Settings, event: dict[str, str]) -> bool:
    """Record whether a trunk's peer is reachable; returns True if the event says so.

    It does not if it is about a phone, or has another status, such as "Created".
    """
    name, state = (
        event.get("EndpointName", ""),
        _STATE_BY_CONTACT_STATUS.get(event.get("ContactStatus", "")),
    )
    if not state or not _is_sip_trunk(settings, name):
        return False
    round_trip = _round_trip_milliseconds(event) if state == UP else None
    error = f"OPTIONS {event['URI']}" if state == DOWN else ""
    trunks.store_trunks([TrunkReport(name, state, round_trip=round_trip, error=error)])
    log.info("trunk %s: %s", name, state)
    return True


def _record_registration(settings: Settings, event: dict[str, str]) -> bool:
    """Record a trunk's registration; returns True if the event is about a trunk that registers.

    The event does not name the trunk, only the registered addresses.
    """
    for trunk in routing.current_plan(settings).trunks:
        registered = (event.get("Domain"), event.get("Username"))
        if trunk.register and registered == (trunk.server_uri, trunk.client_uri):
            status, cause = event.get("Status", ""), event.get("Cause", "")
            # Asterisk mostly omits the cause here and writes it to its log: see refusals.py.
            error = f"{trunks.REGISTER_PREFIX}{status} {cause}" if cause else ""
            trunks.store_trunks([TrunkReport(trunk.name, registration=status, error=error)])
            log.info("trunk %s: %s", trunk.name, status)
            return True
    return False


def _record_span_alarm(settings: Settings, span: int, alarm: str) -> bool:
    """Record the alarm of an E1 span, or that it has no alarm ("").

    Returns True, as its event is always about a line.
    """
    alarm = "" if alarm in _NO_ALARM else alarm
    owner = trunks.trunk_of_span(routing.current_plan(settings).trunks, span)
    if trunks.store_spans([SpanReport(span, owner, alarm)]):
        log.warning("span %d: %s", span, alarm or "no alarm")
    return True


def _record_test_call(event: dict[str, str]) -> bool:
    """Record the result of a test call, and after how many seconds it was answered.

    The event has the test's id, and milliseconds in total and of the talk. Returns True if that
    test was in progress.
    """
    number, total_milliseconds, talk_milliseconds = (
        event.get(key, "") for key in ("Test", "Took", "Spoke")
    )
    was_answered = (
        event.get("Status") == "ANSWER"
        and total_milliseconds.isdigit()
        and talk_milliseconds.isdigit()
    )
    seconds = (int(total_milliseconds) - int(talk_milliseconds)) / 1000 if was_answered else None
    return number.isdigit() and trunks.end_test(
        int(number), event.get("Status") or "CHANUNAVAIL", event.get("Cause", ""), seconds
    )


def _registration_states(asterisk: Connection, trunk_list: tuple[Trunk, ...]) -> dict[str, str]:
    """Return the status of each trunk's registration, by the name of the trunk.

    Trunks that do not register are left out.
    """
    if not any(trunk.register for trunk in trunk_list):
        return {}
    try:
        events = asterisk.list_events(
            "PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetailComplete"
        )
    except ActionRefused:  # there is no registration
        return {}
    return {e["ObjectName"]: e["Status"] for e in events if e.get("ObjectType") == "registration"}


def _query_trunk(asterisk: Connection, trunk: Trunk, registrations: dict[str, str]) -> TrunkReport:
    """Return the state of one SIP trunk, as Asterisk reports it.

    `registrations` has the status of each trunk's registration, by the name of the trunk.
    """
    registration = registrations.get(trunk.name, "Unregistered") if trunk.register else ""
    try:
        events = asterisk.list_events(
            "PJSIPShowEndpoint", "EndpointDetailComplete", Endpoint=trunk.name
        )
    except ActionRefused:  # reported as the trunk's error
        return TrunkReport(trunk.name, DOWN, registration, error="no such endpoint")
    contact = next((e for e in events if e.get("Event") == "ContactStatusDetail"), {})
    state = _STATE_BY_CONTACT_STATUS.get(contact.get("Status", "")) if trunk.watched else UNASKED
    return TrunkReport(
        trunk.name, state, registration, _round_trip_milliseconds(contact) if state == UP else None
    )


def _query_spans(asterisk: Connection, trunk_list: tuple[Trunk, ...]) -> list[SpanReport]:
    """Return the state of every E1 span: its alarm, its D channel and its time slots."""
    if not any(trunk.kind == "e1" for trunk in trunk_list):
        return []
    try:
        channels = asterisk.list_events("DAHDIShowChannels", "DAHDIShowChannelsComplete")
        primary_spans = asterisk.list_events("PRIShowSpans", "PRIShowSpansComplete")
    except ActionRefused:  # chan_dahdi is not loaded
        return []
    slots: dict[int, dict[int, str]] = {}
    alarm_by_span: dict[int, str] = {}
    for event in channels:
        number = event.get("DAHDIChannel", "")
        if number.isdigit() and int(number):
            span, slot = trunks.span_and_slot(int(number))
            alarm = event.get("Alarm", "")
            is_quiet = alarm in _NO_ALARM
            slot_state = "busy" if event.get("Channel") else "free"
            slots.setdefault(span, {})[slot] = slot_state if is_quiet else "alarm"
            alarm_by_span[span] = alarm_by_span.get(span, "") or ("" if is_quiet else alarm)
    is_up = {
        int(e["Span"]): e.get("Up") == "Yes" for e in primary_spans if e.get("Span", "").isdigit()
    }
    return [
        SpanReport(
            span,
            trunks.trunk_of_span(trunk_list, span),
            alarm_by_span.get(span, ""),
            is_up.get(span, True),  # not listed: it has no D channel that could be down
            slots.get(span, {}),
        )
        for span in sorted(slots.keys() | is_up.keys())
    ]


def _is_sip_trunk(settings: Settings, name: str) -> bool:
    """Return True if the plan has a SIP trunk of this name."""
    return any(
        trunk.name == name and trunk.kind == "sip"
        for trunk in routing.current_plan(settings).trunks
    )


def _round_trip_milliseconds(event: dict[str, str]) -> int | None:
    """Return the round-trip time, at least 1 ms, that an event reports, if any."""
    microseconds = event.get("RoundtripUsec", "")
    return max(1, round(int(microseconds) / 1000)) if microseconds.isdigit() else None
