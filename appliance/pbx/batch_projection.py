"""Projects simple calls in batches; every other call is projected singly, by `projection`.

Nearly all calls are simple: their channels are in no other call, their phones placed no call during
their talks, and no step of the clock or start of Asterisk is near. The queries for these conditions
and the writes are made for all calls of a batch together.
"""

import contextlib
import datetime as dt
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from peewee import OperationalError

from appliance.core.clock import datetime_from_microseconds, microseconds_since_epoch
from appliance.core.db import database
from appliance.core.settings import Calls
from appliance.core.statements import PreparedQuery, is_one_of_parameter, query_parameter
from appliance.models import EventRow, MergedCall
from appliance.pbx import eventlog, projection
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import interpret_call
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts

log = logging.getLogger(__name__)


_STORED_RECORDS = PreparedQuery(
    lambda: EventRow.select(
        *(EventRow.hash, EventRow.linkedid, EventRow.at),
        *(EventRow.event, EventRow.uniqueid, EventRow.fields),
    ).where(is_one_of_parameter(EventRow.linkedid, "ids"))
)
_CLOCK_STEPS = PreparedQuery(
    lambda: EventRow.select(EventRow.hash).where(
        EventRow.begins == "CLOCK",
        EventRow.at.between(query_parameter("since"), query_parameter("until")),
    )
)
_CHANNELS_OF_OTHERS = PreparedQuery(
    lambda: (
        EventRow.select(EventRow.uniqueid)
        .where(
            is_one_of_parameter(EventRow.uniqueid, "channels"),
            ~is_one_of_parameter(EventRow.linkedid, "ids"),
        )
        .distinct()
    )
)
_MERGED_CALLS = PreparedQuery(
    lambda: MergedCall.select(MergedCall.linkedid, MergedCall.call_id).where(
        is_one_of_parameter(MergedCall.linkedid, "ids")
        | is_one_of_parameter(MergedCall.call_id, "ids")
    )
)
_PLACED_CALLS = PreparedQuery(
    lambda: EventRow.select(EventRow.phone, EventRow.at, EventRow.linkedid).where(
        is_one_of_parameter(EventRow.phone, "phones"),
        EventRow.at.between(query_parameter("since"), query_parameter("until")),
    )
)
_NEXT_BOOT = PreparedQuery(
    lambda: (
        EventRow.select(EventRow.at)
        .where(EventRow.begins == "BOOT", EventRow.at > query_parameter("since"))
        .limit(1)
    )
)


def stored_events_by_linkedid(linkedids: Collection[str]) -> dict[str, list[Event]]:
    """Return the stored records of these linkedids; a new linkedid is missing from the result."""
    events_by_call: defaultdict[str, list[Event]] = defaultdict(list)
    for hash, linkedid, at, type, uniqueid, fields_text in _STORED_RECORDS.fetch_tuples(
        ids=linkedids
    ):
        fields = json.loads(fields_text)
        if "EventTime" in fields:
            event = eventlog.event_from_columns(
                hash, linkedid, datetime_from_microseconds(at), type, uniqueid, fields
            )
            events_by_call[linkedid].append(event)
    return events_by_call


def interpret_records(records: Mapping[str, Sequence[Event]]) -> dict[str, CallFacts]:
    """Return linkedid → facts of the call that these records alone yield; uses no database."""
    facts_by_call: dict[str, CallFacts] = {}
    for linkedid, events in records.items():
        with contextlib.suppress(Exception):  # logged when the call is projected
            if call_facts := interpret_call(events, None, linkedid):
                facts_by_call[linkedid] = call_facts
    return facts_by_call


def project_calls(
    records: Mapping[str, Sequence[Event]],
    rules: Calls,
    known_facts: Mapping[str, CallFacts] | None = None,
) -> None:
    """Project these calls, each once, from all their records, which are stored already.

    `records`: linkedid → all its records; `known_facts`: results of `interpret_records` for some of
    them, if available. Call it inside a write transaction.
    """
    stored_facts: list[CallFacts] = []
    try:
        with database.atomic():
            stored_facts = _store_simple_calls(_simple_records(records), known_facts or {}, rules)
    except OperationalError:  # not the fault of a call: the database is busy, or its disk is full
        raise
    except Exception:  # one of them cannot be written: each is projected singly
        log.exception("%d calls cannot be told together", len(records))
        stored_facts = []
    for linkedid in sorted(records.keys() - {facts.id for facts in stored_facts}):
        projection.project_call(linkedid, rules)


def _store_simple_calls(
    records: Mapping[str, Sequence[Event]], known_facts: Mapping[str, CallFacts], rules: Calls
) -> list[CallFacts]:
    """Store the simple ones among these calls; returns the facts of the calls stored."""
    interpreted = (
        (known_facts.get(name) or _interpret_call(name, events), events)
        for name, events in records.items()
    )
    complete_calls = [
        call
        for call, events in interpreted
        if call and (call.ended_at or not _has_boot_after(events))
    ]
    with_second_calls = _calls_with_second_calls(complete_calls)
    simple_calls = [facts for facts in complete_calls if facts.id not in with_second_calls]
    calls.store_calls(simple_calls, rules)
    first_arrivals: dict[str, dt.datetime] = {}
    for call in simple_calls:
        if call.ended_at or call.talks:
            for number in filter(None, (call.caller, call.callee)):
                at = first_arrivals.get(number, call.arrived_at)
                first_arrivals[number] = min(at, call.arrived_at)
    followups.update_concerned_tasks(first_arrivals, calls.numbers_to_call_back(simple_calls))
    return simple_calls


def _interpret_call(linkedid: str, events: Sequence[Event]) -> CallFacts | None:
    """Return the facts of one call; None if the records are no call or cannot be interpreted."""
    try:
        return interpret_call(events, None, linkedid)
    except Exception:  # the boundary of a call: if it fails singly too, it is set aside
        log.exception("call %s is tried by itself", linkedid)
        return None


def _has_boot_after(events: Sequence[Event]) -> bool:
    """Return True if Asterisk started after these records: it may have died during their call."""
    return bool(
        _NEXT_BOOT.fetch_tuples(since=microseconds_since_epoch(min(event.at for event in events)))
    )


def _simple_records(records: Mapping[str, Sequence[Event]]) -> dict[str, Sequence[Event]]:
    """Return the records of the inbound calls that depend on no record of another call."""
    if _has_clock_step(records):
        return {}
    calls_by_channel: defaultdict[str, set[str]] = defaultdict(set)
    for linkedid, events in records.items():
        for event in events:
            calls_by_channel[event.uniqueid].add(linkedid)
    shared_channels = {uniqueid for uniqueid, owners in calls_by_channel.items() if len(owners) > 1}
    shared_channels |= {
        name for (name,) in _CHANNELS_OF_OTHERS.fetch_tuples(channels=calls_by_channel, ids=records)
    }
    entangled_ids = {
        linkedid for uniqueid in shared_channels for linkedid in calls_by_channel[uniqueid]
    }
    entangled_ids |= {name for row in _MERGED_CALLS.fetch_tuples(ids=records) for name in row}
    entangled_ids |= calls.unusable_calls(records)
    return {
        linkedid: events
        for linkedid, events in records.items()
        if linkedid not in entangled_ids
        if any(event.begins == "from-trunk" for event in events)
        if not any(event.type == "GONE" for event in events)
    }


def _has_clock_step(records: Mapping[str, Sequence[Event]]) -> bool:
    """Return True if the clock was stepped near the time of these records."""
    moments = [event.at for events in records.values() for event in events]
    since, until = (
        min(moments) - projection.CLOCK_STEP_RANGE,
        max(moments) + projection.CLOCK_STEP_RANGE,
    )
    return bool(
        _CLOCK_STEPS.fetch_tuples(
            since=microseconds_since_epoch(since), until=microseconds_since_epoch(until)
        )
    )


def _calls_with_second_calls(calls_facts: Sequence[CallFacts]) -> set[str]:
    """Return the calls during whose talks one of their phones placed another call."""
    talks = [(facts.id, talk) for facts in calls_facts for talk in facts.talks if talk.extension]
    if not talks:
        return set()
    begin = min(talk.started_at for _, talk in talks)
    end = max(talk.ended_at or talk.started_at + projection.MAX_TALK for _, talk in talks)
    placed_calls: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    phones = {talk.extension or "" for _, talk in talks}
    for phone, at, linkedid in _PLACED_CALLS.fetch_tuples(
        phones=phones, since=microseconds_since_epoch(begin), until=microseconds_since_epoch(end)
    ):
        placed_calls[phone].append((at, linkedid))
    return {
        call_id
        for call_id, talk in talks
        for at, linkedid in placed_calls[talk.extension or ""]
        if microseconds_since_epoch(talk.started_at) <= at
        if at <= microseconds_since_epoch(talk.ended_at or talk.started_at + projection.MAX_TALK)
        if linkedid != call_id
    }
