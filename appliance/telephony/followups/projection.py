"""The tasks of a number told anew from the ledger, as often as more becomes known."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from peewee import ModelSelect, fn

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import writing
from appliance.core.statements import Question, insert, some, value
from appliance.core.tables import MomentField
from appliance.models import Call, FollowUp, FollowUpMark, QueueVisit, Talk
from appliance.telephony.calls.outcomes import FOLLOWED_UP
from appliance.telephony.followups.tasks import Contact, Task, fold

_BEGINNING = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
_LONGEST = dt.timedelta(hours=12)  # what a call tells comes at most so long after its beginning
_BATCH = 500  # numbers in one transaction
_KEPT = MomentField()
_FACTS = tuple(field.name for field in dataclasses.fields(Task))

_WITH_TASKS = Question(
    lambda: FollowUp.select(FollowUp.number).where(some(FollowUp.number, "numbers")).distinct()
)
_TASKS = Question(
    lambda: FollowUp.select().where(some(FollowUp.number, "numbers")).order_by(FollowUp.id)
)
_MARKS = Question(
    lambda: FollowUpMark.select(
        FollowUpMark.number,
        FollowUpMark.at,
        FollowUpMark.outcome,
        FollowUpMark.by,
        FollowUpMark.note,
    ).where(some(FollowUpMark.number, "numbers"))
)


class _Call(NamedTuple):
    """What a call tells of the numbers that were in it."""

    id: str
    direction: str
    arrived_at: dt.datetime
    ended_at: dt.datetime | None
    caller: str | None
    callee: str | None
    outcome: str | None
    language: str | None
    topic: str | None
    spoke_at: dt.datetime | None
    joined_at: dt.datetime | None


_MOMENTS = ("arrived_at", "ended_at", "spoke_at", "joined_at")


def _calls() -> ModelSelect:
    spoke_at = Talk.select(fn.MIN(Talk.started_at)).where(Talk.call == Call.id)
    joined_at = QueueVisit.select(fn.MIN(QueueVisit.joined_at)).where(QueueVisit.call == Call.id)
    facts = [getattr(Call, name) for name in _Call._fields[:-2]]
    theirs = (Call.direction == "inbound") & some(Call.caller, "numbers")
    return Call.select(*facts, spoke_at, joined_at).where(
        theirs | some(Call.callee, "numbers"), ~Call.synthetic, Call.arrived_at >= value("since")
    )


_CALLS = Question(_calls)


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
    with_tasks = frozenset(concerned)
    concerned |= moments.keys() & set(missed)
    _follow({n: moments[n] for n in concerned if phone_numbers.canonical(n) == n}, with_tasks)


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


def _follow(moments: Mapping[str, dt.datetime], with_tasks: Collection[str] | None = None) -> None:
    """What was before its moment stays as it was told: only a task open then begins earlier.

    `with_tasks`: those of the numbers that have tasks, where that is known.
    """
    if not moments:
        return
    kept: defaultdict[str, list[FollowUp]] = defaultdict(list)
    numbers = moments.keys() if with_tasks is None else moments.keys() & with_tasks
    if numbers:
        for row in _TASKS.rows(numbers=numbers):
            kept[row.number].append(row)
    since = {number: _since(at, kept[number]) for number, at in moments.items()}
    contacts = _contacts(since)
    opened: list[dict[str, Any]] = []
    gone: list[int] = []
    changed = False
    for number in sorted(moments):
        known = {at: row for row in kept[number] if (at := _opened(row)) >= since[number]}
        folded = {task.opened_at: task for task in fold(number, contacts[number])}
        for opened_at, task in folded.items():
            row = known.get(opened_at)
            if not row:
                opened.append(vars(task) | {"claimed_until": None, "claimed_by": ""})
            else:
                changed |= _update(row, task)
        gone += [row.id for opened_at, row in known.items() if opened_at not in folded]
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
    facts = dict(vars(task))
    if all(getattr(row, name) == facts[name] for name in _FACTS):
        return False
    if row.attempts != task.attempts or task.closed_at:
        facts |= {"claimed_until": None, "claimed_by": ""}  # that call is over
    FollowUp.update(**facts).where(FollowUp.id == row.id).execute()
    return True


def _contacts(since: Mapping[str, dt.datetime]) -> dict[str, list[Contact]]:
    """What happened with each number since its moment."""
    begin = _KEPT.db_value(min(since.values()) - _LONGEST) or 0
    found: dict[str, list[Contact]] = {number: [] for number in since}
    for row in _CALLS.ask(numbers=since, since=begin):
        call = _read(row)
        numbers = {call.callee} | ({call.caller} if call.direction == "inbound" else set())
        for number in filter(None, numbers & since.keys()):
            if call.arrived_at >= since[number] - _LONGEST and (c := _contact(call, number)):
                found[number].append(c)
    for number, at, outcome, by, note in _MARKS.ask(numbers=since):
        found[number].append(Contact(_moment(at), outcome, by=by, note=note))
    return {
        number: [contact for contact in contacts if contact.at >= since[number]]
        for number, contacts in found.items()
    }


def _read(row: tuple[Any, ...]) -> _Call:
    """A call as the columns keep it."""
    call = _Call(*row)
    return call._replace(**{name: _moment(getattr(call, name)) for name in _MOMENTS})


def _contact(call: _Call, number: str) -> Contact | None:
    if call.spoke_at:
        spoke = "called_again" if call.direction == "inbound" else "spoken"
        return Contact(call.spoke_at, spoke, call.id)
    if not call.ended_at:
        return None
    if call.direction == "outbound":
        return Contact(call.ended_at, "tried", call.id)
    wants_callback = call.outcome == "callback"
    if call.outcome not in FOLLOWED_UP or (
        wants_callback and number != (call.callee or call.caller)
    ):
        return None
    return Contact(
        at=call.arrived_at,
        what="callback" if wants_callback else "queue" if call.joined_at else "menu",
        call_id=call.id,
        until=call.ended_at,
        joined_at=call.joined_at,
        language=call.language,
        topic=call.topic,
    )


def _moment(kept: int | None) -> Any:
    """A moment as the table keeps it."""
    return _KEPT.python_value(kept)
