"""Interprets a call: derives its facts from everything gathered about it (`CallRecords`)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_builder import CallBuilder
from appliance.pbx.interpret.call_records import CallRecords
from appliance.pbx.interpret.clock_correction import ClockStep, correct_clock_steps
from appliance.pbx.interpret.cut_calls import time_of_cut
from appliance.pbx.interpret.linkedids import (
    first_record,
    oldest_linkedid,
    records_of_call,
    root_linkedids,
)
from appliance.pbx.interpret.second_calls import second_call_records
from appliance.telephony.calls import CallFacts
from appliance.telephony.calls.dialling import ECHO_EXTENSION


class InterpretedCall(NamedTuple):
    """What was derived from the records gathered about one call."""

    records: CallRecords
    facts: CallFacts | None  # None: the records describe no call
    linkedids: set[str]  # those whose records are part of the call
    merged_ids: set[str]  # those of them that name no call of their own, as a phone's second call


def interpret_records(records: CallRecords) -> InterpretedCall:
    """Interpret a call from everything that was gathered about it.

    A second call, which a phone placed while its first caller waited, is part of the call. Only the
    talks show which of `records.placed_calls` are such calls: therefore the call is interpreted
    again with the records of those found, until no more are found.
    """
    events = list(records.events)
    facts = _interpret_events(records, events)
    linkedids = {event.linkedid for event in events}
    while facts and (second_calls := second_call_records(facts, records, linkedids)):
        events += second_calls
        linkedids |= {event.linkedid for event in second_calls}
        facts = _interpret_events(records, events)
    merged_ids = linkedids - set(root_linkedids(events)) if len(linkedids) > 1 else set()
    return InterpretedCall(records, facts, linkedids, merged_ids)


def _interpret_events(records: CallRecords, events: list[Event]) -> CallFacts | None:
    """Interpret a call from `events`, its records found so far, if they describe one.

    Records GONE, which the appliance adds when a call has vanished from Asterisk, only help to find
    the end of the call. `records` is everything that was gathered about the call.
    """
    written_events = [event for event in events if event.type != "GONE"]
    may_be_cut = records.boots or len(written_events) < len(events)
    died_at = time_of_cut(records, events) if may_be_cut else None
    return interpret_call(written_events, died_at, records.root, records.steps)


def interpret_call(
    events: Iterable[Event],
    died_at: dt.datetime | None = None,
    root: str | None = None,
    steps: Sequence[ClockStep] = (),
) -> CallFacts | None:
    """Return the facts of the call that these records describe, if they describe one.

    The records are all those of the linkedid `root`, which names the call (by default the oldest),
    and of others that belong to the same call: a phone's second call by which it handed the caller
    over. A call without an end in the log ended at `died_at`, by a fault: Asterisk died, or the
    call vanished from it. `died_at` is None if neither is known. `steps` are those of the clock, in
    their order; all times of the call are by the clock as it was when the call began.
    """
    ordered = sorted(events, key=attrgetter("order"))
    if not ordered:
        return None
    root = root or oldest_linkedid({event.linkedid for event in ordered})
    call_events = records_of_call(ordered, root)
    first = first_record(call_events, root)
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


def _call_direction(first: Event, events: list[Event]) -> str | None:
    """Return the direction of the call that begins with this record, if it is a call.

    `events` are the call's records. It is no call if a supervisor listens, a phone tests its echo,
    or Asterisk starts. The channel of a phone that the appliance rang begins with the extension ""
    or "s": if a call to a number follows, that call's record OUTGOING gives the direction.
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
