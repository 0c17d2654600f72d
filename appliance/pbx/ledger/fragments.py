"""Fragments: halves of records that the end of a file cut, stored until both halves are read."""

import hashlib
import itertools

from appliance.models import EventFragment
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event


def join_fragments(new: list[tuple[bool, bytes]]) -> tuple[list[Event], list[bytes]]:
    """Return the records of which both halves have been read, and these halves.

    `new` are the fragments read now: (True if it was at the start of a file, text). Of each
    returned record at least one half is new.
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


def update_fragments(cut_pieces: list[tuple[bool, bytes]], joined_texts: list[bytes]) -> None:
    """Store fragments that wait for their other half, and delete those joined to records.

    Each of `cut_pieces` is (True if it was at the start of a file, text).
    """
    for head, text in cut_pieces:
        if text not in joined_texts:
            digest = hashlib.sha256(text + (b"h" if head else b"t")).hexdigest()
            EventFragment.insert(hash=digest, head=head, text=text).on_conflict_ignore().execute()
    if joined_texts:
        EventFragment.delete().where(EventFragment.text.in_(joined_texts)).execute()


def count_record_fragments() -> int:
    """Return the number of cut pieces of records that wait for their other half."""
    return int(EventFragment.select().count())
