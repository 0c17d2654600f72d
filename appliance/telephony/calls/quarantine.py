"""What stood in one of Asterisk's logs and could not be taken in: set aside, the rest goes on."""

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from appliance.core import clock
from appliance.core.statements import Question, some
from appliance.models import Quarantined

KINDS = (
    "garbage",  # no record
    "cut",  # begins as a record, and its end is missing
    "long",  # longer than any record
    "facts",  # a whole record that lacks what its kind must hold, or that Asterisk never writes
    "untold",  # all that is known of a call, when nothing can be made of it
    "unreadable",  # a file beside the log that cannot be read
)
_BEGINNING = 300  # bytes that are kept
_MOMENT = re.compile(rb'"(\d{9,10})\.')  # how a record begins: seconds since 1970


_UNTOLD = Question(
    lambda: Quarantined.select(Quarantined.linkedid).where(
        Quarantined.kind == "untold", some(Quarantined.linkedid, "ids")
    )
)


@dataclass(frozen=True)
class Damage:
    """One piece. `text` is the whole of it, or its beginning when `size` says that it is longer."""

    kind: str  # one of KINDS
    position: int  # bytes from the file's beginning
    text: bytes
    size: int = 0  # bytes; 0: as long as `text`
    linkedid: str | None = None


def set_aside(file: str, damages: Iterable[Damage]) -> None:
    """Write down pieces of a file; one that is known stays as it is. In a write transaction."""
    now = clock.now()
    for one in damages:
        Quarantined.insert(
            hash=hashlib.sha256(one.kind.encode() + b"\0" + one.text).hexdigest(),
            kind=one.kind,
            file=file,
            position=one.position,
            size=one.size or len(one.text),
            beginning=one.text[:_BEGINNING],
            linkedid=one.linkedid,
            noted_at=now,
        ).on_conflict_ignore().execute()


def release(kind: str, text: bytes) -> None:
    """Take back what turned out to be sound after all. In a write transaction."""
    known = hashlib.sha256(kind.encode() + b"\0" + text).hexdigest()
    Quarantined.delete().where(Quarantined.hash == known).execute()


def quarantined(since: dt.datetime | None = None, kind: str = "") -> list[Quarantined]:
    """What was set aside since a moment (None: ever), of a kind ("": any), the newest first."""
    rows = Quarantined.select().order_by(Quarantined.noted_at.desc(), Quarantined.position.desc())
    if since:
        rows = rows.where(Quarantined.noted_at >= since)
    return list(rows.where(Quarantined.kind == kind) if kind else rows)


def untold(linkedids: Collection[str]) -> set[str]:
    """Those of the calls of which nothing could be made."""
    return {name for (name,) in _UNTOLD.ask(ids=linkedids)}


def damaged(begin: dt.datetime, end: dt.datetime) -> int:
    """How many pieces of the event log from [begin, end) were set aside.

    A piece is of the moment that it begins with; of the one when it was noted, where it has none.
    """
    pieces = Quarantined.select(Quarantined.beginning, Quarantined.noted_at).where(
        Quarantined.noted_at >= begin, Quarantined.kind != "unreadable"
    )
    return sum(begin <= _moment(piece) < end for piece in pieces)


def _moment(piece: Quarantined) -> dt.datetime:
    found = _MOMENT.match(bytes(piece.beginning))
    return dt.datetime.fromtimestamp(int(found[1]), dt.UTC) if found else piece.noted_at
