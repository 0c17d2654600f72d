"""Derives a call's entry in the ledger from the event log's records. Pure functions."""

import datetime as dt
from collections.abc import Iterable, Sequence
from operator import attrgetter

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_builder import CallBuilder
from appliance.pbx.interpret.clock_correction import ClockStep, correct_clock_steps
from appliance.telephony.calls import CallFacts
from appliance.telephony.calls.dialling import ECHO_EXTENSION

__all__ = [
    "ClockStep",
    "calls_without_beginning",
    "interpret_call",
    "oldest_linkedid",
    "root_linkedids",
    "correct_clock_steps",
]


def interpret_call(
    events: Iterable[Event],
    died_at: dt.datetime | None = None,
    root: str | None = None,
    steps: Sequence[ClockStep] = (),
) -> CallFacts | None:
    """Return the call that these records describe; None if they describe no call.

    The records are all those of one linkedid, and those of others that belong to the same call: a
    phone's second call by which it handed the caller over. `root` is the linkedid that names the
    call (by default the oldest). `died_at`: Asterisk died at that time; a call without an end in
    the log ended then, by fault. `steps`: those of the clock, in their order; all times of the call
    are by the clock with which it began.
    """
    ordered = sorted(events, key=attrgetter("order"))
    if not ordered:
        return None
    root = root or oldest_linkedid({event.linkedid for event in ordered})
    call_events = _without_other_citizens(ordered, root)
    first = next((e for e in call_events if e.uniqueid == root and e.begins), None)
    direction = _call_direction(first, call_events) if first else None
    if not first or not direction:
        return None
    call_events = correct_clock_steps(call_events, first.at, steps)
    builder = CallBuilder(first, direction)
    for event in call_events:
        builder.add_event(event)
    if builder.call.ended_at is None and died_at and died_at >= first.at:
        builder.end_at_crash(max(died_at, call_events[-1].at))
    builder.conclude_call()
    return builder.call


def root_linkedids(events: Iterable[Event]) -> list[str]:
    """Return the linkedids that name the calls of these records, which Asterisk joined.

    Usually one, the oldest. Two citizens whom an operator joined are nevertheless two calls: each
    has its own arrival and outcome.
    """
    event_list = list(events)
    inbound_ids = {event.linkedid for event in event_list if event.begins == "from-trunk"}
    return sorted(inbound_ids) or [oldest_linkedid({event.linkedid for event in event_list})]


def calls_without_beginning(events: Iterable[Event]) -> dict[str, dt.datetime]:
    """Return linkedid → first time, of calls from a trunk whose first record is missing in the log.

    Only the arrival of such a call is known, from the name of the trunk's channel.
    """
    event_list = list(events)
    beginnings = {event.linkedid for event in event_list if event.begins is not None}
    first_times: dict[str, dt.datetime] = {}
    for event in event_list:
        if event.uniqueid == event.linkedid not in beginnings and event.is_trunk:
            first_times[event.linkedid] = min(event.at, first_times.get(event.linkedid, event.at))
    return first_times


def oldest_linkedid(linkedids: Iterable[str]) -> str:
    """Return the linkedid of the call that began first: Asterisk keeps it when calls are joined."""
    return min(linkedids, key=_age_key)


def _age_key(linkedid: str) -> tuple[int, int, str]:
    """Return (second, sequence number, linkedid) of a linkedid such as "hotline-1764136046.12"."""
    second, _, number = linkedid.rpartition("-")[2].partition(".")
    is_numeric = second.isdigit() and number.isdigit()
    return (int(second), int(number), linkedid) if is_numeric else (0, 0, linkedid)


def _without_other_citizens(events: list[Event], root: str) -> list[Event]:
    """Return the records without those of another citizen's call that was joined with this one."""
    other_ids = {e.linkedid for e in events if e.begins == "from-trunk"} - {root}
    if not other_ids:
        return events
    channels = {e.uniqueid for e in events if e.type == "CHAN_START" and e.linkedid in other_ids}
    return [e for e in events if e.uniqueid not in channels and e.linkedid not in other_ids]


def _call_direction(first: Event, events: list[Event]) -> str | None:
    """Return the direction of the call that begins with this record; None if it is not a call.

    It is not a call when a supervisor listens, a phone tests its echo, or Asterisk starts.
    """
    if first.begins == "from-trunk":
        return "inbound"
    call_events = (event for event in events if event.linkedid == first.linkedid)
    if any(event.type == "OUTGOING" for event in call_events):
        return "outbound"
    is_dialling = first.begins == "from-operator" and first.fields["Exten"] not in (
        "",
        "s",
        ECHO_EXTENSION,
    )
    return "internal" if is_dialling else None
