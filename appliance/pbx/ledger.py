"""Records of the event log into the ledger: each record once, each call from all its records."""

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
from appliance.core.clock import microseconds
from appliance.core.settings import Calls, Settings
from appliance.models import EventFile, EventFragment, EventRow
from appliance.pbx import eventlog, logs, plain_calls, projection
from appliance.pbx.eventlog import Event
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, Damage

# Bytes of a log taken in at once: some hundred calls, of which few are cut by its end.
_CHUNK = 2 << 20
_LONGEST = 128 << 10  # bytes of a record at most; Asterisk's have some hundred
_TOGETHER = 8  # calls told at once: what others wait for at most, while a long log is taken in
_OF_MANY = ("BOOT", "CLOCK")  # records that change what is known of other calls
_COLUMNS = ("hash", "linkedid", "at", "event", "uniqueid", "begins", "phone", "fields")
_WRITTEN = statements.Question(
    lambda: EventRow.select(EventRow.hash).where(statements.some(EventRow.linkedid, "ids"))
)


@dataclass
class _Part:
    """What a stretch of a log holds."""

    events: list[Event] = field(default_factory=list)
    fragments: list[tuple[bool, bytes]] = field(default_factory=list)  # (begins a file, bytes)
    damages: list[Damage] = field(default_factory=list)
    taken: int = 0  # bytes that are done with


def read(path: Path, rules: Calls, *, growing: bool) -> int:
    """Take in what a log file holds beyond what was read of it; returns how many new records.

    `growing`: the file is still written to, so its last line may be whole only later. Otherwise a
    record that the end (or the start) of the file cuts through is kept until its other half comes.
    What is no record is set aside, and the rest goes on (`calls.quarantine`). Reading again, in any
    order, from any copy, changes nothing.
    """
    known = 0
    with path.open("rb") as stream:
        fingerprint = logs.fingerprint(path, stream)
        mark = statements.row_with(EventFile, fingerprint=fingerprint)
        offset = mark.offset if mark else 0
        if offset > path.stat().st_size:  # emptied and written anew
            offset = 0
        while True:
            with memory.unsearched():
                part, last = _stretch(stream, offset, growing=growing)
                if not part.taken:
                    return known
                offset += part.taken
                mark = EventFile(fingerprint=fingerprint, offset=offset)
                # What a crash takes is told again by the log; each second's sign of life follows.
                with db.unhurried() if growing else contextlib.nullcontext():
                    known += _write(part, path, mark, rules)
                del part  # before garbage is searched for
            if not last:
                db.give_way()


def _stretch(stream: BinaryIO, offset: int, *, growing: bool) -> tuple[_Part, bool]:
    """What the log holds from an offset on, and whether the file ends there."""
    stream.seek(offset)
    data = stream.read(_CHUNK)
    last = len(data) < _CHUNK
    part = _sort(data, offset, last=last, growing=growing)
    if not part.taken and not last:
        part = _endless(stream, data, offset, growing=growing)
    return part, last


def _write(part: _Part, path: Path, mark: EventFile, rules: Calls) -> int:
    """Take in a part, in turns; `mark` says how far that brings us. Returns how many records."""
    joined, halves = _joined(part.fragments)
    fresh = _unknown([*part.events, *joined])

    def finish() -> None:
        calls.set_aside(logs.name(path), part.damages)
        _set_aside(part.fragments, halves)
        _project_others(fresh, rules)
        row = {"fingerprint": mark.fingerprint, "offset": mark.offset}
        statements.insert(EventFile, [row], update=("offset",))

    db.in_turns([*_each_call(fresh, rules), finish])
    return len(fresh)


def take_in(events: Iterable[Event], rules: Calls) -> int:
    """Write down records that are not known yet and tell their calls anew; returns how many.

    Call it inside a write transaction.
    """
    fresh = _unknown(events)
    for step in _each_call(fresh, rules):
        step()
    _project_others(fresh, rules)
    return len(fresh)


def fragments() -> int:
    """How many cut pieces of records wait for their other half."""
    return EventFragment.select().count()


def note(settings: Settings, event: Event) -> None:
    """Write an event of our own into the ledger, beside those of Asterisk's log."""
    with db.writing():
        take_in([event], settings.calls)


def project_set_aside(rules: Calls) -> None:
    """Try anew to tell the calls of which nothing could be made: this release may know how."""
    rows = [row.linkedid for row in calls.quarantined(kind="untold")]
    db.in_turns([functools.partial(projection.project, linkedid, rules) for linkedid in rows])


def _unknown(events: Iterable[Event]) -> list[Event]:
    """Those of the records that are not written down.

    Asked by their linkedids: new ones stand together at the end of their index, hashes anywhere.
    """
    fresh = {event.hash: event for event in events}
    for (known,) in _WRITTEN.ask(ids={event.linkedid for event in fresh.values()}):
        fresh.pop(known, None)
    return list(fresh.values())


def _each_call(fresh: list[Event], rules: Calls) -> Iterator[Callable[[], None]]:
    """Steps that each write down the new records of a few linkedids, and tell their calls."""
    own: defaultdict[str, list[Event]] = defaultdict(list)
    for event in fresh:
        if event.type not in _OF_MANY:
            own[event.linkedid].append(event)
    for some in itertools.batched(sorted(own.items()), _TOGETHER, strict=False):
        new = dict(some)
        yield functools.partial(_take_calls, new, plain_calls.facts(new), rules)


def _take_calls(new: dict[str, list[Event]], facts: Mapping[str, CallFacts], rules: Calls) -> None:
    known = plain_calls.known(new)
    _insert([event for events in new.values() for event in events])
    # Another process may read the same log.
    records = {name: [*known.get(name, ()), *_beside(known, name, new[name])] for name in new}
    alone = {name: told for name, told in facts.items() if records[name] == new[name]}
    plain_calls.project(records, rules, alone)


def _beside(known: dict[str, list[Event]], linkedid: str, new: list[Event]) -> list[Event]:
    told = {event.hash for event in known.get(linkedid, ())}
    return [event for event in new if event.hash not in told]


def _project_others(fresh: list[Event], rules: Calls) -> None:
    """Write down the records that concern other calls too, and tell those."""
    if not fresh:
        return
    many = [event for event in fresh if event.type in _OF_MANY]
    _insert(many)
    touched = {event.linkedid for event in many}
    boots = {event.at for event in many if event.type == "BOOT"}
    for boot in boots | projection.boots_after(min(event.at for event in fresh)):
        touched |= projection.open_at(boot)
    for event in many:
        if event.type == "CLOCK":
            touched |= projection.across(event)
    for linkedid in sorted(touched):
        projection.project(linkedid, rules)


def _insert(events: list[Event]) -> None:
    """Records as the table keeps them, with what is looked for in columns of their own."""
    rows = [
        (
            *(event.hash, event.linkedid, microseconds(event.at), event.type, event.uniqueid),
            *(event.begins, event.phone, event.fields_as_kept),
        )
        for event in events
    ]
    statements.insert_kept(EventRow, _COLUMNS, rows)


def _sort(data: bytes, offset: int, *, last: bool, growing: bool) -> _Part:
    """What the bytes at an offset of a file hold; `last`: the file ends with them."""
    found = list(eventlog.pieces(data))
    part = _Part()
    for number, (end, text, event) in enumerate(found):
        if event and len(text) <= _LONGEST:
            _take_event(part, event, offset + part.taken, text)
        elif (at_end := number == len(found) - 1) and (growing or not last):
            break  # the rest of it comes later
        elif not growing and ((at_end and last) or (offset == 0 and number == 0)):
            part.fragments.append((offset == 0 and number == 0, text))
        else:
            part.damages.append(_damage(offset + part.taken, text))
        part.taken = end
    return part


def _take_event(part: _Part, event: Event, position: int, text: bytes) -> None:
    """A whole record, set aside when nothing can be made of it, and noted when it is damaged."""
    if not (faulty := event.faulty):
        part.events.append(event)
    if faulty or event.unreadable:
        part.damages.append(Damage("facts", position, text, linkedid=event.linkedid))


def _damage(position: int, text: bytes, size: int = 0) -> Damage:
    """A stretch without a whole record."""
    linkedid = eventlog.linkedid_of(text)
    kind = "cut" if eventlog.START.match(text) else "garbage"
    kind = "long" if max(size, len(text)) > _LONGEST else kind
    return Damage(kind, position, text, size, linkedid)


def _endless(stream: BinaryIO, data: bytes, offset: int, *, growing: bool) -> _Part:
    """What fills all of `data` and more without being a record: as far as the next one's start."""
    end, overlap = offset + len(data), eventlog.LONGEST_START
    block = data[1:]
    while not (start := eventlog.START.search(block)):
        stream.seek(end - overlap)
        block = stream.read(_CHUNK)
        if len(block) <= overlap:  # the file ends here, perhaps in the middle of a start
            break
        end += len(block) - overlap
    if start:
        end += start.start() - len(block)
    elif growing:
        end -= overlap
    size = end - offset
    return _Part(damages=[_damage(offset, data, size)], taken=size)


def _joined(new: list[tuple[bool, bytes]]) -> tuple[list[Event], list[bytes]]:
    """Records whose two halves are here, one of them new; and those halves."""
    if not new:
        return [], []
    kept = [(piece.head, bytes(piece.text)) for piece in EventFragment.select()]
    tails, heads = ([text for head, text in {*kept, *new} if head == first] for first in (0, 1))
    events, halves = [], []
    for tail, head in itertools.product(tails, heads):
        whole = tail + head
        if event := eventlog.parse(whole) or eventlog.parse(whole + b"\n"):
            events.append(event)
            halves += [tail, head]
    return events, halves


def _set_aside(new: list[tuple[bool, bytes]], halves: list[bytes]) -> None:
    """Keep cut pieces, and let go of those that became records."""
    for head, text in new:
        if text not in halves:
            digest = hashlib.sha256(text + (b"h" if head else b"t")).hexdigest()
            EventFragment.insert(hash=digest, head=head, text=text).on_conflict_ignore().execute()
    if halves:
        EventFragment.delete().where(EventFragment.text.in_(halves)).execute()
