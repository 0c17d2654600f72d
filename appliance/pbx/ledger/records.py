"""The stored records of the event log: each once, found by call, channel, phone and time."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from appliance.core import statements
from appliance.core.clock import datetime_from_microseconds, microseconds_since_epoch
from appliance.core.statements import PreparedQuery, is_one_of_parameter, query_parameter
from appliance.models import EventRow
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import ClockStep, clock_step

_EVENT_COLUMNS = ("hash", "linkedid", "at", "event", "uniqueid", "begins", "phone", "fields")
_RECORD_COLUMNS = (
    *(EventRow.hash, EventRow.linkedid, EventRow.at),
    *(EventRow.event, EventRow.uniqueid, EventRow.fields),
)
_STORED_HASHES = PreparedQuery(
    lambda: EventRow.select(EventRow.hash).where(is_one_of_parameter(EventRow.linkedid, "ids"))
)
_STORED_RECORDS = PreparedQuery(
    lambda: EventRow.select(*_RECORD_COLUMNS).where(is_one_of_parameter(EventRow.linkedid, "ids"))
)
_CHANNELS_OF_OTHERS = PreparedQuery(
    lambda: (
        EventRow.select(EventRow.uniqueid, EventRow.linkedid)
        .where(
            is_one_of_parameter(EventRow.uniqueid, "channels"),
            ~is_one_of_parameter(EventRow.linkedid, "ids"),
        )
        .distinct()
    )
)
_CLOCK_STEPS = PreparedQuery(
    lambda: (
        EventRow.select(*_RECORD_COLUMNS)
        .where(
            EventRow.begins == "CLOCK",
            EventRow.at.between(query_parameter("since"), query_parameter("until")),
        )
        .order_by(EventRow.at)
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
        .order_by(EventRow.at)
        .limit(1)
    )
)


class PlacedRow(NamedTuple):
    """The record by which a phone placed a call; `linkedid` is that of the placed call."""

    phone: str
    at: dt.datetime
    linkedid: str


def select_unstored(events: Iterable[Event]) -> list[Event]:
    """Return those of the records that are not stored yet.

    They are looked up by linkedid, which is faster than by hash: new linkedids are adjacent at the
    end of their index, hashes are scattered.
    """
    events_by_hash = {event.hash: event for event in events}
    for (stored_hash,) in _STORED_HASHES.fetch_tuples(
        ids={event.linkedid for event in events_by_hash.values()}
    ):
        events_by_hash.pop(stored_hash, None)
    return list(events_by_hash.values())


def insert_events(events: Iterable[Event]) -> None:
    """Insert records, except those that are stored already.

    The fields by which records are searched have columns of their own.
    """
    rows = [
        (
            *(
                event.hash,
                event.linkedid,
                microseconds_since_epoch(event.at),
                event.type,
                event.uniqueid,
            ),
            *(event.begins, event.dialling_phone, event.fields_json),
        )
        for event in events
    ]
    statements.insert_encoded_rows(EventRow, _EVENT_COLUMNS, rows)


def events_by_linkedid(linkedids: Collection[str]) -> dict[str, list[Event]]:
    """Return the stored records of these linkedids, by linkedid; one without records is missing.

    Rows of the table that contain only the columns for searching, as in demonstration data, do not
    count as records.
    """
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for event in _events_from_rows(_STORED_RECORDS.fetch_tuples(ids=linkedids)):
        events[event.linkedid].append(event)
    return events


def _events_from_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[Event]:
    """Yield the events of rows of _RECORD_COLUMNS, whose values are as the database stores them."""
    for hash, linkedid, at, type, uniqueid, fields_text in rows:
        fields = json.loads(fields_text)
        # In rows of demonstration data the record's fields are missing.
        if "EventTime" in fields:
            yield eventlog.event_from_columns(
                hash, linkedid, datetime_from_microseconds(at), type, uniqueid, fields
            )


def family_events(linkedid: str) -> list[Event]:
    """Return all records of a linkedid, and of the linkedids that share a channel with it.

    When calls are joined, Asterisk continues to write records of the younger call's channels, but
    with the linkedid of the older one.
    """
    events: list[Event] = []
    seen_ids: set[str] = set()
    new_ids = {linkedid}
    while new_ids:
        seen_ids |= new_ids
        for stored_events in events_by_linkedid(new_ids).values():
            events += stored_events
        channels = {event.uniqueid for event in events}
        new_ids = {other_id for _channel, other_id in channels_of_others(channels, seen_ids)}
    return events


def channel_ids(linkedid: str) -> set[str]:
    """Return the ids of all channels of this linkedid's call."""
    return {event.uniqueid for event in family_events(linkedid)}


def channels_of_others(
    channels: Collection[str], linkedids: Collection[str]
) -> list[tuple[str, str]]:
    """Return (channel, linkedid) for those of these channels that are also in other calls.

    Other calls are those whose linkedid is not one of `linkedids`.
    """
    rows = _CHANNELS_OF_OTHERS.fetch_tuples(channels=channels, ids=linkedids)
    return [(uniqueid, linkedid) for uniqueid, linkedid in rows]


def clock_steps(since: dt.datetime, until: dt.datetime) -> list[ClockStep]:
    """Return the steps of the clock within a period, in order of time."""
    rows = _CLOCK_STEPS.fetch_tuples(
        since=microseconds_since_epoch(since), until=microseconds_since_epoch(until)
    )
    return [clock_step(event) for event in _events_from_rows(rows)]


def placed_calls(
    phones: Collection[str], since: dt.datetime, until: dt.datetime
) -> list[PlacedRow]:
    """Return the calls that these phones placed within a period."""
    rows = _PLACED_CALLS.fetch_tuples(
        phones=phones,
        since=microseconds_since_epoch(since),
        until=microseconds_since_epoch(until),
    )
    return [PlacedRow(phone, datetime_from_microseconds(at), name) for phone, at, name in rows]


def next_boot(moment: dt.datetime) -> dt.datetime | None:
    """Return the time of Asterisk's next start after `moment`, if any."""
    rows = _NEXT_BOOT.fetch_tuples(since=microseconds_since_epoch(moment))
    return datetime_from_microseconds(rows[0][0]) if rows else None


def last_record_before_boot(boot: dt.datetime) -> dt.datetime | None:
    """Return the time of the last record, if any, before Asterisk started at `boot`.

    The records of the start's own channel, which began just before `boot`, do not count.
    """
    boot_records = EventRow.select(EventRow.linkedid).where(
        EventRow.begins == "BOOT", EventRow.at == boot
    )
    rows = EventRow.select(EventRow.at).where(
        EventRow.at < boot, EventRow.linkedid.not_in([row.linkedid for row in boot_records])
    )
    at: dt.datetime | None = rows.order_by(EventRow.at.desc()).limit(1).scalar()
    return at


def calls_open_at(boot: dt.datetime) -> set[str]:
    """Return the linkedids of calls without an end in the log when Asterisk started at `boot`.

    Only calls that began after the start before it can have been open.
    """
    previous_boots = EventRow.select(EventRow.at).where(
        EventRow.begins == "BOOT", EventRow.at < boot
    )
    since = previous_boots.order_by(EventRow.at.desc()).limit(1).scalar()
    begun_calls = EventRow.select(EventRow.linkedid).where(
        EventRow.event == "CHAN_START", EventRow.at < boot
    )
    ended_calls = EventRow.select(EventRow.linkedid).where(EventRow.event == "LINKEDID_END")
    if since:
        begun_calls, ended_calls = (
            rows.where(EventRow.at >= since) for rows in (begun_calls, ended_calls)
        )
    return {
        row.linkedid for row in begun_calls.where(EventRow.linkedid.not_in(ended_calls)).distinct()
    }


def linkedids_between(since: dt.datetime, until: dt.datetime) -> set[str]:
    """Return the linkedids that have a record within a period."""
    rows = EventRow.select(EventRow.linkedid).where(EventRow.at.between(since, until))
    return {row.linkedid for row in rows.distinct()}
