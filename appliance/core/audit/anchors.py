"""Heads of the chain signed each hour: what nobody can make who only has the database.

`appliance jobs` alone reads the key. Were every row signed, every process that writes one would
have to read it, and whoever breaks into the pages could sign what he likes; a head signed says the
same of all rows up to it.
"""

import datetime as dt
import logging

from appliance.core import clock, signatures
from appliance.core.audit import Head, broken_at, head, heads, holds
from appliance.core.audit.table import AuditAnchor, AuditEntry
from appliance.core.db import writing
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

LATE = dt.timedelta(hours=3)  # an entry older than that stands under a signed head
_KEY, _PUBLIC = "audit.key", "audit.public_key"


class Unsound(RuntimeError):
    """The chain is not as it was: its head is not signed. The message says where."""


def sign(settings: Settings) -> str:
    """Sign the head, when there are entries since the last one; returns it, in words.

    What a head signed or noted before says must still hold. Raises Unsound, KeyTrouble.
    """
    now, last = head(), newest()
    for before in [*([last] if last else []), *(one.head for one in heads.noted(settings)[-1:])]:
        if not holds(before):
            raise Unsound(f"entry {before.short} is not in it")
    if now is None or now == last:
        return ""
    if (id := broken_at(last.id if last else 0)) is not None:
        raise Unsound(f"entry {id} is not as it was written")
    at = clock.now()
    signature = signatures.sign(signed_text(at, now), settings.audit.key, _KEY).hex()
    with writing():
        AuditAnchor.create(at=at, entry=now.id, hash=now.hash, signature=signature)
    heads.note(settings, now)
    return f"signed up to entry {now}"


def newest() -> Head | None:
    """The head that was signed last."""
    last = AuditAnchor.select().order_by(AuditAnchor.id.desc()).first()
    return last and Head(last.entry, last.hash)


def signed(settings: Settings) -> tuple[list[Head], list[Head]]:
    """The heads that are signed, oldest first, and those whose signature is another's.

    Raises KeyTrouble.
    """
    good: list[Head] = []
    forged: list[Head] = []
    file = settings.audit.public_key
    for one in AuditAnchor.select().order_by(AuditAnchor.id):
        end = Head(one.entry, one.hash)
        ours = signatures.is_signed(signed_text(one.at, end), _bytes(one.signature), file, _PUBLIC)
        (good if ours else forged).append(end)
    return good, forged


def late(settings: Settings) -> bool:
    """Whether entries stand without a signed head for longer than they should."""
    if not settings.audit.public_key:
        return False
    last = newest()
    waiting = AuditEntry.select().where(AuditEntry.id > (last.id if last else 0))
    first = waiting.order_by(AuditEntry.id).first()
    return first is not None and first.at < clock.now() - LATE


def signed_text(at: dt.datetime, end: Head) -> bytes:
    """What is signed: `audit 2026-11-28T10:00:00.000000+00:00 1234:hash`."""
    return f"audit {at.astimezone(dt.UTC).isoformat(timespec='microseconds')} {end}".encode()


def _bytes(signature: str) -> bytes:
    try:
        return bytes.fromhex(signature)
    except ValueError:
        return b""
