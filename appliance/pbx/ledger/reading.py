"""Reads the event log into the ledger: each record once, each call from all its records."""

import contextlib
import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from appliance.core import db, memory, statements
from appliance.core.settings import Calls, Settings
from appliance.models import EventFile
from appliance.pbx import log_files
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import InterpretedCall
from appliance.pbx.ledger import fragments, gathering, projection, records
from appliance.pbx.ledger.chunks import LogChunk, read_chunk
from appliance.telephony import calls

_CALLS_PER_STEP = 8  # in one transaction: other writers wait for it while a long log is read


def read_log(path: Path, rules: Calls, *, growing: bool) -> int:
    """Read the unread rest of a log file into the ledger; returns the number of new records.

    `rules` are the settings of calls, such as when a call counts as short. `growing`: the file is
    still being written, so its last line may be completed later. Otherwise a record that the end
    (or the start) of the file cuts is stored until its other half is read. Bytes that are not a
    record are set aside, and reading goes on (`calls.quarantine_pieces`). Reading again, in any
    order and from any copy, changes nothing.
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
                chunk, last = read_chunk(stream, offset, growing=growing)
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


def _store_chunk(chunk: LogChunk, path: Path, progress: EventFile, rules: Calls) -> int:
    """Store a chunk in short transactions; returns the number of new records.

    `progress` is stored with it: the position in the file up to which it has then been read.
    """
    joined_events, joined_texts = fragments.join_fragments(chunk.fragments)
    new_events = records.select_unstored([*chunk.events, *joined_events])

    def store_leftovers_and_position() -> None:
        """Store damaged bytes, fragments and the position; see also `_project_affected_calls`."""
        calls.quarantine_pieces(log_files.storable_name(path), chunk.damages)
        fragments.update_fragments(chunk.fragments, joined_texts)
        _project_affected_calls(new_events, rules)
        row = {"fingerprint": progress.fingerprint, "offset": progress.offset}
        statements.insert_rows(EventFile, [row], update=("offset",))

    db.in_short_transactions([*_storing_steps(new_events, rules), store_leftovers_and_position])
    return len(new_events)


def store_events(events: Iterable[Event], rules: Calls) -> int:
    """Store those of the records that are new, and project their calls; returns how many are new.

    `rules` are the settings of calls. Call it inside a write transaction.
    """
    new_events = records.select_unstored(events)
    for step in _storing_steps(new_events, rules):
        step()
    _project_affected_calls(new_events, rules)
    return len(new_events)


def record_event(settings: Settings, event: Event) -> None:
    """Record an event of the appliance itself in the ledger, in addition to Asterisk's log."""
    with db.write_transaction():
        store_events([event], settings.calls)


def retry_quarantined_calls(rules: Calls) -> None:
    """Project again the calls that an earlier release could not interpret: this one may be able to.

    It is for the start of the pbx process. Calls that fail again remain set aside.
    """
    rows = [row.linkedid for row in calls.quarantined_pieces(kind="untold")]
    db.in_short_transactions(
        [functools.partial(projection.project_call, linkedid, rules) for linkedid in rows]
    )


def _storing_steps(new_events: list[Event], rules: Calls) -> Iterator[Callable[[], None]]:
    """Yield functions that each store the new records of some linkedids and project their calls.

    Records of SHARED_TYPES are omitted: `_project_affected_calls` stores them. Calls are
    interpreted when their function is yielded, that is, before the write lock is taken.
    """
    events_by_call: defaultdict[str, list[Event]] = defaultdict(list)
    for event in new_events:
        if event.type not in gathering.SHARED_TYPES:
            events_by_call[event.linkedid].append(event)
    for batch in itertools.batched(sorted(events_by_call.items()), _CALLS_PER_STEP, strict=False):
        new_by_call = dict(batch)
        yield functools.partial(
            _store_calls, new_by_call, projection.interpret_in_advance(new_by_call), rules
        )


def _store_calls(
    new_by_call: Mapping[str, list[Event]],
    interpreted_calls: Mapping[str, InterpretedCall],
    rules: Calls,
) -> None:
    """Store the new records of these linkedids, and project their calls.

    `interpreted_calls` were interpreted in advance, from the new records alone.
    """
    stored_by_call = records.events_by_linkedid(new_by_call)
    records.insert_events([event for events in new_by_call.values() for event in events])
    # Another process that reads the same log may have stored some of the new records already.
    events_by_call = {
        linkedid: [
            *stored_by_call.get(linkedid, ()),
            *_missing_events(stored_by_call, linkedid, new_by_call[linkedid]),
        ]
        for linkedid in new_by_call
    }
    projection.project_calls(events_by_call, rules, interpreted_calls)


def _missing_events(
    stored_by_call: Mapping[str, list[Event]], linkedid: str, new_events: list[Event]
) -> list[Event]:
    """Return the new records of a linkedid that are not among the stored ones."""
    stored_hashes = {event.hash for event in stored_by_call.get(linkedid, ())}
    return [event for event in new_events if event.hash not in stored_hashes]


def _project_affected_calls(new_events: list[Event], rules: Calls) -> None:
    """Store the new records of SHARED_TYPES, and project the other calls that new records change.

    See `gathering.affected_calls`.
    """
    if not new_events:
        return
    records.insert_events(e for e in new_events if e.type in gathering.SHARED_TYPES)
    for linkedid in sorted(gathering.affected_calls(new_events)):
        projection.project_call(linkedid, rules)
