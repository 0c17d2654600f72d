"""Passwords looked at: each attempt is counted before, and few are looked at at once.

What counts is in the database: a restart forgets nothing. Who signs in on a device on which he
signed in before is counted apart, so that strangers behind the same address, or who guess at his
name, cannot keep him out.
"""

import contextlib
import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from peewee import Expression

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Ldap
from appliance.models import Session, SignInAttempt, User
from appliance.people import accounts, ldap, pins, second_factor

KEPT = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
A_MINUTE = 5  # failures with one name, from one address or known device
OF_ADDRESS = 200  # an hour from one address, on devices that are not known
LONGEST_LOGIN = 64  # characters that are kept of what was typed
PATIENCE = 3.0  # seconds that an attempt waits for its turn


class Limits(NamedTuple):
    """Failures an hour: with one name from one address or known device; of all unknown devices."""

    an_hour: int
    of_name: int


PASSWORDS, CODES, PINS = Limits(30, 100), Limits(30, 10), Limits(5, 5)
# A directory locks whom too many wrong passwords were tried for; so strangers try few here. Of all
# people alike: whom it knows must not show.
OF_DIRECTORY = Limits(30, 5)


class Busy(Exception):
    """Too many passwords wait to be looked at."""


class Lane:
    """Passwords that are looked at: two at a time, for argon2 takes 64 MiB for each.

    Each that waits occupies a thread of the pages, so only `waiting` of all and `of_one` address
    or device are let in at once; the others are refused without waiting.
    """

    def __init__(self, waiting: int, of_one: int) -> None:
        self._waiting, self._of_one = waiting, of_one
        self._turns, self._lock = threading.BoundedSemaphore(2), threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextlib.contextmanager
    def turn(self, whose: str) -> Iterator[None]:
        """Wait for a turn and hold it. Raises Busy."""
        with self._lock:
            if self._inside.total() >= self._waiting or self._inside[whose] >= self._of_one:
                raise Busy
            self._inside[whose] += 1
        try:
            if not self._turns.acquire(timeout=PATIENCE):
                raise Busy
            try:
                yield
            finally:
                self._turns.release()
        finally:
            with self._lock:
                self._inside[whose] -= 1
                self._inside += Counter()  # drops those that are at zero


# Unknown devices never delay known ones.
_KNOWN, _STRANGERS = Lane(waiting=40, of_one=4), Lane(waiting=24, of_one=12)


class TooMany(Exception):
    """Too many attempts have failed; this one is not checked."""


def check(
    login: str, password: str, address: str, device: str = "", asked: Ldap | None = None
) -> User | None:
    """The active user with this login and password, else None.

    `device`: one on which the person signed in before, else "". `asked`: the directory that looks
    at the passwords of those whom it knows. Raises TooMany, Busy.
    """
    login = login.strip().lower()[:LONGEST_LOGIN]
    limits = OF_DIRECTORY if asked else PASSWORDS
    _refuse_too_many(login, address, device, limits)
    with _KNOWN.turn(device) if device else _STRANGERS.turn(address):
        attempt = _begin(login, address, device, limits)
        user = ldap.authenticate(asked, login, password)
        if user:
            _forget(attempt)
    return user


def prove(session: Session, code: str, device: str = "") -> bool:
    """Whether the code proves the person of a session beside his password. Raises TooMany.

    Wrong ones are counted apart from wrong passwords: who does not know the password keeps nobody
    from his code.
    """
    name = f"CODE {session.user.login}"  # no login has capitals
    attempt = _begin(name, session.address, device, CODES)
    proved = second_factor.prove(session, code)
    if proved:
        _forget(attempt)
    return proved


def check_pin(user: User, pin: str, device: str, secret: str) -> bool:
    """Whether it is his PIN, on a device where he signed in wholly; `secret`: the site's.

    Raises TooMany after five wrong ones within an hour.
    """
    attempt = _begin(f"PIN {user.login}", "", device, PINS)
    fits = pins.fits(user, pin, secret)
    if fits:
        _forget(attempt)
    return fits


def change_password(
    user: User, old: str, new: str, address: str, device: str = "", asked: Ldap | None = None
) -> None:
    """Give the user the password that he chose himself.

    Raises StaffError: "elsewhere" (it is changed in the directory), "wrong" (the old one is not
    his), "same", "short", "weak"; TooMany, Busy.
    """
    if ldap.keeps(asked, user):
        raise accounts.StaffError("elsewhere", "the password is changed in the directory")
    if not check(user.login, old, address, device):
        raise accounts.StaffError("wrong", "the old password is wrong")
    if new == old:
        raise accounts.StaffError("same", "the new password is the old one")
    accounts.prove_strong(new, user.login, user.name)
    accounts.set_password(user, new, by=user.login)


def _begin(login: str, address: str, device: str, limits: Limits = PASSWORDS) -> SignInAttempt:
    """Count the attempt. Raises TooMany."""
    with writing():
        now = clock.now()
        # Those to come are from before the clock was set back.
        over = (SignInAttempt.at < now - KEPT) | (SignInAttempt.at > now)
        SignInAttempt.delete().where(over).execute()
        _refuse_too_many(login, address, device, limits)
        return SignInAttempt.create(login=login, address=address, device=device, at=now)


def _refuse_too_many(login: str, address: str, device: str, limits: Limits = PASSWORDS) -> None:
    """Raise TooMany. Asked before one's turn, too: who is refused holds up nobody."""
    now, name = clock.now(), SignInAttempt.login == login
    if device:
        own = name & (SignInAttempt.device == device)
        full = _count(own, now, MINUTE) >= A_MINUTE or _count(own, now) >= limits.an_hour
    else:
        unknown, there = SignInAttempt.device == "", SignInAttempt.address == address
        own = name & there & unknown
        full = (
            _count(own, now, MINUTE) >= A_MINUTE
            or _count(own, now) >= limits.an_hour
            or _count(name & unknown, now) >= limits.of_name
            or _count(there & unknown, now) >= OF_ADDRESS
        )
    if full:
        raise TooMany(login)


def _count(which: Expression, now: dt.datetime, since: dt.timedelta = KEPT) -> int:
    lately = SignInAttempt.at.between(now - since, now)
    return SignInAttempt.select().where(which, lately).count()


def _forget(attempt: SignInAttempt) -> None:
    SignInAttempt.delete().where(SignInAttempt.id == attempt.id).execute()
