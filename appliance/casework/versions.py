"""Versions that the manager writes and the ministry approves: articles, scripts (A7, A8).

    draft → sent → approved → in force → retired
       ↖ returned ↙

An owner (article or script) has at most one pending version, that is one not in force yet. The
version in force lasts until the next one begins or until it is retired. A call stores the number of
the version that was shown in it. A table of versions inherits models.versions.Version and names its
owner's column. Every step is one conditional UPDATE with the revision that the acting user has
seen: of two users at the same instant one succeeds, and the other is refused.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from peewee import Expression

from appliance.casework.workflow import Move, State, Workflow
from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.i18n import N_
from appliance.core.refusals import Refused
from appliance.models import ChangeRequest, User, Version
from appliance.people import rights

WRITER_ROLES = rights.allowed_roles("article.write")  # they also send, put in force and retire
APPROVER_ROLES = rights.allowed_roles("article.approve")  # they also return a version
READER_ROLES = rights.allowed_roles("article.read")

COMMAND_LINE_ACTOR = "system"  # the actor of commands on the command line
EDITABLE_STATES = ("draft", "returned")  # states in which a version can be edited
# statuses of versions that readers can find, now or later
SEARCHABLE_STATUSES = (
    "planned",
    "in_force",
)


# A version that was put in force has the state "put" in the database. Its status follows from the
# time: planned, in_force or retired. The moves start from a status, and lead to a stored state.
WORKFLOW = Workflow(
    (
        State("draft", N_("Draft"), "accent", "pencil"),
        State("sent", N_("With the ministry for approval"), "accent", "hourglass"),
        State("returned", N_("Returned by the ministry"), "warn", "circle-help"),
        State("approved", N_("Approved"), "ok", "check"),
        State("planned", N_("Scheduled"), "accent", "clock"),
        State("in_force", N_("In force"), "ok", "circle-check", is_open=False),
        State("retired", N_("No longer in force"), "", "archive", is_open=False),
    ),
    {
        "send": Move(("draft", "returned"), "sent", WRITER_ROLES),
        "take_back": Move(("sent",), "draft", WRITER_ROLES),
        "approve": Move(("sent",), "approved", APPROVER_ROLES),
        "return": Move(("sent",), "returned", APPROVER_ROLES, needs_text=True),
        "put": Move(("approved",), "put", WRITER_ROLES),
        "withdraw": Move(("planned",), "approved", WRITER_ROLES),
        "retire": Move(("in_force",), "put", WRITER_ROLES),
    },
)


def version_status(row: Version, now: dt.datetime | None = None) -> str:
    """Return a version's status at `now` (default: the current time), a state of WORKFLOW.

    A version that was put in force is planned, in force or retired, according to the time.
    """
    now = now or clock.now()
    if row.state != "put":
        return str(row.state)
    if row.since > now:
        return "planned"
    return "in_force" if row.until is None or row.until > now else "retired"


def allowed_actions(row: Version, role: str) -> tuple[str, ...]:
    """Return the actions that a role can take on a version now, in the order of WORKFLOW."""
    return WORKFLOW.possible_actions(version_status(row), role)


def in_force_condition(table: type[Version], now: dt.datetime | None = None) -> Expression:
    """Return the condition that a version of this table is in force at `now` (default: now)."""
    now = now or clock.now()
    not_ended = table.until.is_null() | (table.until > now)
    return (table.state == "put") & (table.since <= now) & not_ended


def in_force_or_planned_condition(table: type[Version]) -> Expression:
    """Return the condition that a version is in force now, or will be without further action."""
    return (table.state == "put") & (table.until.is_null() | (table.until > clock.now()))


def pending_condition(table: type[Version]) -> Expression:
    """Return the condition that a version is a draft, sent, returned, approved or planned."""
    return (table.state != "put") | (table.since > clock.now())


def list_versions(table: type[Version], owner: Any) -> list[Any]:
    """Return the versions of `owner`, an article or a script, newest first.

    `table` is ArticleVersion or ScriptVersion.
    """
    return list(table.select().where(_owner_condition(table, owner)).order_by(table.number.desc()))


def find_in_force(rows: Iterable[Version]) -> Any:
    """Return the version among `rows` that is in force, if any."""
    return next((row for row in rows if version_status(row) == "in_force"), None)


def pending_version(table: type[Version], owner: Any) -> Any:
    """Return the version of `owner`, an article or a script, that is not in force yet, if any.

    It is a draft, with the ministry, returned, approved or planned.
    """
    return table.select().where(_owner_condition(table, owner), pending_condition(table)).first()


def create_draft(
    table: type[Version],
    owner: Any,
    user: User | None,
    request: ChangeRequest | None,
    **columns: Any,
) -> Any:
    """Create the owner's next draft, in the caller's transaction, and return it.

    `table` is ArticleVersion or ScriptVersion, `owner` the article or script. `request` is the
    change request for which the draft is made, if any; `columns` are its contents. There is no
    `user` if it is called from the command line. Raises Refused with the code `pending` if there is
    a pending version already, `action` if the user's role may not write versions.
    """
    if user and user.role not in WRITER_ROLES:
        raise Refused("action")
    if pending_version(table, owner):
        raise Refused("pending")
    newest = next(iter(list_versions(table, owner)), None)
    number = newest.number + 1 if newest else 1
    metadata = {
        "number": number,
        "made_at": clock.now(),
        "by": actor_login(user),
        "request": request,
    }
    return table.create(**{table.owner_column: owner}, **metadata, **columns)


def actor_login(user: User | None) -> str:
    """Return the user's login for the audit; COMMAND_LINE_ACTOR without a user."""
    return user.login if user else COMMAND_LINE_ACTOR


def edit_draft(row: Version, user: User, expected_revision: int, **columns: Any) -> None:
    """Change columns of a draft or of a returned version, in the caller's transaction.

    Raises Refused with the code `action` if the user's role may not write versions, `changed` if
    the revision is not `expected_revision` or the version can no longer be edited.
    """
    if user.role not in WRITER_ROLES:
        raise Refused("action")
    _update_revision(
        row,
        expected_revision,
        EDITABLE_STATES,
        columns | {"made_at": clock.now(), "by": user.login},
    )


def discard_version(row: Version, user: User, expected_revision: int) -> None:
    """Delete a draft or a returned version, in the caller's transaction.

    Raises Refused with the codes of edit_draft().
    """
    edit_draft(row, user, expected_revision)  # only for its checks
    row.delete_instance()


def perform_version_action(
    action: str,
    row: Version,
    user: User,
    *,
    expected_revision: int,
    noun: str,
    ref: str,
    remark: str = "",
    since: dt.datetime | None = None,
) -> Any:
    """Perform an action, a move of WORKFLOW, on a version; returns the changed version.

    `noun`, "article" or "script", and `ref`, which identifies the article or the script's version,
    are for the audit entry: its action is "NOUN.ACTION" ("article.send"), its subject `ref`.
    `remark` is the ministry's text, required for a return. `since` is the time from which a version
    that is put in force is valid, by default now. `expected_revision` is the revision that the user
    has seen. Raises Refused with the code `action` if the user's role has no such action, `words`
    if a required remark is missing, `past` if `since` is not in the future, `changed` if the
    version has another revision or its status does not allow the action.
    """
    move, remark, table = WORKFLOW.permitted_move(action, user.role), remark.strip(), type(row)
    if not move:
        raise Refused("action")
    if move.needs_text and not remark:
        raise Refused("words")
    with write_transaction():
        now = clock.now()
        if since and since <= now:
            raise Refused("past")
        row = table.get_or_none(table.id == row.id)
        if (
            not row
            or row.revision != expected_revision
            or version_status(row, now) not in move.from_states
        ):
            raise Refused("changed")
        columns: dict[str, Any] = {"state": move.to_state}
        if user.role in APPROVER_ROLES:
            columns |= {"decided_at": now, "decided_by": user.login, "words": remark}
        if action == "put":
            columns["since"] = since or now
            _end_predecessor(row, columns["since"])
        elif action == "withdraw":
            columns["since"] = None
            _reopen_predecessor(row)
        elif action == "retire":
            columns["until"] = now
        _update_revision(row, expected_revision, (row.state,), columns)
        detail = {"words": remark} if remark else {}
        detail |= {"since": columns["since"].isoformat()} if columns.get("since") else {}
        audit.record_entry(user.login, f"{noun}.{action}", ref, version=row.number, **detail)
    return table.get_by_id(row.id)


def _end_predecessor(next_version: Version, starts_at: dt.datetime) -> None:
    """Let the owner's version that is in force now end when `next_version` starts."""
    table = type(next_version)
    of_owner = _owner_condition(table, getattr(next_version, table.owner_column))
    table.update(until=starts_at).where(of_owner, in_force_condition(table)).execute()


def _reopen_predecessor(withdrawn_version: Version) -> None:
    """Remove the end of the version in force that the withdrawn one would have replaced."""
    table = type(withdrawn_version)
    of_owner = _owner_condition(table, getattr(withdrawn_version, table.owner_column))
    table.update(until=None).where(
        of_owner, table.until == withdrawn_version.since, in_force_condition(table)
    ).execute()


def _update_revision(
    row: Version, expected_revision: int, states: Iterable[str], columns: dict[str, Any]
) -> None:
    """Change columns of a version, and increase its revision.

    Raises Refused "changed" if it has another revision or is not in one of `states`.
    """
    table = type(row)
    unchanged = (
        table.id == row.id,
        table.revision == expected_revision,
        table.state.in_(list(states)),
    )
    if not table.update(columns | {"revision": expected_revision + 1}).where(*unchanged).execute():
        raise Refused("changed")


def _owner_condition(table: type[Version], owner: Any) -> Expression:
    """Return the condition that a version is one of this article or script (or of its id)."""
    return getattr(table, table.owner_column) == owner
