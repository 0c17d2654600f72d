"""The handling of a registered appeal, one step at a time.

Every step is one conditional UPDATE of the appeal's row in `handling`. `expected_version` is the
version that the acting user has seen: of two people at the same instant one is refused.
`actor` is a login, or key:NAME for a program. `casework.hooks` runs what follows a step.

A step raises Refused with the code "changed" if another user was faster, "held" if a colleague
holds the appeal (has taken it over), "state" if the step is not possible in the appeal's state,
"words" if the reason or the answer is missing, "department" if the new department is inactive or
the same as before, "term" if the law allows no longer term, "overdue" if the term is over, "late"
if the messages about the answer are already being sent, "action" if there is no such step.
"""

import datetime as dt
from typing import Any

from appliance.casework import departments, hooks
from appliance.casework.appeals import consultations, deadlines, searching, states
from appliance.core import audit, clock, live, outbox
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.i18n import normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.statements import create_row, find_row
from appliance.models import Appeal, AppealStep, Department, Handling

UNDO_PERIOD = dt.timedelta(seconds=10)  # for which the page offers to take an answer back
# how long after an answer its notifications are sent
NOTIFICATION_DELAY = UNDO_PERIOD + dt.timedelta(seconds=5)
_MAX_VERSION = 2**31  # a larger number is not a version and does not fit into the database
_APPEALS_PER_TRANSACTION = 500


def start_handling(appeal: Appeal, calendar: WorkingCalendar) -> Handling:
    """Give a new appeal its department and deadline, in the transaction that registers it.

    The appeal is also indexed for the search.
    """
    day = deadlines.registration_day(appeal.received_at, calendar)
    term = deadlines.initial_term(appeal.appeal_type)
    handling = create_row(
        Handling,
        appeal=appeal,
        state="registered",
        department=departments.department_of_direction(appeal.direction),
        registered_on=day,
        counts_from=day,
        term=term,
        due_on=deadlines.term_end(day, term),
        forward_by=deadlines.forwarding_deadline(day),
        changed_at=clock.now(),
    )
    searching.index_appeal(appeal)
    return handling


def start_missing_handling(calendar: WorkingCalendar) -> int:
    """Start the handling of all appeals that have no row in `handling`; returns their number.

    Each transaction takes a limited number of appeals, so that other writers do not wait long.
    """
    handled_ids = Handling.select(Handling.appeal)
    started = 0
    while True:
        missing = Appeal.select().where(Appeal.id.not_in(handled_ids)).order_by(Appeal.id)
        with write_transaction():
            for appeal in (batch := list(missing.limit(_APPEALS_PER_TRANSACTION))):
                start_handling(appeal, calendar)
        started += len(batch)
        if len(batch) < _APPEALS_PER_TRANSACTION:
            return started


def take_over(appeal: Appeal, actor: str, expected_version: int) -> None:
    """Take over an appeal, also from a colleague who holds it: `actor` then holds it."""
    previous_holder = Handling.get_by_id(appeal.id).holder
    _apply_step(
        appeal,
        "take",
        actor,
        expected_version,
        holder=actor,
        detail={"from": previous_holder} if previous_holder else {},
    )


def answer_appeal(
    appeal: Appeal, text: str, actor: str, expected_version: int, today: dt.date
) -> None:
    """Answer the applicant; the user who answers then holds the appeal.

    Nobody is notified before NOTIFICATION_DELAY is over: until then undo_answer() can take it back.
    """
    _apply_step(
        appeal,
        "answer",
        actor,
        expected_version,
        text=text,
        delay=NOTIFICATION_DELAY,
        holder=actor,
        answered_on=today,
    )


def undo_answer(appeal: Appeal, actor: str, expected_version: int) -> str:
    """Take back one's own answer before anybody was notified of it; returns its text.

    The appeal is open again, held by the user who answered. Raises Refused "late" if its
    messages are already being sent.
    """
    with write_transaction():
        last_answer = undoable_answer(appeal, actor)
        if not last_answer or not outbox.withdraw_messages(appeal.number, last_answer.at):
            raise Refused("late")
        _apply_step(appeal, "undo", actor, expected_version, holder=actor, answered_on=None)
    return str(last_answer.text)


def undoable_answer(appeal: Appeal, actor: str) -> AppealStep | None:
    """Return the user's answer if it is the last step and younger than NOTIFICATION_DELAY."""
    last_step = next(iter(list_steps(appeal)), None)
    is_own_answer = last_step and last_step.action == "answer" and last_step.who == actor
    return (
        last_step
        if last_step and is_own_answer and clock.now() - last_step.at < NOTIFICATION_DELAY
        else None
    )


def send_interim_answer(appeal: Appeal, text: str, actor: str, expected_version: int) -> None:
    """Send the applicant an interim answer; the appeal stays open, held by `actor` (article 34)."""
    _apply_step(appeal, "interim", actor, expected_version, text=text, holder=actor)


def return_for_rework(appeal: Appeal, reason: str, actor: str, expected_version: int) -> None:
    """Return an appeal to its operator for rework: `actor` holds it, its term keeps running."""
    _apply_step(appeal, "return", actor, expected_version, text=reason, holder=actor)


def forward_to_department(
    appeal: Appeal,
    department: Department | None,
    reason: str,
    actor: str,
    expected_version: int,
    today: dt.date,
) -> None:
    """Forward an appeal to another department.

    If the department is a separate body, the term starts again, because it counts from when that
    body receives the appeal (article 28); within the ministry it keeps running. A forwarding after
    its deadline (article 25) is carried out, and recorded as late. Raises Refused "department"
    without a department, or for one that is inactive or the current one.
    """
    current = Handling.get_by_id(appeal.id)
    if not department or not department.active or department.id == current.department_id:
        raise Refused("department")
    columns: dict[str, Any] = {"department": department, "holder": ""}
    if department.own_body:
        term = deadlines.initial_term(appeal.appeal_type)
        columns |= {"counts_from": today, "term": term, "due_on": deadlines.term_end(today, term)}
    detail = {
        "from": current.department_id,
        "to": department.id,
        "late": today > current.forward_by,
    }
    _apply_step(appeal, "forward", actor, expected_version, text=reason, detail=detail, **columns)


def extend_term(
    appeal: Appeal, reason: str, actor: str, expected_version: int, today: dt.date
) -> None:
    """Extend the term as article 28 allows, before it ends: to a month, then by another month."""
    current = Handling.get_by_id(appeal.id)
    term, due_on = _term_after_extension(current, today)
    detail = {"from": current.due_on.isoformat(), "to": due_on.isoformat()}
    _apply_step(
        appeal,
        "extend",
        actor,
        expected_version,
        text=reason,
        detail=detail,
        term=term,
        due_on=due_on,
    )


def extended_due_date(current: Handling, today: dt.date) -> dt.date | None:
    """Return the last day of the extended term, if article 28 allows an extension now."""
    try:
        return _term_after_extension(current, today)[1]
    except Refused:
        return None


def dismiss_appeal(appeal: Appeal, reason: str, actor: str, expected_version: int) -> None:
    """Close an appeal that needs no answer, with the reason (articles 29 and 30)."""
    _apply_step(appeal, "dismiss", actor, expected_version, text=reason)


def close_appeal(appeal: Appeal, actor: str, expected_version: int) -> None:
    """Close an answered appeal."""
    _apply_step(appeal, "close", actor, expected_version)


def reopen_appeal(
    appeal: Appeal, reason: str, actor: str, expected_version: int, today: dt.date
) -> None:
    """Reopen an answered or closed appeal; an explanation is due in 10 days (article 31)."""
    _apply_step(
        appeal,
        "reopen",
        actor,
        expected_version,
        text=reason,
        holder=actor,
        answered_on=None,
        counts_from=today,
        term="explain",
        due_on=deadlines.term_end(today, "explain"),
    )


def record_specialist_contact(
    appeal: Appeal, contact: str, actor: str, expected_version: int
) -> None:
    """Record which specialist was contacted just now; the ministry's report form №2 lists them."""
    with write_transaction():
        _apply_step(appeal, "consult", actor, expected_version, text=contact)
        earlier_contacts = Appeal.get_by_id(appeal.id).consultation_contact
        contacts = "; ".join(filter(None, (earlier_contacts, normalize_apostrophes(contact))))
        columns = {"consultation": True, "consultation_contact": contacts}
        Appeal.update(columns).where(Appeal.id == appeal.id).execute()
        consultations.mark_specialist_contacted(appeal)


def record_consultation_outcome(
    appeal: Appeal, result: str, actor: str, expected_version: int
) -> None:
    """Record the outcome of the consultation that the appeal requested."""
    with write_transaction():
        _apply_step(appeal, "conclude", actor, expected_version, text=result)
        consultations.record_outcome(appeal, result, actor)


def record_addition(appeal: Appeal, text: str, actor: str, detail: dict[str, Any]) -> None:
    """Record what the citizen added in a later call, even if a colleague changes the appeal now.

    appeals.additions calls it in its transaction. `detail` is stored. Raises "words" or "state".
    """
    current = Handling.get_by_id(appeal.id)
    _apply_step(appeal, "add", actor, current.version, text=text, detail=detail)


def perform_step(
    appeal: Appeal,
    action: str,
    *,
    actor: str,
    expected_version: int,
    today: dt.date,
    text: str = "",
    department: Department | None = None,
) -> None:
    """Perform a step of the ministry by the name of its move in states.WORKFLOW.

    `text` is the answer or reason, `department` the one to forward to. Raises as the step does.
    """
    with write_transaction():
        match action:
            case "take":
                take_over(appeal, actor, expected_version)
            case "answer":
                answer_appeal(appeal, text, actor, expected_version, today)
            case "undo":
                undo_answer(appeal, actor, expected_version)
            case "interim":
                send_interim_answer(appeal, text, actor, expected_version)
            case "return":
                return_for_rework(appeal, text, actor, expected_version)
            case "forward":
                forward_to_department(appeal, department, text, actor, expected_version, today)
            case "extend":
                extend_term(appeal, text, actor, expected_version, today)
            case "dismiss":
                dismiss_appeal(appeal, text, actor, expected_version)
            case "close":
                close_appeal(appeal, actor, expected_version)
            case "reopen":
                reopen_appeal(appeal, text, actor, expected_version, today)
            case _:
                raise Refused("action")


def record_correction(
    appeal: Appeal, actor: str, expected_version: int, changes: dict[str, list[str]]
) -> None:
    """Record that the form was corrected; a returned appeal goes back to the user who returned it.

    `changes` holds [before, now] by field. If the appeal's new type has another term, the deadline
    is moved, unless it was extended. Raises "changed" if the version is not `expected_version`.
    """
    current = Handling.get_by_id(appeal.id)
    columns: dict[str, Any] = {}
    if current.term in ("basic", "month") and "appeal_type" in changes:
        term = deadlines.initial_term(appeal.appeal_type)
        columns = {"term": term, "due_on": deadlines.term_end(current.counts_from, term)}
    action = "resend" if current.state == "returned" else "correct"
    if action == "resend" and current.holder:
        columns["state"] = "taken"
    _apply_step(appeal, action, actor, expected_version, detail={"changes": changes}, **columns)


def handling_of_appeal(appeal: Appeal) -> Handling | None:
    """Return an appeal's state, holder and deadlines, if its handling has started."""
    return find_row(Handling, appeal=appeal.id)


def current_state(appeal: Appeal) -> str:
    """Return an appeal's state, of states.WORKFLOW: "registered" until its handling starts."""
    handling = handling_of_appeal(appeal)
    return handling.state if handling else "registered"


def list_steps(appeal: Appeal) -> list[AppealStep]:
    """Return the steps taken on an appeal since it was registered, newest first."""
    return list(
        AppealStep.select()
        .where(AppealStep.appeal == appeal)
        .order_by(AppealStep.at.desc(), AppealStep.id.desc())
    )


def _term_after_extension(current: Handling, today: dt.date) -> tuple[str, dt.date]:
    """Return the extended term and its last day. Raises Refused "term" or "overdue"."""
    term = deadlines.extended_term(current.term)
    if not term:
        raise Refused("term")
    if today > current.due_on:
        raise Refused("overdue")
    return term, deadlines.term_end(current.counts_from, term)


def _apply_step(
    appeal: Appeal,
    action: str,
    actor: str,
    expected_version: int,
    *,
    text: str = "",
    detail: dict[str, Any] | None = None,
    delay: dt.timedelta = dt.timedelta(),
    **columns: Any,
) -> None:
    """Apply the move `action`: store the new `columns` of the appeal's Handling, and the step.

    `detail` is stored with the step. The hooks, run last, notify nobody before `delay` is over.
    """
    move, text = states.WORKFLOW.moves[action], text.strip()
    if move.needs_text and not text:
        raise Refused("words")
    if not 0 < expected_version < _MAX_VERSION:
        raise Refused("changed")
    if move.to_state:
        columns = {"state": move.to_state} | columns
    if "state" in columns:
        columns["is_open"] = columns["state"] in states.WORKFLOW.open_state_codes
    conditions = [
        Handling.appeal == appeal.id,
        Handling.version == expected_version,
        Handling.state.in_(move.from_states),
    ]
    if move.blocked_by_holder:
        conditions.append(Handling.holder.in_(("", actor)) | (Handling.state == "returned"))
    with write_transaction():
        # inside the write lock: a client that polls for changes by time misses no change
        now = clock.now()
        updated_rows = (
            Handling.update(columns | {"version": expected_version + 1, "changed_at": now})
            .where(*conditions)
            .execute()
        )
        if not updated_rows:
            raise Refused(_refusal_code(appeal, move, expected_version))
        AppealStep.create(
            appeal=appeal, at=now, who=actor, action=action, text=text, detail=detail or {}
        )
        audit.record_entry(actor, f"appeal.{action}", appeal.number)
        live.publish_topics("appeals", f"operator:{appeal.operator.login}")
        hooks.appeal_changed.run(hooks.AppealChange(appeal, action, actor, delay))


def _refusal_code(appeal: Appeal, move: states.AppealMove, expected_version: int) -> str:
    """Return why no row was updated: "changed", "held" or "state"."""
    current = Handling.get_by_id(appeal.id)
    if current.version != expected_version:
        return "changed"
    return "held" if current.state in move.from_states else "state"
