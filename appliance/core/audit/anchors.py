"""Heads of the audit's chain, signed each hour: write access to the database cannot forge them.

Only `appliance jobs` reads the key. If every row were signed, every process that writes one would
have to read the key, and an intruder in the web pages could sign anything; a signed head proves the
same about all rows up to it.
"""

import datetime as dt
import logging

from appliance.core import clock, signatures
from appliance.core.audit import Head, chain_head, first_broken_id, heads, is_in_chain
from appliance.core.audit.table import AuditAnchor, AuditEntry
from appliance.core.db import write_transaction
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

MAX_UNSIGNED_AGE = dt.timedelta(hours=3)  # an older entry must be covered by a signed head
_KEY_SETTING, _PUBLIC_KEY_SETTING = "audit.key", "audit.public_key"


class BrokenChainError(RuntimeError):
    """Entries of the audit were altered or removed, so its head is not signed.

    The message says where.
    """


def sign_head(settings: Settings) -> str:
    """Sign the audit's head (its newest entry), as proof of all entries so far.

    This is done if entries were added since the last signature; returns a message for the log.
    Returns "" if there was nothing to sign. Raises BrokenChainError if a head signed or noted
    earlier is no longer in the chain or a new entry's hash does not match, SigningKeyError if the
    key cannot be used.
    """
    current, last = chain_head(), newest_signed_head()
    # Both are compared, because the database could lose its signed heads, and the file is outside.
    for earlier in [
        *([last] if last else []),
        *(noted.head for noted in heads.read_noted_heads(settings)[-1:]),
    ]:
        if not is_in_chain(earlier):
            raise BrokenChainError(f"entry {earlier.short} is not in it")
    if current is None or current == last:
        return ""
    # The entries up to the last signed head were verified when it was signed.
    if (id := first_broken_id(last.id if last else 0)) is not None:
        raise BrokenChainError(f"entry {id} is not as it was written")
    at = clock.now()
    signature = signatures.sign_bytes(
        signed_text(at, current), settings.audit.key, _KEY_SETTING
    ).hex()
    with write_transaction():
        AuditAnchor.create(at=at, entry=current.id, hash=current.hash, signature=signature)
    heads.note_head(settings, current)
    return f"signed up to entry {current}"


def newest_signed_head() -> Head | None:
    """Return the head of the audit that was signed last; None if no head was signed yet."""
    last = AuditAnchor.select().order_by(AuditAnchor.id.desc()).first()
    return last and Head(last.entry, last.hash)


def signed_heads(settings: Settings) -> tuple[list[Head], list[Head]]:
    """Return the audit's signed heads, oldest first: those with a valid signature, and the others.

    The others were not signed by the appliance's key. Raises SigningKeyError if the public key
    cannot be read.
    """
    valid: list[Head] = []
    forged: list[Head] = []
    file = settings.audit.public_key
    for anchor in AuditAnchor.select().order_by(AuditAnchor.id):
        head = Head(anchor.entry, anchor.hash)
        is_valid = signatures.is_signature_valid(
            signed_text(anchor.at, head),
            _signature_bytes(anchor.signature),
            file,
            _PUBLIC_KEY_SETTING,
        )
        (valid if is_valid else forged).append(head)
    return valid, forged


def is_signing_late(settings: Settings) -> bool:
    """Return True if the hourly signing of the audit has stopped, so that a check must report it.

    An entry older than MAX_UNSIGNED_AGE is then newer than the last signed head. Returns False if
    no public key is set: then the site does not sign heads.
    """
    if not settings.audit.public_key:
        return False
    last = newest_signed_head()
    unsigned = AuditEntry.select().where(AuditEntry.id > (last.id if last else 0))
    first = unsigned.order_by(AuditEntry.id).first()
    return first is not None and first.at < clock.now() - MAX_UNSIGNED_AGE


def signed_text(signed_at: dt.datetime, head: Head) -> bytes:
    """Return the text to sign, as proof that `head` was the audit's head at the time `signed_at`.

    For instance `audit 2026-11-28T10:00:00.000000+00:00 1234:hash`.
    """
    time_text = signed_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return f"audit {time_text} {head}".encode()


def _signature_bytes(signature: str) -> bytes:
    """Return the bytes of a stored signature; b"", never a valid one, if it is not hexadecimal."""
    try:
        return bytes.fromhex(signature)
    except ValueError:
        return b""
