"""Change requests, and what is done with them, one step at a time.

Every step is one conditional UPDATE of the request's row that names the version which whoever acts
has seen: of two people at the same instant one succeeds, and the other is told.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.casework.changes import files, states, terms
from appliance.casework.changes.errors import ChangeError
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.models import ChangeRequest, ChangeStep, User

TOPIC = "changes"
_LATEST = 2**31  # beyond it a number is no version, nor one for the database


@dataclass(frozen=True)
class Counts:
    """Open requests: all of them, those whose term ends soon, those whose term is over."""

    open: int = 0
    near: int = 0
    overdue: int = 0


def ask(
    user: User,
    kind: str,
    what: str,
    why: str,
    calendar: WorkingCalendar,
    sent: Iterable[files.Sent] = (),
) -> ChangeRequest:
    """Write down a request; its term runs from this moment. Raises ChangeError."""
    what, why = what.strip(), why.strip()
    if user.role not in states.ASKS:
        raise ChangeError("action")
    if kind not in terms.KINDS:
        raise ChangeError("kind")
    if not what or not why:
        raise ChangeError("why" if what else "what")
    checked = files.checked(sent)
    with writing():
        now = clock.now()
        request = ChangeRequest.create(
            kind=kind,
            what=what,
            why=why,
            author=user.login,
            asked_at=now,
            due_at=terms.due(now, terms.KINDS[kind].days, calendar),
            state="asked",
        )
        _note(request, "ask", user, "", checked)
    return request


def do(
    action: str,
    request: ChangeRequest,
    user: User,
    version: int,
    text: str = "",
    sent: Iterable[files.Sent] = (),
) -> None:
    """Any step but the first by its name in states.MOVES. Raises ChangeError."""
    move, text = states.MOVES.get(action), text.strip()
    if not move or user.role not in move.roles or action == "ask":
        raise ChangeError("action")
    if move.words and not text:
        raise ChangeError("words")
    if not 0 < version < _LATEST:
        raise ChangeError("changed")
    checked = files.checked(sent)
    columns: dict[str, Any] = {"state": move.after, "is_open": move.after in states.OPEN}
    if move.after in ("accepted", "doing") and user.role in states.DOES:
        columns["responsible"] = user.login
    seen = (ChangeRequest.id == request.id, ChangeRequest.version == version)
    with writing():
        done = (
            ChangeRequest.update(columns | {"version": version + 1})
            .where(*seen, ChangeRequest.state.in_(move.before))
            .execute()
        )
        if not done:
            raise ChangeError("changed")
        _note(request, action, user, text, checked)


def find(number: int, user: User) -> ChangeRequest | None:
    """The request of this number, if the user may see it; None otherwise."""
    if user.role not in states.READERS:
        return None
    return ChangeRequest.get_or_none(ChangeRequest.id == number)


def opened() -> list[ChangeRequest]:
    """The requests whose change is owed, the most urgent first."""
    theirs = ChangeRequest.select().where(ChangeRequest.is_open)
    return list(theirs.order_by(ChangeRequest.due_at, ChangeRequest.id))


def waiting() -> list[ChangeRequest]:
    """The requests that are done and that the ministry has not accepted, oldest first."""
    theirs = ChangeRequest.select().where(ChangeRequest.state == "done")
    return list(theirs.order_by(ChangeRequest.id))


def listed(limit: int = 200) -> list[ChangeRequest]:
    """All requests, newest first."""
    return list(ChangeRequest.select().order_by(ChangeRequest.id.desc()).limit(limit))


def counts(calendar: WorkingCalendar) -> Counts:
    """How many requests are open now, and how many of them press."""
    now, terms_end = clock.now(), opened()
    overdue = sum(request.due_at < now for request in terms_end)
    near = sum(is_near(request, calendar, now) for request in terms_end)
    return Counts(len(terms_end), near, overdue)


def is_near(request: ChangeRequest, calendar: WorkingCalendar, now: dt.datetime) -> bool:
    """Whether the term of an open request ends soon and is not over (terms.remind_at)."""
    days = terms.KINDS[request.kind].days
    reminded = terms.remind_at(request.due_at, days, calendar)
    return request.is_open and reminded <= now <= request.due_at


def steps(request: ChangeRequest) -> list[ChangeStep]:
    """What was done with a request, newest first."""
    theirs = ChangeStep.select().where(ChangeStep.request == request)
    return list(theirs.order_by(ChangeStep.at.desc(), ChangeStep.id.desc()))


def finished(
    requests: Iterable[ChangeRequest], until: dt.datetime | None = None
) -> dict[int, dt.datetime]:
    """Id → when the change was done, of the requests that were done at a moment, or are now.

    One that was sent back since is not.
    """
    theirs = ChangeStep.request.in_([request.id for request in requests])
    moves = ChangeStep.select().where(theirs, ChangeStep.action.in_(("finish", "send_back")))
    if until:
        moves = moves.where(ChangeStep.at < until)
    found: dict[int, dt.datetime] = {}
    for step in moves.order_by(ChangeStep.at, ChangeStep.id):
        if step.action == "finish":
            found[step.request_id] = step.at
        else:
            found.pop(step.request_id, None)
    return found


def _note(
    request: ChangeRequest, action: str, user: User, text: str, attached: list[files.Sent]
) -> None:
    ChangeStep.create(request=request, at=clock.now(), who=user.login, action=action, text=text)
    files.attach(request, attached, user.login)
    names = {"files": [one.name for one in attached]} if attached else {}
    audit.record(user.login, f"change.{action}", str(request.id), **names)
    live.publish(TOPIC)
