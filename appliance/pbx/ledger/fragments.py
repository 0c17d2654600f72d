"""Fragments: halves of records that the end of a file cut, stored until both halves are read."""

import hashlib
import itertools

from appliance.models import EventFragment
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.pbx.ledger.chunks import Fragment


def join_fragments(new_fragments: list[Fragment]) -> tuple[list[Event], list[bytes]]:
    """Return the records of which both halves have been read, and the texts of these halves.

    The halves need not be stored any longer. They are looked for among `new_fragments` (those read
    now) and the stored ones; of each returned record at least one half is new.
    """
    if not new_fragments:
        return [], []
    stored_fragments = [Fragment(row.head, bytes(row.text)) for row in EventFragment.select()]
    fragments = {*stored_fragments, *new_fragments}
    first_halves = [fragment.text for fragment in fragments if not fragment.is_at_file_start]
    second_halves = [fragment.text for fragment in fragments if fragment.is_at_file_start]
    events, joined_texts = [], []
    for first_half, second_half in itertools.product(first_halves, second_halves):
        text = first_half + second_half
        # The line break at its end may be missing, as after a crash.
        if event := eventlog.parse_record(text) or eventlog.parse_record(text + b"\n"):
            events.append(event)
            joined_texts += [first_half, second_half]
    return events, joined_texts


def update_fragments(new_fragments: list[Fragment], joined_texts: list[bytes]) -> None:
    """Store new fragments that wait for their other half, and delete those joined to records.

    `joined_texts` are the halves that `join_fragments` returned.
    """
    for is_at_file_start, text in new_fragments:
        if text not in joined_texts:
            # The same bytes may be one record's first half (t) and another's second half (h).
            digest = hashlib.sha256(text + (b"h" if is_at_file_start else b"t")).hexdigest()
            EventFragment.insert(
                hash=digest, head=is_at_file_start, text=text
            ).on_conflict_ignore().execute()
    if joined_texts:
        EventFragment.delete().where(EventFragment.text.in_(joined_texts)).execute()


def count_record_fragments() -> int:
    """Return the number of fragments that wait for the other half of their record."""
    return int(EventFragment.select().count())
