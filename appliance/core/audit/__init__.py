"""The audit: which user did or saw what, each entry chained to the previous one by its hash.

Rows can only be added: triggers refuse everything else. Anyone with write access to the database
could remove the triggers and rewrite the chain. Therefore the chain's head (the hash of its newest
entry) is signed each hour by a key that the database does not hold (anchors.py) and noted elsewhere
(heads.py, the journal, each snapshot, the group's daily summary, the daily report). Each such head
must be in the chain ever after (verifying.py).
"""

import contextvars
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, insert_rows

_ENTRIES_PER_READ = 10_000  # entries read at once
_BELOW_ALL_IDS = -(2**62)  # below any id of a row inserted by hand; regular ids start from 1
_LAST_HASH_QUERY = PreparedQuery(
    lambda: AuditEntry.select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
)
_SHORT_HASH_LENGTH = 16  # characters of a hash that suffice in a copy written down by hand


@dataclass(frozen=True)
class Head:
    """The newest entry of the audit at some time: its id and hash.

    A head that was noted proves later that no entry up to it was changed or removed: it must still
    be in the chain (`is_in_chain`). If a person copied it, it may have only the beginning of the
    hash.
    """

    id: int
    hash: str

    def __str__(self) -> str:
        """Return the head in its text form, which `parse_text` reads."""
        return f"{self.id}:{self.hash}"

    @property
    def short(self) -> str:
        """The head in the short form that people write down, with the beginning of the hash."""
        return f"{self.id}:{self.hash[:_SHORT_HASH_LENGTH]}"

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Parse a head in its text form, "1234:hash". Raises ValueError if it is not one.

        The hash may be shortened, as in `short`, and in capital letters: people copy it by hand.
        """
        id, _colon, hash = text.strip().partition(":")
        # 18 digits always fit into an id of SQLite, an integer of 64 bits.
        if not id.isdecimal() or len(id) > 18 or len(hash) < _SHORT_HASH_LENGTH:
            raise ValueError(f"a head is written as 1234:{'0' * _SHORT_HASH_LENGTH}…, not {text!r}")
        return cls(int(id), hash.lower())


request_address: contextvars.ContextVar[str] = contextvars.ContextVar("came_from", default="")
"""The address of the request being answered; "" outside the web pages."""


def text_fingerprint(text: str) -> str:
    """Return the hash that represents a text in an audit entry: SHA-256, in hexadecimal digits.

    It is for texts with personal data, which must be removable, as an entry never is. The text
    itself is in another table; as long as it exists, the hash proves that it is the one that was
    entered.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def record_entry(who: str, action: str, subject: str = "", **detail: Any) -> None:
    """Record in the audit which user did or saw what: adds one entry, chained by its hash.

    `who` is a login or the name of a process, `action` a code with a label in audit.labels, such as
    `appeal.take`, and `subject` the number or id of the record that it concerns. `detail` holds
    small JSON values.
    """
    with write_transaction():  # nobody can add another entry after the one that is read here
        previous_hash = next((hash for (hash,) in _LAST_HASH_QUERY.fetch_tuples()), "")
        entry = AuditEntry(
            at=clock.now(),
            who=who,
            action=action,
            subject=subject,
            detail=detail,
            address=request_address.get(),
        )
        entry.hash = _entry_hash(previous_hash, entry)
        insert_rows(AuditEntry, [entry.__data__])


def chain_head(before: dt.datetime | None = None) -> Head | None:
    """Return the audit's head: its newest entry, or the newest before the time `before`.

    Returns None if there is no such entry.
    """
    rows = AuditEntry.select().order_by(AuditEntry.id.desc())
    last = (rows.where(AuditEntry.at < before) if before else rows).first()
    return last and Head(last.id, last.hash)


def is_in_chain(noted_head: Head) -> bool:
    """Return True if the audit still has the entry of a head noted earlier, with the same hash.

    If it returns False, entries were changed or removed, unless a restore went back behind it.
    """
    entry = AuditEntry.get_or_none(AuditEntry.id == noted_head.id)
    return entry is not None and entry.hash.startswith(noted_head.hash)


def first_broken_id(after_id: int = 0, limit: int | None = None) -> int | None:
    """Return the id of the first entry that was changed, or follows a removed one; else None.

    Its hash does not match its values and the hash of the entry before it. An entry with an id
    below 1 counts as one that does not match: it was inserted by hand. Checks only the entries
    after `after_id`, and at most `limit` of them (None: all).
    """
    before = AuditEntry.select().where(AuditEntry.id <= after_id).order_by(AuditEntry.id.desc())
    start = before.first() if after_id else None
    previous_hash, last_id = (start.hash, start.id) if start else ("", _BELOW_ALL_IDS)
    while limit is None or limit > 0:
        batch_size = _ENTRIES_PER_READ if limit is None else min(_ENTRIES_PER_READ, limit)
        rows = (
            AuditEntry.select()
            .where(AuditEntry.id > last_id)
            .order_by(AuditEntry.id)
            .limit(batch_size)
        )
        entries = list(rows)
        for entry in entries:
            entry_id: int = entry.id
            # The appliance writes no entry with an id below 1: it was inserted by hand.
            if entry_id < 1 or entry.hash != _entry_hash(previous_hash, entry):
                return entry_id
            previous_hash, last_id = entry.hash, entry_id
        if len(entries) < batch_size:
            break
        limit = limit and limit - batch_size
    return None


def _entry_hash(previous_hash: str, entry: AuditEntry) -> str:
    """Return the hash that an entry of the audit must have, which chains it to the one before it.

    It is computed of the entry's values and of `previous_hash`, the hash of the entry before it (""
    for the first entry).
    """
    # Never change what is hashed: the hashes of all earlier entries must still match.
    values = [
        previous_hash,
        entry.at.isoformat(),
        entry.who,
        entry.action,
        entry.subject,
        entry.detail,
    ]
    if entry.address:  # rows from before addresses were recorded have no address
        values.append(entry.address)
    serialized = json.dumps(values, sort_keys=True)
    return hashlib.sha256(serialized.encode()).hexdigest()
