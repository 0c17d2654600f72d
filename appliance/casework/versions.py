"""Versions that the manager writes and the ministry approves: articles, scripts (A7, A8).

    draft → sent → approved → in force → retired
       ↖ returned ↙

A thing has at most one version to come. The version in force holds until the next one begins, or
until it is retired; what was shown of it stays on the call with its number. A table of versions
inherits models.versions.Version and names its thing; every step is one conditional UPDATE that
names the revision which whoever acts has seen.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.i18n import N_
from appliance.models import ChangeRequest, User
from appliance.models.versions import Version
from appliance.people import rights

WRITES = rights.roles("article.write")  # send, put in force and retire, too
APPROVES = rights.roles("article.approve")  # or return
READERS = rights.roles("article.read")

SYSTEM = "system"  # who acts from the command line
STATES = ("draft", "sent", "returned", "approved", "put")  # in the database
OPEN = ("draft", "returned")  # in which it may be written
SHOWN = ("planned", "in_force")  # standings of what is or will be found and read


class VersionError(ValueError):
    """It cannot be done; `code` names why: action, changed, pending, words, past."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Standing:
    """Where a version stands now."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""


STANDINGS = {
    one.code: one
    for one in (
        Standing("draft", N_("Draft"), "accent", "pencil"),
        Standing("sent", N_("With the ministry"), "accent", "hourglass"),
        Standing("returned", N_("Returned by the ministry"), "warn", "circle-help"),
        Standing("approved", N_("Approved"), "ok", "check"),
        Standing("planned", N_("Planned"), "accent", "clock"),
        Standing("in_force", N_("In force"), "ok", "circle-check"),
        Standing("retired", N_("Out of force"), "", "archive"),
    )
}


@dataclass(frozen=True)
class Move:
    """What may be done: by which roles, in which standings, to which state; `words`: a text."""

    roles: tuple[str, ...]
    before: tuple[str, ...]
    after: str
    words: bool = False


MOVES = {
    "send": Move(WRITES, ("draft", "returned"), "sent"),
    "take_back": Move(WRITES, ("sent",), "draft"),
    "approve": Move(APPROVES, ("sent",), "approved"),
    "return": Move(APPROVES, ("sent",), "returned", words=True),
    "put": Move(WRITES, ("approved",), "put"),
    "withdraw": Move(WRITES, ("planned",), "approved"),
    "retire": Move(WRITES, ("in_force",), "put"),
}


def standing(row: Version, now: dt.datetime | None = None) -> str:
    """The code in STANDINGS of where a version stands at a moment; without one, now."""
    now = now or clock.now()
    if row.state != "put":
        return str(row.state)
    if row.since > now:
        return "planned"
    return "in_force" if row.until is None or row.until > now else "retired"


def possible(row: Version, role: str) -> tuple[str, ...]:
    """What somebody of a role may do with a version now, in the order of MOVES."""
    stands = standing(row)
    return tuple(
        name for name, move in MOVES.items() if stands in move.before and role in move.roles
    )


def holding(table: type[Version], now: dt.datetime | None = None) -> Expression:
    """The condition that a version of this table is in force at a moment; without one, now."""
    now = now or clock.now()
    ends = table.until.is_null() | (table.until > now)
    return (table.state == "put") & (table.since <= now) & ends


def lasting(table: type[Version]) -> Expression:
    """The condition that a version of this table is in force now, or will be without a step."""
    return (table.state == "put") & (table.until.is_null() | (table.until > clock.now()))


def to_come(table: type[Version]) -> Expression:
    """The condition that a version is written, with the ministry, approved or planned."""
    return (table.state != "put") | (table.since > clock.now())


def of(table: type[Version], thing: Any) -> list[Any]:
    """The versions of a thing, the newest first."""
    return list(table.select().where(_theirs(table, thing)).order_by(table.number.desc()))


def in_force(rows: Iterable[Version]) -> Any:
    """The one of a thing's versions that is in force; None when there is none."""
    return next((row for row in rows if standing(row) == "in_force"), None)


def pending(table: type[Version], thing: Any) -> Any:
    """The version of a thing that is to come; None when there is none."""
    return table.select().where(_theirs(table, thing), to_come(table)).first()


def begin(
    table: type[Version],
    thing: Any,
    user: User | None,
    request: ChangeRequest | None,
    **columns: Any,
) -> Any:
    """Make the next draft of a thing, inside the transaction of its cause.

    Without a user it is made from the command line. Raises VersionError: `pending` when there is a
    version to come, `action` for another role.
    """
    if user and user.role not in WRITES:
        raise VersionError("action")
    if pending(table, thing):
        raise VersionError("pending")
    newest = next(iter(of(table, thing)), None)
    number = newest.number + 1 if newest else 1
    made = {"number": number, "made_at": clock.now(), "by": login_of(user), "request": request}
    return table.create(**{table.thing: thing}, **made, **columns)


def login_of(user: User | None) -> str:
    """Who acts, for the audit."""
    return user.login if user else SYSTEM


def write(row: Version, user: User, seen: int, **columns: Any) -> None:
    """Change the columns of a draft, or of a version that was returned, inside a transaction.

    Raises VersionError: `action` for another role, `changed` when it is not as it was seen.
    """
    if user.role not in WRITES:
        raise VersionError("action")
    _change(row, seen, OPEN, columns | {"made_at": clock.now(), "by": user.login})


def discard(row: Version, user: User, seen: int) -> None:
    """Throw a draft away, inside a transaction. Raises VersionError as write() does."""
    write(row, user, seen)
    row.delete_instance()


def do(
    action: str,
    row: Version,
    user: User,
    seen: int,
    noun: str,
    ref: str,
    words: str = "",
    since: dt.datetime | None = None,
) -> Any:
    """A step by its name in MOVES, audited as `noun.action` of `ref`; the version as it is then.

    `since` is the moment from which it is put in force; None is now. Raises VersionError:
    `action`, `words` when they are missing, `past`, `changed` when it is not as it was seen.
    """
    move, words, table = MOVES.get(action), words.strip(), type(row)
    if not move or user.role not in move.roles:
        raise VersionError("action")
    if move.words and not words:
        raise VersionError("words")
    with writing():
        now = clock.now()
        if since and since <= now:
            raise VersionError("past")
        row = table.get_or_none(table.id == row.id)
        if not row or row.revision != seen or standing(row, now) not in move.before:
            raise VersionError("changed")
        columns: dict[str, Any] = {"state": move.after}
        if user.role in APPROVES:
            columns |= {"decided_at": now, "decided_by": user.login, "words": words}
        if action == "put":
            columns["since"] = since or now
            _end(row, columns["since"])
        elif action == "withdraw":
            columns["since"] = None
            _resume(row)
        elif action == "retire":
            columns["until"] = now
        _change(row, seen, (row.state,), columns)
        detail = {"words": words} if words else {}
        detail |= {"since": columns["since"].isoformat()} if columns.get("since") else {}
        audit.record(user.login, f"{noun}.{action}", ref, version=row.number, **detail)
    return table.get_by_id(row.id)


def _end(row: Version, moment: dt.datetime) -> None:
    """Let the version in force hold until the next one begins."""
    table = type(row)
    theirs = _theirs(table, getattr(row, table.thing))
    table.update(until=moment).where(theirs, holding(table)).execute()


def _resume(row: Version) -> None:
    """Let the version that a planned one would have ended hold without an end again."""
    table = type(row)
    theirs = _theirs(table, getattr(row, table.thing))
    table.update(until=None).where(theirs, table.until == row.since, holding(table)).execute()


def _change(row: Version, seen: int, states: Iterable[str], columns: dict[str, Any]) -> None:
    table = type(row)
    unchanged = (table.id == row.id, table.revision == seen, table.state.in_(list(states)))
    if not table.update(columns | {"revision": seen + 1}).where(*unchanged).execute():
        raise VersionError("changed")


def _theirs(table: type[Version], thing: Any) -> Expression:
    return getattr(table, table.thing) == thing
