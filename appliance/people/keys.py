"""Keys by which other programs come: made once, shown once, kept as hashes.

Nobody gives a right that he has not. A manager makes keys; one to citizens' appeals opens nothing
before a second person has confirmed it who may himself do all that the key may.
"""

import datetime as dt
import hashlib
import secrets

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import AccessKey, User
from appliance.people import accounts, rights

SCOPES = ("appeals:read", "appeals:personal", "appeals:write", "reports:read")
_LEADS = frozenset({"appeals:read", "appeals:personal", "reports:read"})
RIGHTS = {  # role → what its people may do themselves; of the other roles nothing
    "supervisor": _LEADS,
    "manager": _LEADS,
    "ministry": frozenset(SCOPES),  # of their department's appeals
}
ALONE = frozenset({"reports:read"})  # needs no second person: no citizen is in it
PREFIX = "hk_"  # tells what a leaked text is
_BYTES = 32
_LONGEST_NAME = 80
_SHOWN = len(PREFIX) + 4
_USED = dt.timedelta(minutes=1)  # between two notes that a key was used


class KeyRefused(ValueError):
    """A key cannot be made or confirmed; `code`: "name", "scopes", "ends", "rights"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def make(
    name: str,
    scopes: tuple[str, ...],
    *,
    department: int | None,
    ends_at: dt.datetime | None,
    by: User,
) -> tuple[AccessKey, str]:
    """Make a key and return it with its secret, which nobody can learn again.

    Raises KeyRefused for a name that is empty, too long or in use, for no or unknown scopes, for an
    end in the past, and when `by` may make none.
    """
    if not rights.has(by, "key.make"):
        raise KeyRefused("rights")
    name = " ".join(name.split())
    if not 0 < len(name) <= _LONGEST_NAME or AccessKey.get_or_none(AccessKey.name == name):
        raise KeyRefused("name")
    if not scopes or set(scopes) - set(SCOPES):
        raise KeyRefused("scopes")
    if ends_at and ends_at <= clock.now():
        raise KeyRefused("ends")
    secret, now = PREFIX + secrets.token_urlsafe(_BYTES), clock.now()
    with writing():
        key = AccessKey.create(
            name=name,
            hash=_hash(secret),
            hint=secret[:_SHOWN],
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            department=department,
            made_at=now,
            made_by=by.login,
            confirmed_at=now if set(scopes) <= ALONE else None,
            ends_at=ends_at,
        )
        audit.record(by.login, "key.make", name, scopes=key.scopes, department=department)
    return key, secret


def may_confirm(key: AccessKey, user: User) -> bool:
    """Whether this person's word puts a waiting key in force."""
    if key.confirmed_at or key.revoked_at or key.made_by == user.login:
        return False
    theirs = accounts.department_of(user) if user.role == "ministry" else None
    return set(key.scopes.split()) <= RIGHTS.get(user.role, frozenset()) and (
        not theirs or theirs == key.department_id
    )


def confirm(key: AccessKey, by: User) -> None:
    """Put a key in force by a second person's word. Raises KeyRefused("rights")."""
    with writing():
        now = AccessKey.get_by_id(key.id)
        if not may_confirm(now, by):
            raise KeyRefused("rights")
        said = {"confirmed_at": clock.now(), "confirmed_by": by.login}
        AccessKey.update(said).where(AccessKey.id == key.id).execute()
        detail = {"scopes": now.scopes, "department": now.department_id, "made_by": now.made_by}
        audit.record(by.login, "key.confirm", now.name, **detail)


def waiting_for(user: User) -> list[AccessKey]:
    """The keys that this person may confirm, the oldest first."""
    waiting = AccessKey.select().where(
        AccessKey.confirmed_at.is_null(), AccessKey.revoked_at.is_null()
    )
    return [key for key in waiting.order_by(AccessKey.id) if may_confirm(key, user)]


def find(secret: str) -> AccessKey | None:
    """The key in force with this secret."""
    now = clock.now()
    key = AccessKey.get_or_none(
        AccessKey.hash == _hash(secret),
        AccessKey.confirmed_at.is_null(False),
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


def key(number: int) -> AccessKey | None:
    """The key with this id, revoked or not; None when there is none."""
    return AccessKey.get_or_none(AccessKey.id == number)


def reader(key: AccessKey) -> User | None:
    """Whose eyes a key reads with: who confirmed it. None of one that needed nobody's word."""
    return User.get_or_none(User.login == key.confirmed_by) if key.confirmed_by else None


def every() -> list[AccessKey]:
    """All keys, those in force first, then the newest."""
    return list(
        AccessKey.select().order_by(AccessKey.revoked_at.is_null(False), AccessKey.id.desc())
    )


def _hash(secret: str) -> str:
    """Secrets have 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()
