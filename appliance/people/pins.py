"""A short number instead of the password, where the password was given lately.

It uncovers a page that was locked, and signs in at a desk on which its person has signed in wholly
within the last hours. Five wrong ones within an hour, and the password is asked for again.
"""

import datetime as dt
import re
from collections.abc import Iterable

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import SignIn
from appliance.models import Desk, Pin, Session, User
from appliance.people import accounts
from appliance.people.accounts import StaffError

_DIGITS = re.compile(r"\d{4,8}", re.ASCII)
_ROW = "01234567890 09876543210"


def choose(user: User, pin: str) -> None:
    """Give the person the PIN that he chose. Raises StaffError "pin": too short, too plain."""
    if not _DIGITS.fullmatch(pin) or len(set(pin)) < 3 or pin in _ROW:
        raise StaffError("pin", "four to eight digits, not 1234 and not 1111")
    kept = accounts.hashed(pin)
    with writing():
        Pin.delete().where(Pin.user == user).execute()
        Pin.create(user=user, hash=kept, made_at=clock.now())
        audit.record(user.login, "pin.set", user.login)


def of(user: User) -> Pin | None:
    """The person's PIN; None when he has none."""
    return Pin.get_or_none(Pin.user == user)


def fits(user: User, pin: str) -> bool:
    """Whether it is his. Takes as long as a password, also where he has none."""
    kept = of(user)
    return accounts.verified(kept.hash if kept else "", pin)


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


def at(rules: SignIn, device: str, logins: Iterable[str]) -> list[Desk]:
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
    )
    return list(found.order_by(User.name))


def give_up(user: User) -> None:
    """Have no PIN any more."""
    with writing():
        forget(user)
        audit.record(user.login, "pin.forget", user.login)
