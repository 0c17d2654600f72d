"""Who did and saw what, each entry chained to the one before by its hash.

Rows are added only: triggers refuse the rest. Whoever writes the database can take those away and
write the chain anew. So its head is signed each hour by a key that the database does not hold
(anchors.py) and noted elsewhere (heads.py, the journal, each snapshot, the group's daily summary,
the daily report), and must be in it afterwards (verifying.py).
"""

import contextvars
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.core.db import writing
from appliance.core.statements import Question, insert

_PIECE = 10_000  # entries read at once
_BEFORE_ALL = -(2**62)  # where who puts a row himself may put it; ours have ids from 1 on
_LAST = Question(lambda: AuditEntry.select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1))
_SHORT = 16  # letters of a hash that are enough where it was written down by hand


@dataclass(frozen=True)
class Head:
    """The end of the chain at some moment: an entry's id and its hash, or the hash's beginning."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"

    @property
    def short(self) -> str:
        """As people write it down."""
        return f"{self.id}:{self.hash[:_SHORT]}"

    @classmethod
    def read(cls, text: str) -> Self:
        """A head as it is written. Raises ValueError."""
        id, _colon, hash = text.strip().partition(":")
        if not id.isdecimal() or len(id) > 18 or len(hash) < _SHORT:
            raise ValueError(f"a head is written as 1234:{'0' * _SHORT}…, not {text!r}")
        return cls(int(id), hash.lower())


came_from: contextvars.ContextVar[str] = contextvars.ContextVar("came_from", default="")
"""Where the request that is being answered came from; "" outside the pages."""


def fingerprint(words: str) -> str:
    """What an entry holds in place of words that a table keeps until a person is masked.

    SHA-256 in hexadecimal digits: it proves the words as long as they are there, and an entry is
    never changed.
    """
    return hashlib.sha256(words.encode()).hexdigest()


def record(who: str, action: str, subject: str = "", **detail: Any) -> None:
    """Write one entry; `who` is a login or a process, `detail` small JSON values."""
    with writing():
        last = next((hash for (hash,) in _LAST.ask()), "")
        entry = AuditEntry(
            at=clock.now(),
            who=who,
            action=action,
            subject=subject,
            detail=detail,
            address=came_from.get(),
        )
        entry.hash = _hash(last, entry)
        insert(AuditEntry, [entry.__data__])


def head(before: dt.datetime | None = None) -> Head | None:
    """Where the chain ends now, or ended at a moment; None while it was empty."""
    rows = AuditEntry.select().order_by(AuditEntry.id.desc())
    last = (rows.where(AuditEntry.at < before) if before else rows).first()
    return last and Head(last.id, last.hash)


def holds(noted: Head) -> bool:
    """Whether a head that was noted once is still in the chain."""
    entry = AuditEntry.get_or_none(AuditEntry.id == noted.id)
    return entry is not None and entry.hash.startswith(noted.hash)


def broken_at(after: int = 0, many: int | None = None) -> int | None:
    """The id of the first entry whose hash does not fit, or None when the chain holds.

    Only of the entries after an id, and of `many` of them, where it is given.
    """
    before = AuditEntry.select().where(AuditEntry.id <= after).order_by(AuditEntry.id.desc())
    start = before.first() if after else None
    previous, last = (start.hash, start.id) if start else ("", _BEFORE_ALL)
    while many is None or many > 0:
        piece = _PIECE if many is None else min(_PIECE, many)
        rows = AuditEntry.select().where(AuditEntry.id > last).order_by(AuditEntry.id).limit(piece)
        entries = list(rows)
        for entry in entries:
            if entry.id < 1 or entry.hash != _hash(previous, entry):
                return entry.id
            previous, last = entry.hash, entry.id
        if len(entries) < piece:
            break
        many = many and many - piece
    return None


def _hash(previous: str, entry: AuditEntry) -> str:
    parts = [previous, entry.at.isoformat(), entry.who, entry.action, entry.subject, entry.detail]
    if entry.address:  # rows from before addresses were kept have none
        parts.append(entry.address)
    told = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
