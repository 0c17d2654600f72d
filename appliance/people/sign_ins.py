"""Checks of passwords: each attempt is counted before its check, and few are checked at a time.

The counts are in the database, so a restart does not reset them. Attempts on a known device (one on
which the person signed in before) are counted separately. Otherwise strangers at the same address,
or strangers who know the login, could lock the person out.
"""

import contextlib
import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from peewee import Expression

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import Ldap
from appliance.models import Session, SignInAttempt, User
from appliance.people import accounts, ldap, pins, second_factor

ATTEMPT_RETENTION = dt.timedelta(hours=1)
ONE_MINUTE = dt.timedelta(minutes=1)
MAX_PER_MINUTE = 5  # failures with one name, from one address or known device
MAX_PER_ADDRESS = 200  # failures per hour from one address, on unknown devices
MAX_LOGIN_CHARS = 64  # longer submitted logins are cut
TURN_TIMEOUT_SECONDS = 3.0  # how long an attempt waits to be checked


class Limits(NamedTuple):
    """How many attempts with one name may fail in an hour."""

    per_source: int  # from one address, or on one known device
    per_name: int  # on all unknown devices together


PASSWORD_LIMITS, CODE_LIMITS, PIN_LIMITS = Limits(30, 100), Limits(30, 10), Limits(5, 5)
# A directory locks a person out after too many wrong passwords, so strangers get few attempts. The
# limit applies to everybody, because it must not reveal whom the directory knows.
DIRECTORY_LIMITS = Limits(30, 5)


class TooManyWaiting(Exception):
    """Too many passwords wait to be checked."""


class CheckQueue:
    """Limits the passwords checked at a time to two, because argon2 needs 64 MiB for each.

    Each waiting attempt occupies a thread of the web server. Therefore only `max_waiting` attempts
    in total, and `max_per_source` of one address or device, wait or are checked at a time; others
    are refused at once.
    """

    def __init__(self, max_waiting: int, max_per_source: int) -> None:
        self._max_waiting, self._max_per_source = max_waiting, max_per_source
        self._slots, self._lock = threading.BoundedSemaphore(2), threading.Lock()
        self._admitted: Counter[str] = Counter()

    @contextlib.contextmanager
    def wait_for_turn(self, source: str) -> Iterator[None]:
        """Wait for a turn and hold it until the context ends.

        Raises TooManyWaiting if too many wait, or after TURN_TIMEOUT_SECONDS.
        """
        with self._lock:
            if (
                self._admitted.total() >= self._max_waiting
                or self._admitted[source] >= self._max_per_source
            ):
                raise TooManyWaiting
            self._admitted[source] += 1
        try:
            if not self._slots.acquire(timeout=TURN_TIMEOUT_SECONDS):
                raise TooManyWaiting
            try:
                yield
            finally:
                self._slots.release()
        finally:
            with self._lock:
                self._admitted[source] -= 1
                self._admitted += Counter()  # drops zero counts


# Two queues, so that attempts on unknown devices never delay those on known ones.
_KNOWN_DEVICES, _UNKNOWN_DEVICES = (
    CheckQueue(max_waiting=40, max_per_source=4),
    CheckQueue(max_waiting=24, max_per_source=12),
)


class TooManyAttempts(Exception):
    """Too many attempts have failed; this one is not checked."""


def check_password(
    login: str, password: str, address: str, device: str = "", directory: Ldap | None = None
) -> User | None:
    """Return the active user with this login and password, if any.

    `device` is the id of a device on which the person signed in before, or "". `directory` has the
    settings of the directory that checks the passwords of the people it knows. Raises
    TooManyAttempts if a limit is reached, or TooManyWaiting.
    """
    login = login.strip().lower()[:MAX_LOGIN_CHARS]
    limits = DIRECTORY_LIMITS if directory else PASSWORD_LIMITS
    _require_below_limits(login, address, device, limits)
    with (
        _KNOWN_DEVICES.wait_for_turn(device) if device else _UNKNOWN_DEVICES.wait_for_turn(address)
    ):
        attempt = _count_attempt(login, address, device, limits)
        user = ldap.authenticate_user(directory, login, password)
        if user:
            _delete_attempt(attempt)
    return user


def check_code(session: Session, code: str, device: str = "") -> bool:
    """Returns True if this is a valid second-factor code of the session's person.

    Wrong codes are counted separately from wrong passwords, so that a stranger who does not know
    the password cannot block the person's codes. Raises TooManyAttempts if a limit is reached.
    """
    name = f"CODE {session.user.login}"  # logins have no capitals
    attempt = _count_attempt(name, session.address, device, CODE_LIMITS)
    is_proved = second_factor.prove_code(session, code)
    if is_proved:
        _delete_attempt(attempt)
    return is_proved


def check_pin(user: User, pin: str, device: str, secret: str) -> bool:
    """Returns True if this is the person's PIN. Only for a device where they signed in fully.

    `secret` is the site's. Raises TooManyAttempts after five wrong PINs within an hour.
    """
    attempt = _count_attempt(f"PIN {user.login}", "", device, PIN_LIMITS)
    is_correct = pins.is_correct_pin(user, pin, secret)
    if is_correct:
        _delete_attempt(attempt)
    return is_correct


def change_password(
    user: User, old: str, new: str, address: str, device: str = "", directory: Ldap | None = None
) -> None:
    """Set the password that the user chose.

    Raises Refused with the code "elsewhere" if the password can only be changed in the directory,
    "wrong" if `old` is not the current one, "same" if `new` is, or "short" or "weak" if `new` is
    easily guessed. Raises TooManyAttempts and TooManyWaiting as `check_password` does.
    """
    if ldap.manages_password(directory, user):
        raise Refused("elsewhere", "the password is changed in the directory")
    if not check_password(user.login, old, address, device):
        raise Refused("wrong", "the old password is wrong")
    if new == old:
        raise Refused("same", "the new password is the old one")
    accounts.require_strong_password(new, user.login, user.name)
    accounts.set_password(user, new, by=user.login)


def _count_attempt(
    login: str, address: str, device: str, limits: Limits = PASSWORD_LIMITS
) -> SignInAttempt:
    """Store an attempt, which counts as failed until deleted. Raises TooManyAttempts."""
    with write_transaction():
        now = clock.now()
        # Rows with a future time are from before the clock was set back.
        is_outdated = (SignInAttempt.at < now - ATTEMPT_RETENTION) | (SignInAttempt.at > now)
        SignInAttempt.delete().where(is_outdated).execute()
        _require_below_limits(login, address, device, limits)
        attempt: SignInAttempt = SignInAttempt.create(
            login=login, address=address, device=device, at=now
        )
    return attempt


def _require_below_limits(
    login: str, address: str, device: str, limits: Limits = PASSWORD_LIMITS
) -> None:
    """Raise TooManyAttempts if a limit is reached.

    This is also checked before an attempt waits for its turn, so that refused attempts delay
    nobody.
    """
    now, same_name = clock.now(), SignInAttempt.login == login
    if device:
        source = same_name & (SignInAttempt.device == device)
        is_limit_reached = (
            _count_attempts(source, now, ONE_MINUTE) >= MAX_PER_MINUTE
            or _count_attempts(source, now) >= limits.per_source
        )
    else:
        unknown_device, same_address = SignInAttempt.device == "", SignInAttempt.address == address
        source = same_name & same_address & unknown_device
        is_limit_reached = (
            _count_attempts(source, now, ONE_MINUTE) >= MAX_PER_MINUTE
            or _count_attempts(source, now) >= limits.per_source
            or _count_attempts(same_name & unknown_device, now) >= limits.per_name
            or _count_attempts(same_address & unknown_device, now) >= MAX_PER_ADDRESS
        )
    if is_limit_reached:
        raise TooManyAttempts(login)


def _count_attempts(
    condition: Expression, now: dt.datetime, period: dt.timedelta = ATTEMPT_RETENTION
) -> int:
    """Return how many attempts that meet `condition` were made within `period` before now."""
    is_recent = SignInAttempt.at.between(now - period, now)
    count: int = SignInAttempt.select().where(condition, is_recent).count()
    return count


def _delete_attempt(attempt: SignInAttempt) -> None:
    """Delete an attempt that did not fail."""
    SignInAttempt.delete().where(SignInAttempt.id == attempt.id).execute()
