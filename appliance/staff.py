"""People who work with the hotline: accounts, roles, and the state that an operator chose."""

import datetime as dt
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from appliance import audit, clock, live
from appliance.db import writing
from appliance.i18n import LOCALES
from appliance.models import Presence, User

ROLES = ("operator", "supervisor", "manager", "ministry", "technician", "backup")
STATES = ("ready", "pause", "off")
TAKEN = ("0000",)  # extensions that no person has: the phone of test calls (selftests.PHONE)
NO_ANSWER = "no_answer"  # reason of a pause: the phone rang and nobody took it up
FORCED = "forced"  # a supervisor set the state
CALL_LANGUAGES = ("uz", "ru")
THEMES = ("system", "light", "dark")
SHORTEST_PASSWORD = 10  # characters

_hasher = PasswordHasher()
# Checked when there is no such login, so that the answer takes as long as for a wrong password.
_NOBODY = _hasher.hash(secrets.token_hex())


class StaffError(ValueError):
    """An account cannot be made or changed so; `code` names why for the page to say it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def add(
    login: str,
    name: str,
    role: str,
    password: str,
    *,
    extension: str | None = None,
    sip_password: str | None = None,
    speaks: tuple[str, ...] = (),
    by: str = "cli",
) -> User:
    """Make an account. Raises StaffError for an unknown role or a login or extension in use."""
    if role not in ROLES:
        raise StaffError("role", f"no such role: {role}; one of {', '.join(ROLES)}")
    if unknown := set(speaks) - set(CALL_LANGUAGES):
        raise StaffError("speaks", f"no such language: {', '.join(sorted(unknown))}")
    with writing():
        if User.get_or_none(User.login == login):
            raise StaffError("login", f"login in use: {login}")
        if extension and (extension in TAKEN or User.get_or_none(User.extension == extension)):
            raise StaffError("extension", f"extension in use: {extension}")
        user = User.create(
            login=login,
            name=name,
            role=role,
            password_hash=_hasher.hash(password),
            extension=extension,
            sip_password=sip_password or (secrets.token_urlsafe(18) if extension else None),
            speaks=" ".join(speaks),
            created_at=clock.now(),
        )
        audit.record(by, "user.add", login, role=role)
    return user


def authenticate(login: str, password: str) -> User | None:
    """The active user with this login and password, else None."""
    user = User.get_or_none(User.login == login.strip().lower(), User.active)
    try:
        _hasher.verify(user.password_hash if user else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return None
    if user and _hasher.check_needs_rehash(user.password_hash):
        _set_hash(user, password)
    return user


def set_password(user: User, password: str, by: str) -> None:
    """Give the user a new password."""
    with writing():
        _set_hash(user, password)
        audit.record(by, "user.password", user.login)


def change_password(user: User, old: str, new: str) -> None:
    """Give the user the password that he chose himself.

    Raises StaffError: "wrong" (the old one is not his), "short", "same".
    """
    if not authenticate(user.login, old):
        raise StaffError("wrong", "the old password is wrong")
    if len(new) < SHORTEST_PASSWORD:
        raise StaffError("short", f"a password has at least {SHORTEST_PASSWORD} characters")
    if new == old:
        raise StaffError("same", "the new password is the old one")
    set_password(user, new, by=user.login)


def disable(user: User, by: str) -> None:
    """Close an account for good; its history stays."""
    with writing():
        User.update(active=False).where(User.id == user.id).execute()
        audit.record(by, "user.disable", user.login)


def choose_language(user: User, locale: str) -> None:
    """Remember the language of the user's pages. Raises StaffError for an unknown one."""
    if locale not in LOCALES:
        raise StaffError("language", f"no such language: {locale}")
    User.update(language=locale).where(User.id == user.id).execute()


def choose_appearance(user: User, theme: str, large_text: bool) -> None:
    """Remember how the user's pages look. Raises StaffError for an unknown theme."""
    if theme not in THEMES:
        raise StaffError("theme", f"no such theme: {theme}")
    User.update(theme=theme, large_text=large_text).where(User.id == user.id).execute()


def with_phone() -> list[User]:
    """Active users who have a phone: operators, and supervisors who listen in; by login."""
    return list(
        User.select().where(User.active, User.extension.is_null(False)).order_by(User.login)
    )


def operators() -> list[User]:
    """Active operators with a phone, by login."""
    return list(
        User.select()
        .where(User.role == "operator", User.active, User.extension.is_null(False))
        .order_by(User.login)
    )


def state_of(user: User) -> Presence | None:
    """The state in force, or None before the first choice."""
    return user.presences.order_by(Presence.since.desc(), Presence.id.desc()).first()


def states() -> dict[str, str]:
    """Login → state in force, of every active operator; "off" before the first choice."""
    return {login: p.state if p else "off" for login, p in presences().items()}


def stretches(
    begin: dt.datetime, end: dt.datetime
) -> dict[str, list[tuple[str, dt.datetime, dt.datetime]]]:
    """Login → (state, from, to) within [begin, end), in order; of everybody who chose one."""
    found: dict[str, list[tuple[str, dt.datetime, dt.datetime]]] = {}
    for user in User.select(User.id, User.login).where(User.role == "operator"):
        before = _chosen(user).where(Presence.since <= begin)
        within = _chosen(user).where(Presence.since > begin, Presence.since < end)
        latest = before.order_by(Presence.since.desc(), Presence.id.desc()).limit(1)
        states = [*latest, *within.order_by(Presence.since, Presence.id)]
        ends = [*(since for _, since in states), end][1:]
        for (state, since), until in zip(states, ends, strict=True):
            if max(since, begin) < until:
                found.setdefault(user.login, []).append((state, max(since, begin), until))
    return found


def _chosen(user: User) -> Any:
    return Presence.select(Presence.state, Presence.since).where(Presence.user == user).tuples()


def presences() -> dict[str, Presence | None]:
    """Login → what is in force, of every active operator; None before the first choice."""
    return {user.login: state_of(user) for user in operators()}


def choose_state(user: User, state: str, *, reason: str = "", by: str = "") -> None:
    """Write down the state of an operator; Asterisk is told by pbx.actions.

    `by`: the login or process that set it, when it was not the operator himself; `reason`:
    NO_ANSWER, FORCED or "".
    """
    if state not in STATES:
        raise StaffError("state", f"no such state: {state}")
    with writing():
        Presence.create(
            user=user, state=state, since=clock.now(), reason=reason, by=by or user.login
        )
        if by:
            audit.record(by, "operator.state", user.login, state=state, reason=reason)
        live.publish(f"operator:{user.login}", "operators")


def _set_hash(user: User, password: str) -> None:
    user.password_hash = _hasher.hash(password)
    User.update(password_hash=user.password_hash).where(User.id == user.id).execute()
