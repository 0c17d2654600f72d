"""PINs: a short number instead of the password, where the password was entered recently.

A PIN unlocks a page, and signs in at a desk where the person has signed in fully within the last
hours. After five wrong ones within an hour, the password is required again.

With the hash of four digits, all of them can be tried, however long one try takes. So the stored
hash is keyed by the site's secret (`web.secret_key`), which is not in the database: the database
alone reveals no PIN, and a PIN is checked in no time, even when a whole shift signs in at once.
With another secret, all PINs are void.
"""

import datetime as dt
import hmac
import re
from collections.abc import Iterable

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import SignIn
from appliance.models import Desk, Pin, Session, User

_DIGITS = re.compile(r"\d{4,8}", re.ASCII)
_DIGIT_SEQUENCES = "01234567890 09876543210"


def set_pin(user: User, pin: str, secret: str) -> None:
    """Store the PIN that the person chose; `secret`: the site's.

    Raises Refused "pin": too short, too simple.
    """
    if not _DIGITS.fullmatch(pin) or len(set(pin)) < 3 or pin in _DIGIT_SEQUENCES:
        raise Refused("pin", "four to eight digits, not 1234 and not 1111")
    pin_hash = _hash_pin(user, pin, secret)
    with write_transaction():
        Pin.delete().where(Pin.user == user).execute()
        Pin.create(user=user, hash=pin_hash, made_at=clock.now())
        audit.record_entry(user.login, "pin.set", user.login)


def has_pin(user: User, secret: str) -> bool:
    """Returns True if the person has a PIN."""
    is_found: bool = Pin.select().where(Pin.user == user, _hash_condition(secret)).exists()
    return is_found


def is_correct_pin(user: User, pin: str, secret: str) -> bool:
    """Returns True if the person has this PIN."""
    row = Pin.get_or_none(Pin.user == user)
    return hmac.compare_digest(row.hash if row else "", _hash_pin(user, pin, secret))


def delete_pin_and_desks(user: User) -> None:
    """Delete a person's PIN and desks; the caller audits the reason."""
    for table in (Pin, Desk):
        table.delete().where(table.user == user).execute()


def remember_desk(session: Session) -> None:
    """Record that the person of a session has signed in fully on its device."""
    columns = {"proved_at": clock.now(), "factor": session.factor}
    with write_transaction():
        conditions = (Desk.user == session.user, Desk.device == session.device)
        if not Desk.update(columns).where(*conditions).execute():
            Desk.create(user=session.user, device=session.device, **columns)


def forget_desk(user: User, device: str) -> None:
    """Require the full sign-in on a device again."""
    Desk.delete().where(Desk.user == user, Desk.device == device).execute()


def desks_for_pin(rules: SignIn, device: str, logins: Iterable[str], secret: str) -> list[Desk]:
    """The desks of those of these logins who may use their PIN on a device, with users, by name."""
    since = clock.now() - dt.timedelta(hours=rules.pin_hours)
    desks = Desk.select(Desk, User).join(User).join(Pin, on=Pin.user == User.id)
    matches = desks.where(
        Desk.device == device,
        Desk.proved_at > since,
        User.active,
        User.login.in_(list(logins)),
        User.role.in_(rules.pin_roles),
        ~User.must_change,
        _hash_condition(secret),
    )
    return list(matches.order_by(User.name))


def remove_pin(user: User) -> None:
    """Delete a person's PIN at their own request. Audited."""
    with write_transaction():
        delete_pin_and_desks(user)
        audit.record_entry(user.login, "pin.forget", user.login)


def _hash_pin(user: User, pin: str, secret: str) -> str:
    """The stored form of a PIN: a mark of the secret, and the keyed hash of person and PIN."""
    digest = hmac.new(_pin_key(secret), f"{user.id} {pin}".encode(), "sha256").hexdigest()
    return f"{_secret_mark(secret)}{digest}"


def _hash_condition(secret: str) -> Expression:
    """The condition that a PIN was stored with this secret."""
    return Pin.hash.startswith(_secret_mark(secret))


def _secret_mark(secret: str) -> str:
    """Eight characters that identify the secret."""
    return hmac.new(_pin_key(secret), b"mark", "sha256").hexdigest()[:8] + " "


def _pin_key(secret: str) -> bytes:
    """A key for PINs only: the same secret signs cookies."""
    return hmac.digest(secret.encode(), b"PIN", "sha256")
