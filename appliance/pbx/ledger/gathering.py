"""Gathers everything that is stored about a call, and decides which calls a record changes.

Nearly all calls are independent of others: their channels are in no other call, their phones placed
no call while they were connected, and no step of the clock or start of Asterisk is near. Whether
this is so is queried for a batch of calls together. Of the other calls, the records that they
depend on are gathered too.
"""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from appliance.core import clock
from appliance.core.statements import PreparedQuery, is_one_of_parameter
from appliance.models import Call, MergedCall, Recording, Talk
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import (
    CLOCK_STEP_RANGE,
    END_TOLERANCE,
    MAX_TALK,
    Boot,
    CallRecords,
    ClockStep,
    PlacedCall,
    clock_step,
    correct_clock_steps,
    first_record,
    is_part_of_talk,
    oldest_linkedid,
    phone_connections,
    records_of_call,
    times_to_search,
)
from appliance.pbx.ledger import records
from appliance.pbx.ledger.records import PlacedRow
from appliance.telephony import calls

SHARED_TYPES = ("BOOT", "CLOCK")  # Asterisk started, the clock was stepped: many calls change
_MERGED_CALLS = PreparedQuery(
    lambda: MergedCall.select(MergedCall.linkedid, MergedCall.call_id).where(
        is_one_of_parameter(MergedCall.linkedid, "ids")
        | is_one_of_parameter(MergedCall.call_id, "ids")
    )
)


def affected_calls(new_events: Sequence[Event]) -> set[str]:
    """Return the linkedids that must be projected because these new records change their calls.

    A start of Asterisk ends the calls before it, and a step of the clock changes the times of
    calls. A record that is read late can change when the calls that the next start cut ended: they
    end with the last record before it. The new records' own linkedids are left out, because they
    are projected when their records are stored; only those of SHARED_TYPES, which are stored
    separately, are included. `new_events` must not be empty.
    """
    shared_events = [event for event in new_events if event.type in SHARED_TYPES]
    linkedids = {event.linkedid for event in shared_events}
    boots = {event.at for event in shared_events if event.type == "BOOT"}
    if next_boot := records.next_boot(min(event.at for event in new_events)):
        boots.add(next_boot)
    for boot in boots:
        linkedids |= records.calls_open_at(boot)
    for event in shared_events:
        if event.type == "CLOCK":
            linkedids |= _calls_across_step(event)
    return linkedids


def _calls_across_step(event: Event) -> set[str]:
    """Return the linkedids of calls during which the clock was stepped.

    `event` is the step's CLOCK record. Calls with a record near its time are included, because a
    step is detected a little later.
    """
    step = clock_step(event)
    has_begun = Call.arrived_at.between(step.at_by_old_clock - MAX_TALK, step.at_by_old_clock)
    has_lasted = Call.ended_at.is_null() | (Call.ended_at >= step.at_by_old_clock)
    overlapping = Call.select(Call.id).where(has_begun, has_lasted)
    nearby_ids = records.linkedids_between(event.at - END_TOLERANCE, event.at + END_TOLERANCE)
    return nearby_ids | {call.id for call in overlapping}


# Calls that depend on no other call.


def independent_calls(events_by_call: Mapping[str, Sequence[Event]]) -> list[CallRecords]:
    """Return, ready to be interpreted, the inbound calls that depend on no record of another call.

    `events_by_call` contains all records of each linkedid, and is not empty. Calls that may depend
    on others are left out: near a step of the clock these are all calls.
    """
    if _has_clock_step(events_by_call):
        return []
    dependent_ids = _calls_sharing_channels(events_by_call)
    dependent_ids |= {
        linkedid for row in _MERGED_CALLS.fetch_tuples(ids=events_by_call) for linkedid in row
    }
    dependent_ids |= calls.unusable_calls(events_by_call)
    # A later start of Asterisk may have cut a call without an end, at the time of any other record.
    later_boot = records.next_boot(min(map(_earliest_time, events_by_call.values())))
    candidates = {
        linkedid: events
        for linkedid, events in events_by_call.items()
        if linkedid not in dependent_ids
        if any(event.begins == "from-trunk" for event in events)
        if not any(event.type == "GONE" for event in events)
        if not later_boot
        or _has_ended(linkedid, events)
        or not records.next_boot(_earliest_time(events))
    }
    dependent_ids = _calls_with_second_call(candidates)
    return [
        CallRecords(linkedid, events)
        for linkedid, events in candidates.items()
        if linkedid not in dependent_ids
    ]


def _has_clock_step(events_by_call: Mapping[str, Sequence[Event]]) -> bool:
    """Return True if the clock was stepped near the time of these records."""
    moments = [event.at for events in events_by_call.values() for event in events]
    return bool(_steps_near(moments))


def _calls_sharing_channels(events_by_call: Mapping[str, Sequence[Event]]) -> set[str]:
    """Return those of these calls that share a channel with another call, given or stored."""
    calls_by_channel: defaultdict[str, set[str]] = defaultdict(set)
    for linkedid, events in events_by_call.items():
        for event in events:
            calls_by_channel[event.uniqueid].add(linkedid)
    shared_channels = {uniqueid for uniqueid, owners in calls_by_channel.items() if len(owners) > 1}
    shared_channels |= {
        channel for channel, _ in records.channels_of_others(calls_by_channel, events_by_call)
    }
    return {linkedid for channel in shared_channels for linkedid in calls_by_channel[channel]}


def _has_ended(linkedid: str, events: Iterable[Event]) -> bool:
    """Return True if the channel with which the call began has ended."""
    own_events = [event for event in events if event.uniqueid == linkedid]
    begun_at = min((e.order for e in own_events if e.type == "CHAN_START"), default=None)
    return begun_at is not None and any(
        event.type == "HANGUP" and event.order > begun_at for event in own_events
    )


def _calls_with_second_call(events_by_call: Mapping[str, Sequence[Event]]) -> set[str]:
    """Return the calls during which one of their phones, being connected, placed another call."""
    searches_by_call = {
        linkedid: _searches_for_placed_calls(events, ())
        for linkedid, events in events_by_call.items()
    }
    placed_rows = _search_placed_calls(list(itertools.chain(*searches_by_call.values())))
    return {
        linkedid
        for linkedid, searches in searches_by_call.items()
        if any(
            row.linkedid != linkedid and search.since <= row.at <= search.until
            for search in searches
            for row in placed_rows.get(search.phone, ())
        )
    }


# Calls that may depend on others.


def gather_call(root: str, events: Sequence[Event]) -> CallRecords:
    """Return everything that is stored about one call.

    `root` is the linkedid that names it; `events` are the records of that linkedid and of those
    that share a channel with it.
    """
    steps = _steps_near([event.at for event in events])
    placed_calls = _gather_placed_calls(root, events, steps)
    beginnings = {
        _earliest_time(events),
        *(_earliest_time([*events, *call.events]) for call in placed_calls),
    }
    boots = _boots_after(beginnings)
    needs_sounds = boots or any(event.type == "GONE" for event in events)
    return CallRecords(
        root,
        events,
        placed_calls,
        steps,
        boots,
        sounds_at=_sound_times(root) if needs_sounds else (),
        is_stored_as_ended=bool(boots) and _is_stored_as_ended(root),
    )


def enclosing_calls(events: Sequence[Event]) -> list[str]:
    """Return the linkedids of other calls of which these records may be a part, in order.

    It is empty for the records of a call from a trunk, which is never a part of another call.
    """
    if any(event.begins == "from-trunk" for event in events):
        return []
    linkedids = calls_merged_with(events)
    if held_call := _linkedid_of_held_call(events):
        linkedids.add(held_call)
    return sorted(linkedids)


def calls_merged_with(events: Iterable[Event]) -> set[str]:
    """Return the linkedids of other calls as a part of which these records are stored already."""
    linkedids = {event.linkedid for event in events}
    rows = MergedCall.select(MergedCall.call_id).where(MergedCall.linkedid.in_(linkedids))
    return {row.call_id for row in rows} - linkedids


def _linkedid_of_held_call(events: Sequence[Event]) -> str | None:
    """Return the linkedid of the call whose caller waits while a phone of it places this call.

    According to the ledger, the phone is in a talk of that call at the time; calls between two of
    the appliance's own phones do not count. Returns None if there is no such call.
    """
    linkedids = {event.linkedid for event in events}
    root = oldest_linkedid(linkedids)
    placing_event = next((e for e in events if e.dialling_phone and e.linkedid == root), None)
    if not placing_event:
        return None
    steps = _steps_near([event.at for event in events])
    # Talks that began before a step of the clock are recorded by the clock before it.
    placed_at = placing_event.at
    for at in [placed_at, *(placed_at - step.size for step in steps if step.at <= placed_at)]:
        talks = (
            Talk.select(Talk.call, Talk.started_at, Talk.ended_at)
            .join(Call)
            .where(
                Talk.extension == placing_event.dialling_phone,
                Talk.started_at < at,
                Talk.started_at > at - MAX_TALK,
                (Talk.ended_at > at) | Talk.ended_at.is_null(),
                Call.direction != "internal",
                Call.id.not_in(linkedids),
            )
        )
        row = talks.order_by(Talk.started_at.desc()).first()
        if row and is_part_of_talk(
            correct_clock_steps(events, row.started_at, steps), row.ended_at
        ):
            return str(row.call_id)
    return None


def _gather_placed_calls(
    root: str, events: Sequence[Event], steps: Sequence[ClockStep]
) -> list[PlacedCall]:
    """Return the calls that may be second calls in a talk of this call, or of such a second call.

    A second call is one that a phone places while its first caller waits. Which of them really are
    second calls is decided when the talks are known.
    """
    written_events = [event for event in events if event.type != "GONE"]
    ordered_events = records_of_call(sorted(written_events, key=attrgetter("order")), root)
    first = first_record(ordered_events, root)
    if not first:
        return []
    own_ids = {event.linkedid for event in events}
    families: dict[str, list[Event]] = {}  # by linkedid: its records and those of joined calls
    placed_calls: dict[PlacedRow, PlacedCall] = {}
    pending = [ordered_events]
    while pending:
        connected_events = correct_clock_steps(pending.pop(), first.at, steps)
        for row, search in _calls_placed_during_talks(connected_events, steps):
            if row.linkedid in own_ids or row in placed_calls:
                continue
            is_known = row.linkedid in families
            if not is_known:
                families[row.linkedid] = records.family_events(row.linkedid)
            family = families[row.linkedid]
            corrected_family = correct_clock_steps(family, first.at, steps)
            if family and is_part_of_talk(corrected_family, search.connected_until):
                placed_calls[row] = PlacedCall(row.phone, row.at, row.linkedid, family)
                if not is_known:
                    pending.append(family)
    return list(placed_calls.values())


class _Search(NamedTuple):
    """A search for the calls that a phone placed while it was connected to another party.

    `since` and `until` bound the recorded times to search. If the clock was stepped while the phone
    was connected, its connection needs a second search, by the other clock's times.
    `connected_until` is the end of the connection, unless it may go on, by the clock as it was when
    the call began.
    """

    phone: str
    since: dt.datetime
    until: dt.datetime
    connected_until: dt.datetime | None


def _searches_for_placed_calls(
    events: Sequence[Event], steps: Iterable[ClockStep]
) -> list[_Search]:
    """Return the searches for calls that phones placed while these records show them connected.

    `steps` are those of the clock near the records.
    """
    return [
        _Search(phone, since, until, connected_until)
        for phone, (connected_since, connected_until) in phone_connections(events).items()
        for since, until in times_to_search(
            connected_since, connected_until or _latest_time(events) + MAX_TALK, steps
        )
    ]


def _calls_placed_during_talks(
    events: Sequence[Event], steps: Iterable[ClockStep]
) -> Iterator[tuple[PlacedRow, _Search]]:
    """Yield each call that a phone placed while these records show it connected to another party.

    It comes with the search that found it, which says how long the phone was connected.
    """
    searches = _searches_for_placed_calls(events, steps)
    rows_by_phone = _search_placed_calls(searches)
    for search in searches:
        for row in rows_by_phone.get(search.phone, ()):
            if search.since <= row.at <= search.until:
                yield row, search


def _search_placed_calls(searches: Sequence[_Search]) -> Mapping[str, list[PlacedRow]]:
    """Return the calls that the phones of these searches placed, by phone.

    One query serves all searches. It covers the time from the earliest beginning to the latest
    end, so a call may lie outside its own phone's search.
    """
    rows_by_phone: defaultdict[str, list[PlacedRow]] = defaultdict(list)
    if searches:
        for row in records.placed_calls(
            {search.phone for search in searches},
            min(search.since for search in searches),
            max(search.until for search in searches),
        ):
            rows_by_phone[row.phone].append(row)
    return rows_by_phone


def _steps_near(moments: Collection[dt.datetime]) -> list[ClockStep]:
    """Return the steps of the clock that can affect records of these times."""
    return records.clock_steps(min(moments) - CLOCK_STEP_RANGE, max(moments) + CLOCK_STEP_RANGE)


def _boots_after(beginnings: Iterable[dt.datetime]) -> list[Boot]:
    """Return the next start of Asterisk after each of these times, in order of time.

    A start that is the next one after several of them is listed once.
    """
    boots = {boot for beginning in beginnings if (boot := records.next_boot(beginning))}
    return [
        Boot(at, records.last_record_before_boot(at), at > clock.now() + END_TOLERANCE)
        for at in sorted(boots)
    ]


def _sound_times(root: str) -> list[dt.datetime]:
    """Return the times at which each of the call's recordings was last written."""
    rows = Recording.select(Recording.written_at).where(
        Recording.call_id == root, Recording.written_at.is_null(False)
    )
    return [row.written_at for row in rows]


def _is_stored_as_ended(root: str) -> bool:
    """Return True if the ledger contains the call with its end."""
    rows = Call.select().where(Call.id == root, Call.ended_at.is_null(False))
    return bool(rows.exists())


def _earliest_time(events: Iterable[Event]) -> dt.datetime:
    return min(event.at for event in events)


def _latest_time(events: Iterable[Event]) -> dt.datetime:
    return max(event.at for event in events)
