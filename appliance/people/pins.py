"""A short number instead of the password, where the password was given lately.

It uncovers a page that was locked, and signs in at a desk on which its person has signed in wholly
within the last hours. Five wrong ones within an hour, and the password is asked for again.

Whoever has the hash of four digits tries all of them, however long one takes. So what is kept is
keyed by the site's secret (`web.secret_key`), which is not in the database: by the database alone
nobody finds a PIN, and one is looked at in no time, also when a whole shift signs in at once. By
another secret there are no PINs any more.
"""

import datetime as dt
import hmac
import re
from collections.abc import Iterable

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import SignIn
from appliance.models import Desk, Pin, Session, User
from appliance.people.accounts import StaffError

_DIGITS = re.compile(r"\d{4,8}", re.ASCII)
_ROW = "01234567890 09876543210"


def choose(user: User, pin: str, secret: str) -> None:
    """Give the person the PIN that he chose; `secret`: the site's.

    Raises StaffError "pin": too short, too plain.
    """
    if not _DIGITS.fullmatch(pin) or len(set(pin)) < 3 or pin in _ROW:
        raise StaffError("pin", "four to eight digits, not 1234 and not 1111")
    kept = _hash(user, pin, secret)
    with writing():
        Pin.delete().where(Pin.user == user).execute()
        Pin.create(user=user, hash=kept, made_at=clock.now())
        audit.record(user.login, "pin.set", user.login)


def has(user: User, secret: str) -> bool:
    """Whether the person has a PIN."""
    return Pin.select().where(Pin.user == user, _by(secret)).exists()


def fits(user: User, pin: str, secret: str) -> bool:
    """Whether it is his."""
    kept = Pin.get_or_none(Pin.user == user)
    return hmac.compare_digest(kept.hash if kept else "", _hash(user, pin, secret))


def forget(user: User) -> None:
    """Forget his PIN and his desks; the caller audits why."""
    for table in (Pin, Desk):
        table.delete().where(table.user == user).execute()


def remember(session: Session) -> None:
    """Note that the person of a session has signed in wholly on its device."""
    wholly = {"proved_at": clock.now(), "factor": session.factor}
    with writing():
        mine = (Desk.user == session.user, Desk.device == session.device)
        if not Desk.update(wholly).where(*mine).execute():
            Desk.create(user=session.user, device=session.device, **wholly)


def leave(user: User, device: str) -> None:
    """Ask for the whole sign-in again on a device."""
    Desk.delete().where(Desk.user == user, Desk.device == device).execute()


def at(rules: SignIn, device: str, logins: Iterable[str], secret: str) -> list[Desk]:
    """Who of these may sign in by his PIN on a device, with their users, by name."""
    since = clock.now() - dt.timedelta(hours=rules.pin_hours)
    known = Desk.select(Desk, User).join(User).join(Pin, on=Pin.user == User.id)
    found = known.where(
        Desk.device == device,
        Desk.proved_at > since,
        User.active,
        User.login.in_(list(logins)),
        User.role.in_(rules.pin_roles),
        ~User.must_change,
        _by(secret),
    )
    return list(found.order_by(User.name))


def give_up(user: User) -> None:
    """Have no PIN any more."""
    with writing():
        forget(user)
        audit.record(user.login, "pin.forget", user.login)


def _hash(user: User, pin: str, secret: str) -> str:
    """What is kept of a PIN: by which secret, and what it makes of person and PIN."""
    made = hmac.new(_key(secret), f"{user.id} {pin}".encode(), "sha256").hexdigest()
    return f"{_mark(secret)}{made}"


def _by(secret: str) -> Expression:
    return Pin.hash.startswith(_mark(secret))


def _mark(secret: str) -> str:
    return hmac.new(_key(secret), b"mark", "sha256").hexdigest()[:8] + " "


def _key(secret: str) -> bytes:
    """Of PINs alone: the same secret signs cookies."""
    return hmac.digest(secret.encode(), b"PIN", "sha256")
