"""How many appeals came, where they stand, and how many were answered in time (article 35)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from peewee import Case, Field, fn

from appliance.casework.appeals import states
from appliance.models import Appeal, Handling


@dataclass(frozen=True)
class Counts:
    """Appeals of one kind: `late` were answered after the term, `overdue` wait beyond it."""

    total: int = 0
    open: int = 0
    overdue: int = 0
    answered: int = 0
    late: int = 0
    dismissed: int = 0  # closed without an answer

    @property
    def in_time(self) -> int:
        """Answered within the term."""
        return self.answered - self.late


@dataclass(frozen=True)
class Statistics:
    """The counts of a stretch: of everything, and by what `by` names; keys as in the tables."""

    whole: Counts
    states: dict[str, int]
    by: dict[str, dict[Any, Counts]]


BY: dict[str, Field] = {
    "region": Appeal.region,
    "direction": Appeal.direction,
    "department": Handling.department,
    "appeal_type": Appeal.appeal_type,
}


def statistics(first: dt.date, last: dt.date, today: dt.date, within: int | None) -> Statistics:
    """Count the appeals registered from `first` to `last`, both included.

    `within` is the department that whoever asks belongs to; a place or direction that nobody told
    has the key None or "".
    """
    stretch = [Handling.registered_on >= first, Handling.registered_on <= last]
    if within:
        stretch.append(Handling.department == within)
    base = Handling.select().join(Appeal).where(*stretch)
    rows = base.select(Handling.state, fn.COUNT(Handling.appeal)).group_by(Handling.state).tuples()
    figures = _figures(today)
    return Statistics(
        whole=Counts(*(n or 0 for n in base.select(*figures).tuples().first())),
        states=dict.fromkeys(states.STATES, 0) | dict(rows),
        by={
            name: {
                row[0]: Counts(*row[1:])
                for row in base.select(column, *figures).group_by(column).tuples()
            }
            for name, column in BY.items()
        },
    )


def _figures(today: dt.date) -> list[Any]:
    answered = Handling.answered_on.is_null(False)
    closed = ~Handling.is_open
    return [
        fn.COUNT(Handling.appeal),
        *(
            fn.SUM(Case(None, ((condition, 1),), 0))
            for condition in (
                Handling.is_open,
                Handling.is_open & (Handling.due_on < today),
                answered,
                answered & (Handling.answered_on > Handling.due_on),
                closed & ~answered,
            )
        ),
    ]
