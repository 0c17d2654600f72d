"""Access keys of other programs. A key is shown once, when it is created, and stored as a hash.

A manager creates keys. As nobody may grant a right that they do not have themselves, a key for
citizens' appeals gives no access until a second person who has all its rights confirms it.
"""

import datetime as dt
import hashlib
import secrets

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import AccessKey, User
from appliance.people import accounts, rights

SCOPES = ("appeals:read", "appeals:personal", "appeals:write", "reports:read")
_LEADER_SCOPES = frozenset({"appeals:read", "appeals:personal", "reports:read"})
SCOPES_BY_ROLE = {  # the scopes that a role has itself; other roles have no scope
    "supervisor": _LEADER_SCOPES,
    "manager": _LEADER_SCOPES,
    "ministry": frozenset(SCOPES),  # limited to their department's appeals
}
UNCONFIRMED_SCOPES = frozenset({"reports:read"})  # need no second person: no citizens' data
PREFIX = "hk_"  # identifies a leaked text as a key
_SECRET_BYTES = 32
_MAX_NAME_CHARS = 80
_HINT_CHARS = len(PREFIX) + 4
_USE_INTERVAL = dt.timedelta(minutes=1)  # between two updates of `used_at`


def create_key(
    name: str,
    scopes: tuple[str, ...],
    *,
    department: int | None,
    ends_at: dt.datetime | None,
    by: User,
) -> tuple[AccessKey, str]:
    """Create a key; returns it with its secret, which is not stored.

    Raises Refused with the code "rights" if `by` may not create keys, "name" if the name is empty,
    too long or in use, "scopes" if there is no scope or an unknown one, or "ends" if `ends_at` is
    in the past.
    """
    if not rights.has_right(by, "key.make"):
        raise Refused("rights")
    name = " ".join(name.split())
    if not 0 < len(name) <= _MAX_NAME_CHARS or AccessKey.get_or_none(AccessKey.name == name):
        raise Refused("name")
    if not scopes or set(scopes) - set(SCOPES):
        raise Refused("scopes")
    if ends_at and ends_at <= clock.now():
        raise Refused("ends")
    secret, now = PREFIX + secrets.token_urlsafe(_SECRET_BYTES), clock.now()
    with write_transaction():
        key = AccessKey.create(
            name=name,
            hash=_hash_secret(secret),
            hint=secret[:_HINT_CHARS],
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            department=department,
            made_at=now,
            made_by=by.login,
            confirmed_at=now if set(scopes) <= UNCONFIRMED_SCOPES else None,
            ends_at=ends_at,
        )
        audit.record_entry(by.login, "key.make", name, scopes=key.scopes, department=department)
    return key, secret


def can_confirm(key: AccessKey, user: User) -> bool:
    """Returns True if the key waits for a confirmation and this person may confirm it."""
    if key.confirmed_at or key.revoked_at or key.made_by == user.login:
        return False
    department = accounts.department_of(user) if user.role == "ministry" else None
    return set(key.scopes.split()) <= SCOPES_BY_ROLE.get(user.role, frozenset()) and (
        not department or department == key.department_id
    )


def confirm_key(key: AccessKey, by: User) -> None:
    """Put a key in force by a second person's confirmation.

    Raises Refused "rights" if this person may not confirm it, or it does not wait for that.
    """
    with write_transaction():
        current = AccessKey.get_by_id(key.id)
        if not can_confirm(current, by):
            raise Refused("rights")
        columns = {"confirmed_at": clock.now(), "confirmed_by": by.login}
        AccessKey.update(columns).where(AccessKey.id == key.id).execute()
        detail = {
            "scopes": current.scopes,
            "department": current.department_id,
            "made_by": current.made_by,
        }
        audit.record_entry(by.login, "key.confirm", current.name, **detail)


def keys_to_confirm(user: User) -> list[AccessKey]:
    """The keys that this person may confirm, the oldest first."""
    waiting = AccessKey.select().where(
        AccessKey.confirmed_at.is_null(), AccessKey.revoked_at.is_null()
    )
    return [key for key in waiting.order_by(AccessKey.id) if can_confirm(key, user)]


def find_valid_key(secret: str) -> AccessKey | None:
    """Return the key in force with this secret, if any, and record that it was used."""
    now = clock.now()
    key: AccessKey | None = AccessKey.get_or_none(
        AccessKey.hash == _hash_secret(secret),
        AccessKey.confirmed_at.is_null(False),
        AccessKey.revoked_at.is_null(),
        AccessKey.ends_at.is_null() | (AccessKey.ends_at > now),
    )
    if key and (not key.used_at or now - key.used_at > _USE_INTERVAL):
        AccessKey.update(used_at=now).where(AccessKey.id == key.id).execute()
    return key


def revoke_key(key: AccessKey, by: str) -> None:
    """End a key at once; it remains in the list."""
    with write_transaction():
        conditions = (AccessKey.id == key.id, AccessKey.revoked_at.is_null())
        if AccessKey.update(revoked_at=clock.now(), revoked_by=by).where(*conditions).execute():
            audit.record_entry(by, "key.revoke", key.name)


def key_by_id(key_id: int) -> AccessKey | None:
    """The key with this id, if any, revoked or not."""
    return find_row(AccessKey, id=key_id)


def key_reader(key: AccessKey) -> User | None:
    """Return the user whose rights limit what a key reads: the one who confirmed it, if any."""
    return User.get_or_none(User.login == key.confirmed_by) if key.confirmed_by else None


def all_keys() -> list[AccessKey]:
    """All keys, those in force first, then the newest."""
    return list(
        AccessKey.select().order_by(AccessKey.revoked_at.is_null(False), AccessKey.id.desc())
    )


def _hash_secret(secret: str) -> str:
    """SHA-256 of a secret: secrets have 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()
