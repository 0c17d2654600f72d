"""The tasks of a number told anew from the ledger, as often as more becomes known."""

import dataclasses
from collections.abc import Iterator

from peewee import fn

from appliance import audit, clock, identity, live
from appliance.db import writing
from appliance.followups.folding import MISSED, Contact, Task, fold
from appliance.models import Call, FollowUp, FollowUpMark, QueueVisit, Talk

_FACTS = tuple(field.name for field in dataclasses.fields(Task))


def follow(*numbers: str | None) -> None:
    """Tell the tasks of these numbers anew. Call it inside a write transaction.

    Told twice, or in another order, the tasks are the same. Hidden numbers have none.
    """
    for number in {n for n in numbers if n and identity.phone(n) == n}:
        _follow(number)


def rebuild() -> int:
    """Tell the tasks of every number anew; returns how many numbers there are."""
    missed = Call.select(fn.COALESCE(Call.callee, Call.caller)).where(
        Call.direction == "inbound", Call.outcome.in_(MISSED)
    )
    numbers = {number for (number,) in missed.tuples() if number}
    numbers |= {row.number for row in FollowUp.select(FollowUp.number).distinct()}
    for number in sorted(numbers):
        with writing():
            follow(number)
    return len(numbers)


def mark(task: FollowUp, outcome: str, by: str = "", note: str = "") -> bool:
    """Write a task off: "done" by a person, "given_up" by the machine; False when it is closed."""
    with writing():
        if FollowUp.get_by_id(task.id).closed_at:
            return False
        FollowUpMark.create(
            number=task.number, at=clock.now(), outcome=outcome, by=by, note=" ".join(note.split())
        )
        audit.record(by or "pbx", f"follow_up.{outcome}", str(task.id), number=task.number)
        follow(task.number)
    return True


def _follow(number: str) -> None:
    known = {row.opened_at: row for row in FollowUp.select().where(FollowUp.number == number)}
    told = {task.opened_at: task for task in fold(number, _contacts(number))}
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


def _contacts(number: str) -> Iterator[Contact]:
    theirs = (Call.direction == "inbound") & (Call.caller == number)
    rows = Call.select().where(theirs | (Call.callee == number), ~Call.synthetic)
    for call in rows:
        if contact := _contact(call, number):
            yield contact
    for row in FollowUpMark.select().where(FollowUpMark.number == number):
        yield Contact(row.at, row.outcome, by=row.by, note=row.note)


def _contact(call: Call, number: str) -> Contact | None:
    spoke_at = Talk.select(fn.MIN(Talk.started_at)).where(Talk.call == call.id).scalar()
    if spoke_at:
        spoke = "called_again" if call.direction == "inbound" else "spoken"
        return Contact(spoke_at, spoke, call.id)
    if not call.ended_at:
        return None
    if call.direction == "outbound":
        return Contact(call.ended_at, "tried", call.id)
    asked = call.outcome == "callback"
    if call.outcome not in MISSED or (asked and number != (call.callee or call.caller)):
        return None
    joined_at = QueueVisit.select(fn.MIN(QueueVisit.joined_at)).where(QueueVisit.call == call.id)
    joined = joined_at.scalar()
    return Contact(
        at=call.arrived_at,
        what="callback" if asked else "queue" if joined else "menu",
        call_id=call.id,
        until=call.ended_at,
        joined_at=joined,
        language=call.language,
        topic=call.topic,
    )
