"""The tasks of one number, computed from the contacts with it. Pure functions.

A task is opened by a missed call from the number. It is closed when somebody speaks with the
caller, marks it as done or gives up.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

MISSED_KINDS = ("callback", "queue", "menu")  # the most informative one first
CLOSING_OUTCOMES = ("spoken", "called_again", "done", "given_up")


@dataclass(frozen=True)
class Contact:
    """One contact with a number.

    `event`: one of MISSED_KINDS for a missed call from the number, "tried" for an outgoing call
    that reached nobody, or one of CLOSING_OUTCOMES.
    """

    at: dt.datetime
    event: str
    call_id: str = ""
    until: dt.datetime | None = None  # end of a missed call
    joined_at: dt.datetime | None = None  # when it joined a queue
    language: str | None = None
    topic: str | None = None
    by: str = ""
    note: str = ""


@dataclass
class Task:
    """A period in which a missed caller waited for a talk; the fields are those of FollowUp."""

    number: str
    opened_at: dt.datetime
    kind: str
    call_id: str
    calls: int
    missed_at: dt.datetime
    joined_at: dt.datetime
    language: str | None = None
    topic: str | None = None
    attempts: int = 0
    tried_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    outcome: str | None = None
    closed_by: str = ""
    note: str = ""


def fold_contacts(number: str, contacts: Iterable[Contact]) -> list[Task]:
    """The tasks of a number, oldest first; only the last one can be open."""
    tasks: list[Task] = []
    for contact in sorted(contacts, key=lambda c: (c.at, c.event in CLOSING_OUTCOMES, c.call_id)):
        task = tasks[-1] if tasks and tasks[-1].closed_at is None else None
        if contact.event in MISSED_KINDS:
            if task:
                _record_missed_again(task, contact)
            else:
                tasks.append(_new_task(number, contact))
        elif task and contact.event == "tried":
            task.attempts += 1
            task.tried_at = contact.at
        elif task:
            task.closed_at, task.outcome = contact.at, contact.event
            task.closed_by, task.note = contact.by, contact.note
    return tasks


def _new_task(number: str, contact: Contact) -> Task:
    return Task(
        number=number,
        opened_at=contact.at,
        kind=contact.event,
        call_id=contact.call_id,
        calls=1,
        missed_at=contact.until or contact.at,
        joined_at=contact.joined_at or contact.at,
        language=contact.language,
        topic=contact.topic,
    )


def _record_missed_again(task: Task, contact: Contact) -> None:
    """Add another missed call to an open task; the caller keeps their place in line."""
    task.calls += 1
    task.kind = min(task.kind, contact.event, key=MISSED_KINDS.index)
    task.missed_at = max(task.missed_at, contact.until or contact.at)
    task.language = contact.language or task.language
    task.topic = contact.topic or task.topic
