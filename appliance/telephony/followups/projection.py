"""The tasks of a number told anew from the ledger, as often as more becomes known."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

from peewee import fn

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import writing
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


def follow(at: dt.datetime, *numbers: str | None) -> None:
    """Tell the tasks of these numbers anew, of which something at that moment became known.

    Call it inside a write transaction. Told twice, or in another order, the tasks are the same.
    Hidden numbers have none.
    """
    for number in sorted({n for n in numbers if n and phone_numbers.canonical(n) == n}):
        _follow(number, at)


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


def _follow(number: str, at: dt.datetime) -> None:
    """What was before the moment stays as it was told: only a task open then begins earlier."""
    of_number = FollowUp.select().where(FollowUp.number == number)
    still_open = FollowUp.closed_at.is_null() | (FollowUp.closed_at >= at)
    first = of_number.where(FollowUp.opened_at <= at, still_open).order_by(FollowUp.opened_at)
    since = min([at, *(task.opened_at for task in first.limit(1))])
    known = {row.opened_at: row for row in of_number.where(FollowUp.opened_at >= since)}
    contacts = (contact for contact in _contacts(number, since) if contact.at >= since)
    told = {task.opened_at: task for task in fold(number, contacts)}
    changed = False
    for opened_at, task in told.items():
        facts = dataclasses.asdict(task)
        row = known.get(opened_at)
        if not row:
            FollowUp.create(**facts)
            changed = True
        elif any(getattr(row, name) != facts[name] for name in _FACTS):
            if row.attempts != task.attempts or task.closed_at:
                facts |= {"claimed_until": None, "claimed_by": ""}  # that call is over
            FollowUp.update(**facts).where(FollowUp.id == row.id).execute()
            changed = True
    if gone := [row.id for opened_at, row in known.items() if opened_at not in told]:
        FollowUp.delete().where(FollowUp.id.in_(gone)).execute()
        changed = True
    if changed:
        live.publish("followups")


def _contacts(number: str, since: dt.datetime) -> Iterator[Contact]:
    """What happened with a number since a moment; some of what was before comes along."""
    theirs = (Call.direction == "inbound") & (Call.caller == number)
    spoke_at = Talk.select(fn.MIN(Talk.started_at)).where(Talk.call == Call.id)
    joined_at = QueueVisit.select(fn.MIN(QueueVisit.joined_at)).where(QueueVisit.call == Call.id)
    rows = Call.select(*_CALL, spoke_at.alias("spoke_at"), joined_at.alias("joined_at")).where(
        theirs | (Call.callee == number), ~Call.synthetic, Call.arrived_at >= since - _LONGEST
    )
    for call in rows.namedtuples():
        if contact := _contact(call, number):
            yield contact
    for row in FollowUpMark.select().where(FollowUpMark.number == number, FollowUpMark.at >= since):
        yield Contact(row.at, row.outcome, by=row.by, note=row.note)


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
