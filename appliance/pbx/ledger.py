"""Records of the event log into the ledger: each record once, each call from all its records."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path

from appliance import calls
from appliance.db import writing
from appliance.models import Call, EventFile, EventFragment, EventRow, Recording
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import interpret

_BATCH = 200  # rows of 5 columns in one INSERT, well under SQLite's limit of parameters
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
    rows = [
        {"hash": e.hash, "linkedid": e.linkedid, "at": e.at, "event": e.type, "fields": e.fields}
        for e in fresh.values()
    ]
    for start in range(0, len(rows), _BATCH):
        EventRow.insert_many(rows[start : start + _BATCH]).execute()
    touched = {event.linkedid for event in fresh.values()}
    oldest = min(event.at for event in fresh.values())
    boots = {e.at for e in fresh.values() if e.type == "BOOT"} | _boots_after(oldest)
    for linkedid in sorted(touched.union(*(_open_at(boot) for boot in boots))):
        tell(linkedid, short_abandon)
    return len(fresh)


def tell(linkedid: str, short_abandon: float) -> None:
    """Interpret one call from all its records and write it into the ledger."""
    rows = EventRow.select(EventRow.fields).where(EventRow.linkedid == linkedid)
    events = [eventlog.from_fields(row.fields) for row in rows]
    facts = interpret(events, _cut(linkedid, events))
    if facts:
        calls.store(facts, short_abandon)


def _cut(linkedid: str, events: list[Event]) -> dt.datetime | None:
    """When Asterisk died under this call: the last sign of life before it started anew.

    Signs are the last record of any call and the last sound written to the call's recording.
    """
    begin = min(event.at for event in events)
    boot = EventRow.select(EventRow.at).where(EventRow.event == "BOOT", EventRow.at > begin)
    started = boot.order_by(EventRow.at).limit(1).scalar()
    if not started:
        return None
    record = EventRow.select(EventRow.at).where(
        EventRow.at < started, EventRow.linkedid.not_in(_booting(started))
    )
    signs = [record.order_by(EventRow.at.desc()).limit(1).scalar()]
    written = Recording.select(Recording.written_at).where(
        Recording.call_id == linkedid, Recording.written_at.is_null(False)
    )
    signs += [row.written_at for row in written if row.written_at < started]
    return max(signs)


def _booting(boot: dt.datetime) -> list[str]:
    """The linkedid under which Asterisk announced itself; its records are no sign of the past."""
    rows = EventRow.select(EventRow.linkedid).where(EventRow.event == "BOOT", EventRow.at == boot)
    return [row.linkedid for row in rows]


def _boots_after(moment: dt.datetime) -> set[dt.datetime]:
    """The next start of Asterisk after a moment: a late record can change what it cut."""
    following = EventRow.select(EventRow.at).where(EventRow.event == "BOOT", EventRow.at > moment)
    first = following.order_by(EventRow.at).limit(1).scalar()
    return {first} if first else set()


def _open_at(boot: dt.datetime) -> set[str]:
    """Calls that had no end in the log when Asterisk started at `boot`."""
    former = EventRow.select(EventRow.at).where(EventRow.event == "BOOT", EventRow.at < boot)
    since = former.order_by(EventRow.at.desc()).limit(1).scalar()
    began = EventRow.select(EventRow.linkedid).where(
        EventRow.event == "CHAN_START", EventRow.at < boot
    )
    if since:
        began = began.where(EventRow.at >= since)
    ended = EventRow.select(EventRow.linkedid).where(EventRow.event == "LINKEDID_END")
    return {row.linkedid for row in began.where(EventRow.linkedid.not_in(ended)).distinct()}


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


def unfinished(limit: int = 500) -> list[Recording]:
    """Recordings of ended calls that were not measured yet."""
    ended = Call.select(Call.id).where(Call.ended_at.is_null(False))
    return list(
        Recording.select()
        .where(Recording.seconds.is_null(), Recording.call_id.in_(ended))
        .order_by(Recording.file.desc())
        .limit(limit)
    )


def fragments() -> int:
    """How many cut pieces of records wait for their other half."""
    return EventFragment.select().count()
