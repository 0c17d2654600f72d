"""Reads the event log into the ledger: each record once, each call from all its records."""

import contextlib
import functools
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from appliance.core import db, memory, statements
from appliance.core.clock import microseconds_since_epoch
from appliance.core.settings import Calls, Settings
from appliance.models import EventFile, EventFragment, EventRow
from appliance.pbx import batch_projection, eventlog, log_files, projection
from appliance.pbx.eventlog import Event
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, Damage

# Bytes of a log read at once: some hundred calls, few of which are cut by the end of the chunk.
_CHUNK_BYTES = 2 << 20
_MAX_RECORD_BYTES = 128 << 10  # Asterisk's records have a few hundred
_CALLS_PER_STEP = 8  # limits how long others wait while a long log is read
_SHARED_TYPES = ("BOOT", "CLOCK")  # records that affect other calls too
_EVENT_COLUMNS = ("hash", "linkedid", "at", "event", "uniqueid", "begins", "phone", "fields")
_STORED_HASHES = statements.PreparedQuery(
    lambda: EventRow.select(EventRow.hash).where(
        statements.is_one_of_parameter(EventRow.linkedid, "ids")
    )
)


@dataclass
class _LogChunk:
    """The content of a stretch of a log."""

    events: list[Event] = field(default_factory=list)
    fragments: list[tuple[bool, bytes]] = field(default_factory=list)  # (begins a file, bytes)
    damages: list[Damage] = field(default_factory=list)
    consumed: int = 0  # bytes that are processed


def read_log(path: Path, rules: Calls, *, growing: bool) -> int:
    """Read the unread rest of a log file into the ledger; returns the number of new records.

    `growing`: the file is still being written, so its last line may be completed later. Otherwise a
    record that the end (or the start) of the file cuts is stored until its other half arrives.
    Bytes that are not a record are set aside, and reading goes on (`calls.quarantine_pieces`).
    Reading again, in any order and from any copy, changes nothing.
    """
    new_count = 0
    with path.open("rb") as stream:
        fingerprint = log_files.file_fingerprint(path, stream)
        progress = statements.find_row(EventFile, fingerprint=fingerprint)
        offset = progress.offset if progress else 0
        if offset > path.stat().st_size:  # emptied and filled again
            offset = 0
        while True:
            with memory.garbage_collection_pause():
                chunk, last = _read_chunk(stream, offset, growing=growing)
                if not chunk.consumed:
                    return new_count
                offset += chunk.consumed
                progress = EventFile(fingerprint=fingerprint, offset=offset)
                # What a crash loses is read from the log again; the heartbeat of each second syncs
                # to disk.
                with db.lazy_disk_sync() if growing else contextlib.nullcontext():
                    new_count += _store_chunk(chunk, path, progress, rules)
                del chunk  # frees the memory before garbage is collected
            if not last:
                db.yield_write_lock()


def _read_chunk(stream: BinaryIO, offset: int, *, growing: bool) -> tuple[_LogChunk, bool]:
    """Return the content of the log from `offset` on, and True if the file ends there."""
    stream.seek(offset)
    data = stream.read(_CHUNK_BYTES)
    last = len(data) < _CHUNK_BYTES
    chunk = _sort_pieces(data, offset, last=last, growing=growing)
    if not chunk.consumed and not last:
        chunk = _skip_garbage(stream, data, offset, growing=growing)
    return chunk, last


def _store_chunk(chunk: _LogChunk, path: Path, progress: EventFile, rules: Calls) -> int:
    """Store a chunk in short transactions; returns the number of new records.

    `progress` is the offset up to which the file is then read.
    """
    joined_events, halves = _join_fragments(chunk.fragments)
    new_events = _new_events([*chunk.events, *joined_events])

    def store_leftovers_and_position() -> None:
        """Store damages, fragments, records of other calls and the position in the file."""
        calls.quarantine_pieces(log_files.storable_name(path), chunk.damages)
        _store_fragments(chunk.fragments, halves)
        _project_affected_calls(new_events, rules)
        row = {"fingerprint": progress.fingerprint, "offset": progress.offset}
        statements.insert_rows(EventFile, [row], update=("offset",))

    db.in_short_transactions([*_storing_steps(new_events, rules), store_leftovers_and_position])
    return len(new_events)


def store_events(events: Iterable[Event], rules: Calls) -> int:
    """Store the records that are new, and project their calls again; returns how many are new.

    Call it inside a write transaction.
    """
    new_events = _new_events(events)
    for step in _storing_steps(new_events, rules):
        step()
    _project_affected_calls(new_events, rules)
    return len(new_events)


def count_fragments() -> int:
    """Return the number of cut pieces of records that wait for their other half."""
    return EventFragment.select().count()


def record_event(settings: Settings, event: Event) -> None:
    """Record an event of the appliance in the ledger, in addition to those of Asterisk's log."""
    with db.write_transaction():
        store_events([event], settings.calls)


def retry_quarantined_calls(rules: Calls) -> None:
    """Retry the projection of the calls for which it failed: this release may handle them."""
    rows = [row.linkedid for row in calls.quarantined_pieces(kind="untold")]
    db.in_short_transactions(
        [functools.partial(projection.project_call, linkedid, rules) for linkedid in rows]
    )


def _new_events(events: Iterable[Event]) -> list[Event]:
    """Return those of the records that are not stored yet.

    They are looked up by linkedid: new linkedids are adjacent at the end of their index, hashes are
    scattered.
    """
    events_by_hash = {event.hash: event for event in events}
    for (stored_hash,) in _STORED_HASHES.fetch_tuples(
        ids={event.linkedid for event in events_by_hash.values()}
    ):
        events_by_hash.pop(stored_hash, None)
    return list(events_by_hash.values())


def _storing_steps(new_events: list[Event], rules: Calls) -> Iterator[Callable[[], None]]:
    """Yield steps that each store the new records of a few linkedids, and project their calls."""
    events_by_call: defaultdict[str, list[Event]] = defaultdict(list)
    for event in new_events:
        if event.type not in _SHARED_TYPES:
            events_by_call[event.linkedid].append(event)
    for batch in itertools.batched(sorted(events_by_call.items()), _CALLS_PER_STEP, strict=False):
        records = dict(batch)
        yield functools.partial(
            _store_calls, records, batch_projection.interpret_records(records), rules
        )


def _store_calls(new: dict[str, list[Event]], facts: Mapping[str, CallFacts], rules: Calls) -> None:
    """Store the new records of these linkedids, and project their calls."""
    stored = batch_projection.stored_events_by_linkedid(new)
    _insert_events([event for events in new.values() for event in events])
    # Another process may read the same log.
    records = {
        name: [*stored.get(name, ()), *_missing_events(stored, name, new[name])] for name in new
    }
    complete_facts = {
        name: call_facts for name, call_facts in facts.items() if records[name] == new[name]
    }
    batch_projection.project_calls(records, rules, complete_facts)


def _missing_events(stored: dict[str, list[Event]], linkedid: str, new: list[Event]) -> list[Event]:
    """Return the new records of a linkedid that are not among the stored ones."""
    stored_hashes = {event.hash for event in stored.get(linkedid, ())}
    return [event for event in new if event.hash not in stored_hashes]


def _project_affected_calls(new_events: list[Event], rules: Calls) -> None:
    """Store the records that affect other calls too, and project those calls."""
    if not new_events:
        return
    shared_events = [event for event in new_events if event.type in _SHARED_TYPES]
    _insert_events(shared_events)
    affected = {event.linkedid for event in shared_events}
    boots = {event.at for event in shared_events if event.type == "BOOT"}
    for boot in boots | projection.boots_after(min(event.at for event in new_events)):
        affected |= projection.calls_open_at(boot)
    for event in shared_events:
        if event.type == "CLOCK":
            affected |= projection.calls_across_step(event)
    for linkedid in sorted(affected):
        projection.project_call(linkedid, rules)


def _insert_events(events: list[Event]) -> None:
    """Insert records, with the searched fields in columns of their own."""
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


def _sort_pieces(data: bytes, offset: int, *, last: bool, growing: bool) -> _LogChunk:
    """Sort the bytes at an offset of a file into records, fragments and damages.

    `last`: the file ends with these bytes.
    """
    pieces = list(eventlog.split_log(data))
    chunk = _LogChunk()
    for number, (piece_end, text, event) in enumerate(pieces):
        if event and len(text) <= _MAX_RECORD_BYTES:
            _add_event(chunk, event, offset + chunk.consumed, text)
        elif (at_end := number == len(pieces) - 1) and (growing or not last):
            break  # its rest arrives later
        elif not growing and ((at_end and last) or (offset == 0 and number == 0)):
            chunk.fragments.append((offset == 0 and number == 0, text))
        else:
            chunk.damages.append(_describe_damage(offset + chunk.consumed, text))
        chunk.consumed = piece_end
    return chunk


def _add_event(chunk: _LogChunk, event: Event, position: int, text: bytes) -> None:
    """Add a complete record, set aside if it is of no use, and noted if it is damaged."""
    if not (is_faulty := event.is_faulty):
        chunk.events.append(event)
    if is_faulty or event.has_unreadable_facts:
        chunk.damages.append(Damage("facts", position, text, linkedid=event.linkedid))


def _describe_damage(position: int, text: bytes, size: int = 0) -> Damage:
    """Return the description of a stretch without a complete record."""
    linkedid = eventlog.linkedid_of_fragment(text)
    kind = "cut" if eventlog.RECORD_START.match(text) else "garbage"
    kind = "long" if max(size, len(text)) > _MAX_RECORD_BYTES else kind
    return Damage(kind, position, text, size, linkedid)


def _skip_garbage(stream: BinaryIO, data: bytes, offset: int, *, growing: bool) -> _LogChunk:
    """Skip bytes that fill all of `data` and more without being a record, up to the next record."""
    end, overlap = offset + len(data), eventlog.MAX_RECORD_START_BYTES
    block = data[1:]
    while not (start := eventlog.RECORD_START.search(block)):
        stream.seek(end - overlap)
        block = stream.read(_CHUNK_BYTES)
        if len(block) <= overlap:  # the file ends here, perhaps in the middle of a start
            break
        end += len(block) - overlap
    if start:
        end += start.start() - len(block)
    elif growing:
        end -= overlap
    size = end - offset
    return _LogChunk(damages=[_describe_damage(offset, data, size)], consumed=size)


def _join_fragments(new: list[tuple[bool, bytes]]) -> tuple[list[Event], list[bytes]]:
    """Return the records whose two halves are present, and those halves.

    Of each record at least one half is new.
    """
    if not new:
        return [], []
    stored = [(piece.head, bytes(piece.text)) for piece in EventFragment.select()]
    tails, heads = ([text for head, text in {*stored, *new} if head == first] for first in (0, 1))
    events, halves = [], []
    for tail, head in itertools.product(tails, heads):
        joined = tail + head
        if event := eventlog.parse_record(joined) or eventlog.parse_record(joined + b"\n"):
            events.append(event)
            halves += [tail, head]
    return events, halves


def _store_fragments(new: list[tuple[bool, bytes]], halves: list[bytes]) -> None:
    """Store cut pieces, and delete those that became records."""
    for head, text in new:
        if text not in halves:
            digest = hashlib.sha256(text + (b"h" if head else b"t")).hexdigest()
            EventFragment.insert(hash=digest, head=head, text=text).on_conflict_ignore().execute()
    if halves:
        EventFragment.delete().where(EventFragment.text.in_(halves)).execute()
