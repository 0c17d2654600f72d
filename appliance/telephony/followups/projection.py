"""The tasks of a number told anew from the ledger, as often as more becomes known."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from peewee import fn

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import writing
from appliance.core.statements import Question, among, insert, some
from appliance.core.tables import MomentField
from appliance.models import Call, FollowUp, FollowUpMark, QueueVisit, Talk
from appliance.telephony.calls.outcomes import FOLLOWED_UP
from appliance.telephony.followups.tasks import Contact, Task, fold

_BEGINNING = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
_LONGEST = dt.timedelta(hours=12)  # what a call tells comes at most so long after its beginning
_BATCH = 500  # numbers in one transaction
_CALL = (
    Call.id,
    Call.direction,
    Call.arrived_at,
    Call.ended_at,
    Call.caller,
    Call.callee,
    Call.outcome,
    Call.language,
    Call.topic,
)
_FACTS = tuple(field.name for field in dataclasses.fields(Task))

_WITH_TASKS = Question(
    lambda: FollowUp.select(FollowUp.number).where(some(FollowUp.number, "numbers")).distinct()
)


def follow(at: dt.datetime, *numbers: str | None) -> None:
    """Tell the tasks of these numbers anew, of which something at that moment became known.

    Call it inside a write transaction. Told twice, or in another order, the tasks are the same.
    Hidden numbers have none.
    """
    _follow({n: at for n in numbers if n and phone_numbers.canonical(n) == n})


def follow_known(moments: Mapping[str, dt.datetime], missed: Collection[str]) -> None:
    """The same of numbers of which each has a moment, where there can be anything to tell.

    `missed`: those who were missed just now. Of all others only those have tasks who had some.
    """
    concerned = {number for (number,) in _WITH_TASKS.ask(numbers=moments)}
    concerned |= moments.keys() & set(missed)
    _follow({n: moments[n] for n in concerned if phone_numbers.canonical(n) == n})


def rebuild() -> int:
    """Tell the tasks of every number anew; returns how many numbers there are."""
    missed = Call.select(fn.COALESCE(Call.callee, Call.caller)).where(
        Call.direction == "inbound", Call.outcome.in_(FOLLOWED_UP)
    )
    numbers = {number for (number,) in missed.distinct().tuples() if number}
    numbers |= {row.number for row in FollowUp.select(FollowUp.number).distinct()}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _BATCH):
        with writing():
            follow(_BEGINNING, *ordered[start : start + _BATCH])
    return len(ordered)


def mark(task: FollowUp, outcome: str, by: str = "", note: str = "") -> bool:
    """Write a task off: "done" by a person, "given_up" by the machine; False when it is closed."""
    with writing():
        if FollowUp.get_by_id(task.id).closed_at:
            return False
        FollowUpMark.create(
            number=task.number, at=clock.now(), outcome=outcome, by=by, note=" ".join(note.split())
        )
        audit.record(by or "pbx", f"follow_up.{outcome}", str(task.id), number=task.number)
        follow(clock.now(), task.number)
    return True


def _follow(moments: Mapping[str, dt.datetime]) -> None:
    """What was before its moment stays as it was told: only a task open then begins earlier."""
    if not moments:
        return
    kept: defaultdict[str, list[FollowUp]] = defaultdict(list)
    for row in FollowUp.select().where(among(FollowUp.number, moments)).order_by(FollowUp.id):
        kept[row.number].append(row)
    since = {number: _since(at, kept[number]) for number, at in moments.items()}
    contacts = _contacts(since)
    opened: list[dict[str, Any]] = []
    gone: list[int] = []
    changed = False
    for number in sorted(moments):
        known = {at: row for row in kept[number] if (at := _opened(row)) >= since[number]}
        told = {task.opened_at: task for task in fold(number, contacts[number])}
        for opened_at, task in told.items():
            row = known.get(opened_at)
            if not row:
                opened.append(dataclasses.asdict(task) | {"claimed_until": None, "claimed_by": ""})
            else:
                changed |= _update(row, task)
        gone += [row.id for opened_at, row in known.items() if opened_at not in told]
    if gone:
        FollowUp.delete().where(FollowUp.id.in_(gone)).execute()
    insert(FollowUp, opened)
    if changed or gone or opened:
        live.publish("followups")


def _since(at: dt.datetime, tasks: Iterable[FollowUp]) -> dt.datetime:
    """The moment, or when the task began that was open then."""
    open_then = (task for task in tasks if task.closed_at is None or task.closed_at >= at)
    return min([at, *map(_opened, open_then)])


def _opened(task: FollowUp) -> dt.datetime:
    return task.opened_at


def _update(row: FollowUp, task: Task) -> bool:
    """Make a task what it is told to be now; returns whether it was anything else."""
    facts = dataclasses.asdict(task)
    if all(getattr(row, name) == facts[name] for name in _FACTS):
        return False
    if row.attempts != task.attempts or task.closed_at:
        facts |= {"claimed_until": None, "claimed_by": ""}  # that call is over
    FollowUp.update(**facts).where(FollowUp.id == row.id).execute()
    return True


def _contacts(since: Mapping[str, dt.datetime]) -> dict[str, list[Contact]]:
    """What happened with each number since its moment."""
    spoke_at = Talk.select(fn.MIN(Talk.started_at)).where(Talk.call == Call.id)
    joined_at = QueueVisit.select(fn.MIN(QueueVisit.joined_at)).where(QueueVisit.call == Call.id)
    theirs = (Call.direction == "inbound") & among(Call.caller, since)
    rows = Call.select(*_CALL, spoke_at.alias("spoke_at"), joined_at.alias("joined_at")).where(
        theirs | among(Call.callee, since),
        ~Call.synthetic,
        Call.arrived_at >= min(since.values()) - _LONGEST,
    )
    found: dict[str, list[Contact]] = {number: [] for number in since}
    for call in rows.namedtuples():
        numbers = {call.callee} | ({call.caller} if call.direction == "inbound" else set())
        for number in numbers & since.keys():
            if call.arrived_at >= since[number] - _LONGEST and (c := _contact(call, number)):
                found[number].append(c)
    for row in FollowUpMark.select().where(among(FollowUpMark.number, since)):
        found[row.number].append(Contact(row.at, row.outcome, by=row.by, note=row.note))
    return {
        number: [contact for contact in contacts if contact.at >= since[number]]
        for number, contacts in found.items()
    }


def _contact(call: Any, number: str) -> Contact | None:
    if call.spoke_at:
        spoke = "called_again" if call.direction == "inbound" else "spoken"
        return Contact(_moment(call.spoke_at), spoke, call.id)
    if not call.ended_at:
        return None
    if call.direction == "outbound":
        return Contact(call.ended_at, "tried", call.id)
    asked = call.outcome == "callback"
    if call.outcome not in FOLLOWED_UP or (asked and number != (call.callee or call.caller)):
        return None
    return Contact(
        at=call.arrived_at,
        what="callback" if asked else "queue" if call.joined_at else "menu",
        call_id=call.id,
        until=call.ended_at,
        joined_at=_moment(call.joined_at),
        language=call.language,
        topic=call.topic,
    )


def _moment(value: int | None) -> Any:
    """A moment out of a subquery, which comes as the table keeps it."""
    return MomentField().python_value(value)
