"""Keys by which other programs come: made once, shown once, kept as hashes."""

import datetime as dt
import hashlib
import secrets

from appliance import audit, clock
from appliance.db import writing
from appliance.models import AccessKey

SCOPES = ("appeals:read", "appeals:personal", "appeals:write", "reports:read")
PREFIX = "hk_"  # tells what a leaked text is
_BYTES = 32
_SHOWN = len(PREFIX) + 4
_USED = dt.timedelta(minutes=1)  # between two notes that a key was used


class KeyRefused(ValueError):
    """A key cannot be made; `code` names why: "name", "scopes", "ends"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def make(
    name: str,
    scopes: tuple[str, ...],
    *,
    department: int | None,
    ends_at: dt.datetime | None,
    by: str,
) -> tuple[AccessKey, str]:
    """Make a key and return it with its secret, which nobody can learn again.

    Raises KeyRefused for a name that is empty or in use, for no or unknown scopes, for an end in
    the past.
    """
    name = " ".join(name.split())
    if not name or AccessKey.get_or_none(AccessKey.name == name):
        raise KeyRefused("name")
    if not scopes or set(scopes) - set(SCOPES):
        raise KeyRefused("scopes")
    if ends_at and ends_at <= clock.now():
        raise KeyRefused("ends")
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    with writing():
        key = AccessKey.create(
            name=name,
            hash=_hash(secret),
            hint=secret[:_SHOWN],
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            department=department,
            made_at=clock.now(),
            made_by=by,
            ends_at=ends_at,
        )
        audit.record(by, "key.make", name, scopes=key.scopes, department=department)
    return key, secret


def known(secret: str) -> AccessKey | None:
    """The key in force with this secret."""
    now = clock.now()
    key = AccessKey.get_or_none(
        AccessKey.hash == _hash(secret),
        AccessKey.revoked_at.is_null(),
        AccessKey.ends_at.is_null() | (AccessKey.ends_at > now),
    )
    if key and (not key.used_at or now - key.used_at > _USED):
        AccessKey.update(used_at=now).where(AccessKey.id == key.id).execute()
    return key


def revoke(key: AccessKey, by: str) -> None:
    """End a key at once; it stays on the list."""
    with writing():
        mine = (AccessKey.id == key.id, AccessKey.revoked_at.is_null())
        if AccessKey.update(revoked_at=clock.now(), revoked_by=by).where(*mine).execute():
            audit.record(by, "key.revoke", key.name)


def every() -> list[AccessKey]:
    """All keys, those in force first, then the newest."""
    return list(
        AccessKey.select().order_by(AccessKey.revoked_at.is_null(False), AccessKey.id.desc())
    )


def _hash(secret: str) -> str:
    """Secrets have 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()
