"""What is done with a registered appeal, one step at a time.

Every step is one conditional UPDATE of the appeal's row in `handling`: it names the version that
whoever acts has seen, so of two people at the same instant one succeeds, and the other is told.
`by` is a login, or key:NAME for a program.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from appliance.casework import departments
from appliance.casework.appeals import consultations, deadlines, searching, states
from appliance.core import audit, clock, live, outbox
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.core.i18n import spelt
from appliance.core.statements import new_row
from appliance.models import Appeal, AppealStep, Department, Handling

UNDO = dt.timedelta(seconds=10)  # for which an answer can be taken back
HELD_BACK = UNDO + dt.timedelta(seconds=5)  # for which nobody is told of it
_LATEST = 2**31  # beyond it a number is no version, nor one for the database
_AT_ONCE = 500  # appeals begun in one transaction


class HandlingError(ValueError):
    """A step cannot be done; `code` names why for the page to say it.

    "changed": somebody was faster; "held": a colleague holds it; "state": not in this state;
    "late": what was sent is out already; "words": the reason or the answer is missing;
    "department": not another one in use;
    "term": the law knows no longer term; "overdue": the term is over; "action": no such step.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def begin(appeal: Appeal, calendar: WorkingCalendar) -> Handling:
    """Give a newly registered appeal its department and deadline; inside its transaction."""
    day = deadlines.registered_on(appeal.received_at, calendar)
    term = deadlines.first_term(appeal.appeal_type)
    handling = new_row(
        Handling,
        appeal=appeal,
        state="registered",
        department=departments.of_direction(appeal.direction),
        registered_on=day,
        counts_from=day,
        term=term,
        due_on=deadlines.due(day, term),
        forward_by=deadlines.forward_by(day),
        changed_at=clock.now(),
    )
    searching.remember(appeal)
    return handling


def begin_missing(calendar: WorkingCalendar) -> int:
    """Give appeals of before their department and deadline; returns how many there were.

    So many in one transaction that nobody who saves meanwhile waits long.
    """
    known = Handling.select(Handling.appeal)
    begun = 0
    while True:
        missing = Appeal.select().where(Appeal.id.not_in(known)).order_by(Appeal.id)
        with writing():
            for appeal in (found := list(missing.limit(_AT_ONCE))):
                begin(appeal, calendar)
        begun += len(found)
        if len(found) < _AT_ONCE:
            return begun


def take(appeal: Appeal, by: str, version: int) -> None:
    """Take an appeal over, from nobody or from a colleague."""
    before = Handling.get_by_id(appeal.id).holder
    _do(appeal, "take", by, version, holder=by, detail={"from": before} if before else {})


def answer(appeal: Appeal, text: str, by: str, version: int, today: dt.date) -> None:
    """Answer the applicant; whoever answers holds the appeal."""
    _do(appeal, "answer", by, version, text=text, holder=by, answered_on=today)


def undo(
    appeal: Appeal,
    by: str,
    version: int,
    changed: Callable[[Appeal], object] | None = None,
) -> str:
    """Take one's own answer back before anybody was told of it; returns its text.

    It is then as it was before, in the hands of who answered. `changed` is called as by `do`.
    Raises HandlingError, "late" when the messages of it are under way.
    """
    with writing():
        last = undoable(appeal, by)
        if not last or not outbox.withdraw(appeal.number, last.at):
            raise HandlingError("late")
        _do(appeal, "undo", by, version, holder=by, answered_on=None)
        if changed:
            changed(appeal)
    return last.text


def undoable(appeal: Appeal, by: str) -> AppealStep | None:
    """Somebody's answer, if it is the last step and younger than HELD_BACK."""
    last = next(iter(steps(appeal)), None)
    own = last and last.action == "answer" and last.who == by
    return last if last and own and clock.now() - last.at < HELD_BACK else None


def answer_meanwhile(appeal: Appeal, text: str, by: str, version: int) -> None:
    """Tell the applicant how it stands; the appeal stays open (article 34)."""
    _do(appeal, "interim", by, version, text=text, holder=by)


def send_back(appeal: Appeal, reason: str, by: str, version: int) -> None:
    """Return an appeal to its operator for rework; the term runs on."""
    _do(appeal, "return", by, version, text=reason, holder=by)


def forward(
    appeal: Appeal,
    department: Department | None,
    reason: str,
    by: str,
    version: int,
    today: dt.date,
) -> None:
    """Send an appeal to another department.

    To a body of its own the term begins anew, as that body's receiving it counts (article 28);
    within the ministry it runs on. Too late a forwarding (article 25) is done and noted.
    """
    now = Handling.get_by_id(appeal.id)
    if not department or not department.active or department.id == now.department_id:
        raise HandlingError("department")
    columns: dict[str, Any] = {"department": department, "holder": ""}
    if department.own_body:
        term = deadlines.first_term(appeal.appeal_type)
        columns |= {"counts_from": today, "term": term, "due_on": deadlines.due(today, term)}
    detail = {"from": now.department_id, "to": department.id, "late": today > now.forward_by}
    _do(appeal, "forward", by, version, text=reason, detail=detail, **columns)


def extend(appeal: Appeal, reason: str, by: str, version: int, today: dt.date) -> None:
    """Lengthen the term as article 28 allows: to a month, then by a month more; before it ends."""
    now = Handling.get_by_id(appeal.id)
    term, due_on = _longer(now, today)
    detail = {"from": now.due_on.isoformat(), "to": due_on.isoformat()}
    _do(appeal, "extend", by, version, text=reason, detail=detail, term=term, due_on=due_on)


def extension(now: Handling, today: dt.date) -> dt.date | None:
    """The last day that lengthening the term would lead to; None where article 28 allows none."""
    try:
        return _longer(now, today)[1]
    except HandlingError:
        return None


def dismiss(appeal: Appeal, reason: str, by: str, version: int) -> None:
    """Close an appeal that is owed no answer, with the ground (articles 29 and 30)."""
    _do(appeal, "dismiss", by, version, text=reason)


def close(appeal: Appeal, by: str, version: int) -> None:
    """Close an answered appeal."""
    _do(appeal, "close", by, version)


def reopen(appeal: Appeal, reason: str, by: str, version: int, today: dt.date) -> None:
    """Take an answered or closed appeal up again; an explanation is due in 10 days (article 31)."""
    _do(
        appeal,
        "reopen",
        by,
        version,
        text=reason,
        holder=by,
        answered_on=None,
        counts_from=today,
        term="explain",
        due_on=deadlines.due(today, "explain"),
    )


def consult(appeal: Appeal, contact: str, by: str, version: int) -> None:
    """Note which specialist was contacted just now; table 5 of report form №2 names him."""
    with writing():
        _do(appeal, "consult", by, version, text=contact)
        before = Appeal.get_by_id(appeal.id).consultation_contact
        contacts = "; ".join(filter(None, (before, spelt(contact))))
        columns = {"consultation": True, "consultation_contact": contacts}
        Appeal.update(columns).where(Appeal.id == appeal.id).execute()
        consultations.contacted(appeal)


def conclude(appeal: Appeal, result: str, by: str, version: int) -> None:
    """Note what came of the consultation that the appeal has asked for."""
    with writing():
        _do(appeal, "conclude", by, version, text=result)
        consultations.concluded(appeal, result, by)


def add(appeal: Appeal, text: str, by: str, detail: dict[str, Any]) -> None:
    """Note what the citizen added in a later call, whoever changes the appeal at this moment.

    For appeals.additions, inside its transaction. Raises HandlingError: "words", "state".
    """
    now = Handling.get_by_id(appeal.id)
    _do(appeal, "add", by, now.version, text=text, detail=detail)


def do(
    action: str,
    appeal: Appeal,
    by: str,
    version: int,
    today: dt.date,
    text: str = "",
    department: Department | None = None,
    tell: Callable[[Appeal], object] | None = None,
    changed: Callable[[Appeal], object] | None = None,
) -> None:
    """Any step of the ministry's by its name in states.MOVES. Raises HandlingError.

    `tell` is called with an answered appeal, `changed` after any step, in the step's transaction.
    """
    with writing():
        match action:
            case "take":
                take(appeal, by, version)
            case "answer":
                answer(appeal, text, by, version, today)
                if tell:
                    tell(appeal)
            case "interim":
                answer_meanwhile(appeal, text, by, version)
            case "return":
                send_back(appeal, text, by, version)
            case "forward":
                forward(appeal, department, text, by, version, today)
            case "extend":
                extend(appeal, text, by, version, today)
            case "dismiss":
                dismiss(appeal, text, by, version)
            case "close":
                close(appeal, by, version)
            case "reopen":
                reopen(appeal, text, by, version, today)
            case _:
                raise HandlingError("action")
        if changed:
            changed(appeal)


def correct(appeal: Appeal, by: str, version: int, changes: dict[str, list[str]]) -> None:
    """Note that the form was corrected; a returned appeal goes back to who returned it.

    For appeals.correcting, inside its transaction. A kind that has another term moves the
    deadline, unless the term was lengthened since.
    """
    now = Handling.get_by_id(appeal.id)
    columns: dict[str, Any] = {}
    if now.term in ("basic", "month") and "appeal_type" in changes:
        term = deadlines.first_term(appeal.appeal_type)
        columns = {"term": term, "due_on": deadlines.due(now.counts_from, term)}
    action = "resend" if now.state == "returned" else "correct"
    if action == "resend" and now.holder:
        columns["state"] = "taken"
    _do(appeal, action, by, version, detail={"changes": changes}, **columns)


def of_appeal(appeal: Appeal) -> Handling | None:
    """Where an appeal stands, with whom, until when; None until `begin_missing` has begun it."""
    return Handling.get_or_none(Handling.appeal == appeal)


def state_of(appeal: Appeal) -> str:
    """Where an appeal stands, one of states.STATES."""
    now = of_appeal(appeal)
    return now.state if now else "registered"


def steps(appeal: Appeal) -> list[AppealStep]:
    """What was done with an appeal since it was registered, newest first."""
    return list(
        AppealStep.select()
        .where(AppealStep.appeal == appeal)
        .order_by(AppealStep.at.desc(), AppealStep.id.desc())
    )


def _longer(now: Handling, today: dt.date) -> tuple[str, dt.date]:
    """The longer term and its last day. Raises HandlingError: "term", "overdue"."""
    term = deadlines.longer(now.term)
    if not term:
        raise HandlingError("term")
    if today > now.due_on:
        raise HandlingError("overdue")
    return term, deadlines.due(now.counts_from, term)


def _do(
    appeal: Appeal,
    action: str,
    by: str,
    version: int,
    *,
    text: str = "",
    detail: dict[str, Any] | None = None,
    **columns: Any,
) -> None:
    move, text = states.MOVES[action], text.strip()
    if move.words and not text:
        raise HandlingError("words")
    if not 0 < version < _LATEST:
        raise HandlingError("changed")
    if move.after:
        columns = {"state": move.after} | columns
    if "state" in columns:
        columns["is_open"] = columns["state"] in states.OPEN
    conditions = [
        Handling.appeal == appeal.id,
        Handling.version == version,
        Handling.state.in_(move.before),
    ]
    if move.held:
        conditions.append(Handling.holder.in_(("", by)) | (Handling.state == "returned"))
    with writing():
        now = clock.now()  # under the lock: whoever follows changes by their time misses none
        done = (
            Handling.update(columns | {"version": version + 1, "changed_at": now})
            .where(*conditions)
            .execute()
        )
        if not done:
            raise HandlingError(_why(appeal, move, version))
        AppealStep.create(
            appeal=appeal, at=now, who=by, action=action, text=text, detail=detail or {}
        )
        audit.record(by, f"appeal.{action}", appeal.number)
        live.publish("appeals", f"operator:{appeal.operator.login}")


def _why(appeal: Appeal, move: states.Move, version: int) -> str:
    now = Handling.get_by_id(appeal.id)
    if now.version != version:
        return "changed"
    return "held" if now.state in move.before else "state"
