"""Quarantine for pieces of Asterisk's logs that cannot be imported; the import continues."""

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from appliance.core import clock
from appliance.core.statements import PreparedQuery, is_one_of_parameter
from appliance.models import Quarantined

DAMAGE_KINDS = (
    "garbage",  # not a record
    "cut",  # begins like a record; its end is missing
    "long",  # longer than any record
    "facts",  # a whole record that lacks fields of its kind, or that Asterisk never writes
    "untold",  # all stored records of a call that cannot be interpreted
    "unreadable",  # a file next to the log that cannot be read
)
_EXCERPT_BYTES = 300
_RECORD_TIME = re.compile(rb'"(\d{9,10})\.')  # a record begins with seconds since 1970


_UNUSABLE_CALLS = PreparedQuery(
    lambda: Quarantined.select(Quarantined.linkedid).where(
        Quarantined.kind == "untold", is_one_of_parameter(Quarantined.linkedid, "ids")
    )
)


@dataclass(frozen=True)
class Damage:
    """One damaged piece of a file.

    `text` is the whole piece, or only its beginning if `size` is larger than the length of `text`.
    """

    kind: str  # one of DAMAGE_KINDS
    position: int  # bytes from the file's beginning
    text: bytes
    size: int = 0  # bytes; 0: the length of `text`
    linkedid: str | None = None


def quarantine_pieces(file: str, damages: Iterable[Damage]) -> None:
    """Store damaged pieces of a file; pieces that are stored already are not changed.

    Must run inside a write transaction.
    """
    now = clock.now()
    for damage in damages:
        Quarantined.insert(
            hash=hashlib.sha256(damage.kind.encode() + b"\0" + damage.text).hexdigest(),
            kind=damage.kind,
            file=file,
            position=damage.position,
            size=damage.size or len(damage.text),
            beginning=damage.text[:_EXCERPT_BYTES],
            linkedid=damage.linkedid,
            noted_at=now,
        ).on_conflict_ignore().execute()


def release_piece(kind: str, text: bytes) -> None:
    """Delete a piece that turned out to be undamaged. Must run inside a write transaction."""
    piece_hash = hashlib.sha256(kind.encode() + b"\0" + text).hexdigest()
    Quarantined.delete().where(Quarantined.hash == piece_hash).execute()


def quarantined_pieces(since: dt.datetime | None = None, kind: str = "") -> list[Quarantined]:
    """Return the pieces stored since `since` (None: ever) of this kind ("": any), newest first."""
    rows = Quarantined.select().order_by(Quarantined.noted_at.desc(), Quarantined.position.desc())
    if since:
        rows = rows.where(Quarantined.noted_at >= since)
    return list(rows.where(Quarantined.kind == kind) if kind else rows)


def unusable_calls(linkedids: Collection[str]) -> set[str]:
    """The linkedids, out of `linkedids`, of calls that could not be interpreted."""
    return {linkedid for (linkedid,) in _UNUSABLE_CALLS.fetch_tuples(ids=linkedids)}


def count_damaged(begin: dt.datetime, end: dt.datetime) -> int:
    """Return the number of quarantined pieces of the event log whose time is in [begin, end).

    The time of a piece is the one at its beginning, or else the time when it was stored.
    """
    pieces = Quarantined.select(Quarantined.beginning, Quarantined.noted_at).where(
        Quarantined.noted_at >= begin, Quarantined.kind != "unreadable"
    )
    return sum(begin <= _piece_time(piece) < end for piece in pieces)


def _piece_time(piece: Quarantined) -> dt.datetime:
    match = _RECORD_TIME.match(bytes(piece.beginning))
    return dt.datetime.fromtimestamp(int(match[1]), dt.UTC) if match else piece.noted_at
