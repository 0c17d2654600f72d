"""From what happened with one number to its tasks. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

KINDS = ("callback", "queue", "menu")  # the first says the most
CLOSES = ("spoken", "called_again", "done", "given_up")


@dataclass(frozen=True)
class Contact:
    """One thing that happened with a number.

    `what`: a kind of KINDS for a call of his that was missed, "tried" for a call of ours that
    reached nobody, or an outcome of CLOSES.
    """

    at: dt.datetime
    what: str
    call_id: str = ""
    until: dt.datetime | None = None  # end of a missed call
    joined_at: dt.datetime | None = None  # when it joined a queue
    language: str | None = None
    topic: str | None = None
    by: str = ""
    note: str = ""


@dataclass
class Task:
    """A stretch in which a number waited to be spoken to; fields as those of the table FollowUp."""

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


def fold(number: str, contacts: Iterable[Contact]) -> list[Task]:
    """The tasks of a number, oldest first; only the last can be open."""
    tasks: list[Task] = []
    for contact in sorted(contacts, key=lambda c: (c.at, c.what in CLOSES, c.call_id)):
        task = tasks[-1] if tasks and tasks[-1].closed_at is None else None
        if contact.what in KINDS:
            if task:
                _missed_again(task, contact)
            else:
                tasks.append(_opened(number, contact))
        elif task and contact.what == "tried":
            task.attempts += 1
            task.tried_at = contact.at
        elif task:
            task.closed_at, task.outcome = contact.at, contact.what
            task.closed_by, task.note = contact.by, contact.note
    return tasks


def _opened(number: str, contact: Contact) -> Task:
    return Task(
        number=number,
        opened_at=contact.at,
        kind=contact.what,
        call_id=contact.call_id,
        calls=1,
        missed_at=contact.until or contact.at,
        joined_at=contact.joined_at or contact.at,
        language=contact.language,
        topic=contact.topic,
    )


def _missed_again(task: Task, contact: Contact) -> None:
    """He called again and was missed again: he keeps his place in line."""
    task.calls += 1
    task.kind = min(task.kind, contact.what, key=KINDS.index)
    task.missed_at = max(task.missed_at, contact.until or contact.at)
    task.language = contact.language or task.language
    task.topic = contact.topic or task.topic
