"""The tasks of a number, computed again from the ledger whenever new facts about it arrive.

A task is the work of reaching the callers of one number that was missed (see `tasks`).
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from peewee import ModelSelect, fn

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.statements import (
    PreparedQuery,
    insert_rows,
    is_one_of_parameter,
    query_parameter,
)
from appliance.core.tables import MomentField
from appliance.models import Call, FollowUp, FollowUpMark, QueueVisit, Talk
from appliance.telephony.calls import FOLLOW_UP_CODES
from appliance.telephony.followups.tasks import Contact, Task, fold_contacts

_EARLIEST_TIME = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
# All facts of a call occur within this time after it begins.
_MAX_CALL_DURATION = dt.timedelta(hours=12)
_BATCH_NUMBERS = 500  # numbers in one transaction
_TIME_COLUMN = MomentField()
_TASK_FIELDS = tuple(field.name for field in dataclasses.fields(Task))

_NUMBERS_WITH_TASKS = PreparedQuery(
    lambda: (
        FollowUp.select(FollowUp.number)
        .where(is_one_of_parameter(FollowUp.number, "numbers"))
        .distinct()
    )
)
_TASKS_OF_NUMBERS = PreparedQuery(
    lambda: (
        FollowUp.select()
        .where(is_one_of_parameter(FollowUp.number, "numbers"))
        .order_by(FollowUp.id)
    )
)
_MARKS_OF_NUMBERS = PreparedQuery(
    lambda: FollowUpMark.select(
        FollowUpMark.number,
        FollowUpMark.at,
        FollowUpMark.outcome,
        FollowUpMark.by,
        FollowUpMark.note,
    ).where(is_one_of_parameter(FollowUpMark.number, "numbers"))
)


class _CallRow(NamedTuple):
    """The facts of a call from which the tasks of its numbers are computed."""

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


_TIME_FIELDS = ("arrived_at", "ended_at", "spoke_at", "joined_at")


def _calls_query() -> ModelSelect:
    spoke_at = Talk.select(fn.MIN(Talk.started_at)).where(Talk.call == Call.id)
    joined_at = QueueVisit.select(fn.MIN(QueueVisit.joined_at)).where(QueueVisit.call == Call.id)
    facts = [getattr(Call, name) for name in _CallRow._fields[:-2]]
    is_caller = (Call.direction == "inbound") & is_one_of_parameter(Call.caller, "numbers")
    return Call.select(*facts, spoke_at, joined_at).where(
        is_caller | is_one_of_parameter(Call.callee, "numbers"),
        ~Call.synthetic,
        Call.arrived_at >= query_parameter("since"),
    )


_CALLS_OF_NUMBERS = PreparedQuery(_calls_query)


def update_tasks(since: dt.datetime, *numbers: str | None) -> None:
    """Compute the tasks of these numbers again from `since`, the time of a newly stored fact.

    Must run inside a write transaction. Repeated calls, in whatever order, give the same tasks.
    Hidden numbers (None) have no tasks.
    """
    _update_tasks_since({n: since for n in numbers if n and phone_numbers.canonical_number(n) == n})


def update_concerned_tasks(times: Mapping[str, dt.datetime], missed: Collection[str]) -> None:
    """Compute the tasks of numbers again, each from the time given for it in `times`.

    Numbers that were not just missed (`missed`) are skipped unless they have tasks: nothing can
    change for them.
    """
    concerned = {number for (number,) in _NUMBERS_WITH_TASKS.fetch_tuples(numbers=times)}
    with_tasks = frozenset(concerned)
    concerned |= times.keys() & set(missed)
    _update_tasks_since(
        {n: times[n] for n in concerned if phone_numbers.canonical_number(n) == n}, with_tasks
    )


def rebuild_tasks() -> int:
    """Compute the tasks of every phone number again; returns how many numbers there are."""
    missed = Call.select(fn.COALESCE(Call.callee, Call.caller)).where(
        Call.direction == "inbound", Call.outcome.in_(FOLLOW_UP_CODES)
    )
    numbers = {number for (number,) in missed.distinct().tuples() if number}
    numbers |= {row.number for row in FollowUp.select(FollowUp.number).distinct()}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _BATCH_NUMBERS):
        with write_transaction():
            update_tasks(_EARLIEST_TIME, *ordered[start : start + _BATCH_NUMBERS])
    return len(ordered)


def close_task(task: FollowUp, outcome: str, by: str = "", note: str = "") -> bool:
    """Close a task with the outcome "done" (by a person) or "given_up" (automatically).

    Returns False if the task was closed before.
    """
    with write_transaction():
        if FollowUp.get_by_id(task.id).closed_at:
            return False
        FollowUpMark.create(
            number=task.number, at=clock.now(), outcome=outcome, by=by, note=" ".join(note.split())
        )
        audit.record_entry(by or "pbx", f"follow_up.{outcome}", str(task.id), number=task.number)
        update_tasks(clock.now(), task.number)
    return True


def _update_tasks_since(
    times: Mapping[str, dt.datetime], with_tasks: Collection[str] | None = None
) -> None:
    """Compute the tasks of each number again from its time on; earlier tasks are not changed.

    If a task was open at that time, the computation begins when that task was opened. `with_tasks`
    are the numbers that have tasks, if that is known.
    """
    if not times:
        return
    rows_by_number: defaultdict[str, list[FollowUp]] = defaultdict(list)
    numbers = times.keys() if with_tasks is None else times.keys() & with_tasks
    if numbers:
        for row in _TASKS_OF_NUMBERS.fetch_objects(numbers=numbers):
            rows_by_number[row.number].append(row)
    since = {number: _update_start(at, rows_by_number[number]) for number, at in times.items()}
    contacts = _contacts_since(since)
    new_rows: list[dict[str, Any]] = []
    removed_ids: list[int] = []
    is_changed = False
    for number in sorted(times):
        stored = {
            at: row for row in rows_by_number[number] if (at := _opened_at(row)) >= since[number]
        }
        tasks_by_opening = {
            task.opened_at: task for task in fold_contacts(number, contacts[number])
        }
        for opened_at, task in tasks_by_opening.items():
            row = stored.get(opened_at)
            if not row:
                new_rows.append(vars(task) | {"claimed_until": None, "claimed_by": ""})
            else:
                is_changed |= _update_row(row, task)
        removed_ids += [
            row.id for opened_at, row in stored.items() if opened_at not in tasks_by_opening
        ]
    if removed_ids:
        FollowUp.delete().where(FollowUp.id.in_(removed_ids)).execute()
    insert_rows(FollowUp, new_rows)
    if is_changed or removed_ids or new_rows:
        live.publish_topics("followups")


def _update_start(at: dt.datetime, tasks: Iterable[FollowUp]) -> dt.datetime:
    """Return when the task that was open at `at` was opened; `at` itself if no task was open."""
    open_tasks = (task for task in tasks if task.closed_at is None or task.closed_at >= at)
    return min([at, *map(_opened_at, open_tasks)])


def _opened_at(task: FollowUp) -> dt.datetime:
    return task.opened_at


def _update_row(row: FollowUp, task: Task) -> bool:
    """Store the present facts of a task; returns True if any of them differed."""
    facts = dict(vars(task))
    if all(getattr(row, name) == facts[name] for name in _TASK_FIELDS):
        return False
    if row.attempts != task.attempts or task.closed_at:
        facts |= {"claimed_until": None, "claimed_by": ""}  # the call that claimed it is over
    FollowUp.update(**facts).where(FollowUp.id == row.id).execute()
    return True


def _contacts_since(since: Mapping[str, dt.datetime]) -> dict[str, list[Contact]]:
    """Return the contacts with each number since the time given for it."""
    begin = _TIME_COLUMN.db_value(min(since.values()) - _MAX_CALL_DURATION) or 0
    contacts_by_number: dict[str, list[Contact]] = {number: [] for number in since}
    for row in _CALLS_OF_NUMBERS.fetch_tuples(numbers=since, since=begin):
        call = _parse_call_row(row)
        numbers = {call.callee} | ({call.caller} if call.direction == "inbound" else set())
        for number in filter(None, numbers & since.keys()):
            if call.arrived_at >= since[number] - _MAX_CALL_DURATION and (
                call_contact := _contact_of_call(call, number)
            ):
                contacts_by_number[number].append(call_contact)
    for number, at, outcome, by, note in _MARKS_OF_NUMBERS.fetch_tuples(numbers=since):
        contacts_by_number[number].append(Contact(_stored_time(at), outcome, by=by, note=note))
    return {
        number: [contact for contact in contacts if contact.at >= since[number]]
        for number, contacts in contacts_by_number.items()
    }


def _parse_call_row(row: tuple[Any, ...]) -> _CallRow:
    """Return a call from the values of its columns, with times as aware datetimes."""
    call = _CallRow(*row)
    return call._replace(**{name: _stored_time(getattr(call, name)) for name in _TIME_FIELDS})


def _contact_of_call(call: _CallRow, number: str) -> Contact | None:
    if call.spoke_at:
        event = "called_again" if call.direction == "inbound" else "spoken"
        return Contact(call.spoke_at, event, call.id)
    if not call.ended_at:
        return None
    if call.direction == "outbound":
        return Contact(call.ended_at, "tried", call.id)
    wants_callback = call.outcome == "callback"
    if call.outcome not in FOLLOW_UP_CODES or (
        wants_callback and number != (call.callee or call.caller)
    ):
        return None
    return Contact(
        at=call.arrived_at,
        event="callback" if wants_callback else "queue" if call.joined_at else "menu",
        call_id=call.id,
        until=call.ended_at,
        joined_at=call.joined_at,
        language=call.language,
        topic=call.topic,
    )


def _stored_time(stored_value: int | None) -> Any:
    """Return the time that a column stores as an integer."""
    return _TIME_COLUMN.python_value(stored_value)
