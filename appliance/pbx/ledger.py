"""Records of the event log into the ledger: each record once, each call from all its records."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from appliance.db import writing
from appliance.models import EventFile, EventFragment, EventRow
from appliance.pbx import eventlog, telling
from appliance.pbx.eventlog import Event

_BATCH = 200  # rows of 8 columns in one INSERT, well under SQLite's limit of parameters
# Bytes of a log taken into one transaction: some forty calls, half a second. An operator who
# saves while a long stop is caught up with waits that long, not until the end of the log.
_CHUNK = 128 << 10


def read(path: Path, short_abandon: float, *, growing: bool) -> int:
    """Take in what a log file holds beyond what was read of it; returns how many new records.

    `growing`: the file is still written to, so its last line may be whole only later. Otherwise a
    record that the end (or the start) of the file cuts through is kept until its other half comes.
    Reading again, in any order, from any copy, changes nothing.
    """
    known = 0
    with path.open("rb") as stream:
        fingerprint = _fingerprint(path, stream.readline())
        mark = EventFile.get_or_none(EventFile.fingerprint == fingerprint)
        offset = mark.offset if mark else 0
        if offset > path.stat().st_size:  # emptied and written anew
            offset = 0
        while True:
            stream.seek(offset)
            data = stream.read(_CHUNK)
            last = len(data) < _CHUNK
            events, fragments, taken = _sort(data, first=offset == 0, last=last, growing=growing)
            if taken == 0:
                return known
            with writing():
                known += take_in([*events, *_join(fragments)], short_abandon)
                offset += taken
                EventFile.replace(fingerprint=fingerprint, offset=offset).execute()


def take_in(events: Iterable[Event], short_abandon: float) -> int:
    """Write down records that are not known yet and tell their calls anew; returns how many."""
    fresh = {event.hash: event for event in events}
    for row in EventRow.select(EventRow.hash).where(EventRow.hash.in_(list(fresh))).tuples():
        del fresh[row[0]]
    if not fresh:
        return 0
    rows = [_row(event) for event in fresh.values()]
    for start in range(0, len(rows), _BATCH):
        EventRow.insert_many(rows[start : start + _BATCH]).execute()
    touched = {event.linkedid for event in fresh.values()}
    oldest = min(event.at for event in fresh.values())
    boots = {e.at for e in fresh.values() if e.type == "BOOT"} | telling.boots_after(oldest)
    for event in fresh.values():
        if event.type == "CLOCK":
            touched |= telling.across(event)
    for linkedid in sorted(touched.union(*(telling.open_at(boot) for boot in boots))):
        telling.tell(linkedid, short_abandon)
    return len(fresh)


def _row(event: Event) -> dict[str, object]:
    """A record as the table keeps it, with what is looked for in columns of their own."""
    return {
        "hash": event.hash,
        "linkedid": event.linkedid,
        "at": event.at,
        "event": event.type,
        "uniqueid": event.uniqueid,
        "begins": event.begins,
        "phone": event.phone,
        "fields": event.fields,
    }


def _sort(
    data: bytes, *, first: bool, last: bool, growing: bool
) -> tuple[list[Event], list[tuple[bool, bytes]], int]:
    """Records, cut pieces as (begins a file, bytes), and how many bytes are done with."""
    found = list(eventlog.pieces(data))
    events: list[Event] = []
    fragments: list[tuple[bool, bytes]] = []
    taken = 0
    for number, piece in enumerate(found):
        at_end = number == len(found) - 1
        if piece.event:
            events.append(piece.event)
        elif at_end and (growing or not last):
            break  # the rest of it comes later
        else:
            fragments.append((first and number == 0, piece.text))
        taken = piece.end
    return events, fragments, taken


def _join(fragments: list[tuple[bool, bytes]]) -> list[Event]:
    """Keep cut pieces, and make records of those whose two halves are here."""
    for head, text in fragments:
        digest = hashlib.sha256(text + (b"h" if head else b"t")).hexdigest()
        EventFragment.insert(hash=digest, head=head, text=text).on_conflict_ignore().execute()
    if not fragments:
        return []
    kept = list(EventFragment.select())
    joined = []
    for tail in (piece for piece in kept if not piece.head):
        for head in (piece for piece in kept if piece.head):
            whole = bytes(tail.text) + bytes(head.text)
            if event := eventlog.parse(whole) or eventlog.parse(whole + b"\n"):
                joined.append(event)
                for piece in (tail, head):
                    piece.delete_instance()
    return joined


def _fingerprint(path: Path, first_line: bytes) -> str:
    """Tells this file from any other, also after it was renamed."""
    return f"{path.stat().st_ino}:{hashlib.sha256(first_line).hexdigest()[:24]}"


def fragments() -> int:
    """How many cut pieces of records wait for their other half."""
    return EventFragment.select().count()
