"""PINs: a short number instead of the password, on a device where it was entered recently.

A PIN unlocks a page, and signs in at a desk: a device on which the person has signed in fully
within the last hours. After five wrong PINs within an hour, the password is required again.

From the plain hash of a PIN of four digits, anyone could find the PIN by trying all of them,
however slow the hash is. Therefore the hash is keyed with the site's secret (`web.secret_key`),
which is not in the database: the database alone reveals no PIN. The hash is fast, so that a whole
shift can sign in at once. If the secret changes, all PINs are invalid.
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
    """Store the PIN that the person chose; `secret` is the site's.

    Raises Refused "pin" if it is not four to eight digits or is easily guessed.
    """
    if not _DIGITS.fullmatch(pin) or len(set(pin)) < 3 or pin in _DIGIT_SEQUENCES:
        raise Refused("pin", "four to eight digits, not 1234 and not 1111")
    pin_hash = _hash_pin(user, pin, secret)
    with write_transaction():
        Pin.delete().where(Pin.user == user).execute()
        Pin.create(user=user, hash=pin_hash, made_at=clock.now())
        audit.record_entry(user.login, "pin.set", user.login)


def has_pin(user: User, secret: str) -> bool:
    """Returns True if the person has a PIN that was stored with this secret."""
    is_found: bool = Pin.select().where(Pin.user == user, _hash_condition(secret)).exists()
    return is_found


def is_correct_pin(user: User, pin: str, secret: str) -> bool:
    """Returns True if the person has this PIN."""
    row = Pin.get_or_none(Pin.user == user)
    return hmac.compare_digest(row.hash if row else "", _hash_pin(user, pin, secret))


def delete_pin_and_desks(user: User) -> None:
    """Delete a person's PIN and desks; the caller has to record the reason in the audit."""
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
    """Delete a person's desk, so that the device requires the full sign-in again."""
    Desk.delete().where(Desk.user == user, Desk.device == device).execute()


def desks_for_pin(rules: SignIn, device: str, logins: Iterable[str], secret: str) -> list[Desk]:
    """Return the desks on a device of those people (of `logins`) who may use their PIN there.

    They come with their users, sorted by name.
    """
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
    """Return the stored form of a PIN: a mark of the secret, then the keyed hash of id and PIN."""
    digest = hmac.new(_pin_key(secret), f"{user.id} {pin}".encode(), "sha256").hexdigest()
    return f"{_secret_mark(secret)}{digest}"


def _hash_condition(secret: str) -> Expression:
    """The condition that a PIN was stored with this secret."""
    return Pin.hash.startswith(_secret_mark(secret))


def _secret_mark(secret: str) -> str:
    """Return eight characters that identify the secret, and a space."""
    return hmac.new(_pin_key(secret), b"mark", "sha256").hexdigest()[:8] + " "


def _pin_key(secret: str) -> bytes:
    """Return a key derived for PINs only, because the same secret also signs cookies."""
    return hmac.digest(secret.encode(), b"PIN", "sha256")
