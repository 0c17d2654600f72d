"""Change requests and their handling, one step at a time.

Every step is one conditional UPDATE of the request's row with the version that the acting user has
seen: of two people at the same instant one succeeds, and the other gets an error.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.casework.changes import files, states, terms
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import ChangeRequest, ChangeStep, User

TOPIC = "changes"  # under which core.live reports changes to open pages
_MAX_VERSION = 2**31  # a larger number is not a version and does not fit into the database


@dataclass(frozen=True)
class RequestCounts:
    """The numbers of open requests: all, those whose term ends soon, those whose term is over."""

    open: int = 0
    due_soon: int = 0
    overdue: int = 0


def create_change_request(
    user: User,
    kind: str,
    what: str,
    why: str,
    calendar: WorkingCalendar,
    uploads: Iterable[files.UploadedFile] = (),
) -> ChangeRequest:
    """Create a request; its term starts now.

    `kind` is the code of one of terms.CHANGE_KINDS; `what` (is to be changed) and `why` are the
    user's texts; `uploads` are stored with the request. Raises Refused with the code "action" if
    the user's role may not make requests, "kind", "what" or "why" if it is missing, and the codes
    of check_files() and attach_files().
    """
    what, why = what.strip(), why.strip()
    if user.role not in states.REQUESTER_ROLES:
        raise Refused("action")
    if kind not in terms.KINDS_BY_CODE:
        raise Refused("kind")
    if not what or not why:
        raise Refused("why" if what else "what")
    attached_files = files.check_files(uploads)
    with write_transaction():
        now = clock.now()
        request: ChangeRequest = ChangeRequest.create(
            kind=kind,
            what=what,
            why=why,
            author=user.login,
            asked_at=now,
            due_at=terms.due_time(now, terms.KINDS_BY_CODE[kind].days, calendar),
            state=states.FIRST_STATE,
        )
        _record_step(request, "ask", user, "", attached_files)
    return request


def perform_request_action(
    action: str,
    request: ChangeRequest,
    user: User,
    expected_version: int,
    text: str = "",
    uploads: Iterable[files.UploadedFile] = (),
) -> None:
    """Perform an action on a request; `action` is the name of a move of states.WORKFLOW.

    `expected_version` is the version of the request that the user has seen, `text` is the user's
    remark, and `uploads` are stored with the step. The user who accepts or begins the change
    becomes responsible for it. Raises Refused with the code "action" if the user's role has no such
    action, "words" if a required text is missing, "changed" if another user was faster or the
    request's state does not allow it, and the codes of check_files() and attach_files().
    """
    move, text = states.WORKFLOW.permitted_move(action, user.role), text.strip()
    if not move:
        raise Refused("action")
    if move.needs_text and not text:
        raise Refused("words")
    if not 0 < expected_version < _MAX_VERSION:
        raise Refused("changed")
    attached_files = files.check_files(uploads)
    columns: dict[str, Any] = {
        "state": move.to_state,
        "is_open": move.to_state in states.WORKFLOW.open_state_codes,
    }
    if move.to_state in ("accepted", "doing") and user.role in states.IMPLEMENTER_ROLES:
        columns["responsible"] = user.login
    unchanged_row = (
        ChangeRequest.id == request.id,
        ChangeRequest.version == expected_version,
        ChangeRequest.state.in_(move.from_states),
    )
    with write_transaction():
        updated_rows = (
            ChangeRequest.update(columns | {"version": expected_version + 1})
            .where(*unchanged_row)
            .execute()
        )
        if not updated_rows:
            raise Refused("changed")
        _record_step(request, action, user, text, attached_files)


def find_change_request(number: int, user: User) -> ChangeRequest | None:
    """Return the request with the id `number`, if it exists and the user may see requests."""
    if user.role not in states.READER_ROLES:
        return None
    return find_row(ChangeRequest, id=number)


def open_requests() -> list[ChangeRequest]:
    """Return the requests whose change is still to be made, the most urgent first."""
    requests = ChangeRequest.select().where(ChangeRequest.is_open)
    return list(requests.order_by(ChangeRequest.due_at, ChangeRequest.id))


def requests_awaiting_approval() -> list[ChangeRequest]:
    """Return the requests that are done but not accepted by the ministry yet, oldest first."""
    requests = ChangeRequest.select().where(ChangeRequest.state == "done")
    return list(requests.order_by(ChangeRequest.id))


def list_change_requests(limit: int = 200) -> list[ChangeRequest]:
    """Return the requests, newest first."""
    return list(ChangeRequest.select().order_by(ChangeRequest.id.desc()).limit(limit))


def count_requests(calendar: WorkingCalendar) -> RequestCounts:
    """Return the number of open requests, of those due soon and of those overdue."""
    now, requests = clock.now(), open_requests()
    overdue = sum(request.due_at < now for request in requests)
    due_soon = sum(is_due_soon(request, calendar, now) for request in requests)
    return RequestCounts(len(requests), due_soon, overdue)


def is_due_soon(request: ChangeRequest, calendar: WorkingCalendar, now: dt.datetime) -> bool:
    """Return True if an open request's term ends soon but is not over (terms.reminder_time)."""
    days = terms.KINDS_BY_CODE[request.kind].days
    reminder_at = terms.reminder_time(request.due_at, days, calendar)
    return request.is_open and reminder_at <= now <= request.due_at


def list_request_steps(request: ChangeRequest) -> list[ChangeStep]:
    """Return the steps taken on a request, newest first."""
    steps = ChangeStep.select().where(ChangeStep.request == request)
    return list(steps.order_by(ChangeStep.at.desc(), ChangeStep.id.desc()))


def completion_times(
    requests: Iterable[ChangeRequest], until: dt.datetime | None = None
) -> dict[int, dt.datetime]:
    """Return when each request was done, by its id, for those that are done at `until`.

    Steps at `until` or later do not count; by default, all steps count. A request that is not done,
    or was sent back after it was done, is left out.
    """
    of_requests = ChangeStep.request.in_([request.id for request in requests])
    steps = ChangeStep.select().where(of_requests, ChangeStep.action.in_(("finish", "send_back")))
    if until:
        steps = steps.where(ChangeStep.at < until)
    done_at: dict[int, dt.datetime] = {}
    for step in steps.order_by(ChangeStep.at, ChangeStep.id):
        if step.action == "finish":
            done_at[step.request_id] = step.at
        else:
            done_at.pop(step.request_id, None)
    return done_at


def _record_step(
    request: ChangeRequest, action: str, user: User, text: str, attached: list[files.UploadedFile]
) -> None:
    """Store a step with its files, audit it, and notify open pages.

    Raises Refused with the codes of attach_files().
    """
    ChangeStep.create(request=request, at=clock.now(), who=user.login, action=action, text=text)
    files.attach_files(request, attached, user.login)
    names = {"files": [file.name for file in attached]} if attached else {}
    audit.record_entry(user.login, f"change.{action}", str(request.id), **names)
    live.publish_topics(TOPIC)
