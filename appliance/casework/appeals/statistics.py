"""How many appeals were received, their states, and how many were answered in time (article 35)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from peewee import Case, Field, fn

from appliance.casework.appeals import states
from appliance.models import Appeal, Handling


@dataclass(frozen=True)
class Counts:
    """Counts of some appeals: `late` were answered after the term, `overdue` are still open."""

    total: int = 0
    open: int = 0  # including the overdue ones
    overdue: int = 0
    answered: int = 0  # in time or late
    late: int = 0
    dismissed: int = 0  # closed without an answer

    @property
    def in_time(self) -> int:
        """The number answered within the term."""
        return self.answered - self.late


@dataclass(frozen=True)
class Statistics:
    """The counts of a period: of all appeals, by state, and by each value of GROUPINGS.

    `states` holds the number of appeals by the code of the state. `by_grouping` holds, for each
    name in GROUPINGS, the counts by value: a code or an id.
    """

    overall: Counts
    states: dict[str, int]
    by_grouping: dict[str, dict[Any, Counts]]


GROUPINGS: dict[str, Field] = {
    "region": Appeal.region,
    "direction": Appeal.direction,
    "department": Handling.department,
    "appeal_type": Appeal.appeal_type,
}


def appeal_statistics(
    first: dt.date, last: dt.date, today: dt.date, department_id: int | None
) -> Statistics:
    """Count the appeals registered from `first` to `last`, both included.

    If `department_id`, the department of the user who asks, is given, only its appeals are counted.
    `today` decides which are overdue. Appeals without a value of a grouping are under the key None
    or "".
    """
    conditions = [Handling.registered_on >= first, Handling.registered_on <= last]
    if department_id:
        conditions.append(Handling.department == department_id)
    base = Handling.select().join(Appeal).where(*conditions)
    rows = base.select(Handling.state, fn.COUNT(Handling.appeal)).group_by(Handling.state).tuples()
    figures = _count_columns(today)
    return Statistics(
        overall=Counts(*(count or 0 for count in base.select(*figures).tuples().first())),
        states=dict.fromkeys(states.WORKFLOW.state_codes, 0) | dict(rows),
        by_grouping={
            name: {
                row[0]: Counts(*row[1:])
                for row in base.select(column, *figures).group_by(column).tuples()
            }
            for name, column in GROUPINGS.items()
        },
    )


def _count_columns(today: dt.date) -> list[Any]:
    """Return the SQL expressions of the counts, in the order of the fields of Counts."""
    is_answered = Handling.answered_on.is_null(False)
    is_closed = ~Handling.is_open
    return [
        fn.COUNT(Handling.appeal),
        *(
            fn.SUM(Case(None, ((condition, 1),), 0))
            for condition in (
                Handling.is_open,
                Handling.is_open & (Handling.due_on < today),
                is_answered,
                is_answered & (Handling.answered_on > Handling.due_on),
                is_closed & ~is_answered,
            )
        ),
    ]
