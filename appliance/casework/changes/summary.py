"""The change requests of a period by kind: how many were done in time and late (A10)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.changes import requests, terms
from appliance.core import clock
from appliance.models import ChangeRequest

FIGURES = ("carried", "asked", "in_time", "late", "open", "overdue")


@dataclass(frozen=True)
class SummaryRow:
    """The number of requests of one kind (a code of terms.CHANGE_KINDS) that concern a period.

    carried + asked = in_time + late + open + overdue.
    """

    kind: str
    carried: int = 0  # written before the period, not done when it began
    asked: int = 0  # written in the period
    in_time: int = 0  # done by the period's end, within the term
    late: int = 0  # done by the period's end, after the term
    open: int = 0  # not done at the period's end, the term still running
    overdue: int = 0  # not done at the period's end, the term over

    @property
    def figures(self) -> tuple[int, ...]:
        """The counts in the order of FIGURES."""
        return tuple(getattr(self, name) for name in FIGURES)


def summary_rows(begin: dt.datetime, end: dt.datetime) -> tuple[SummaryRow, ...]:
    """Return a row for each kind of change, with the counts at the end of a period.

    The period is from `begin` to `end`, which is not included. If it is not over, the counts are
    those of now.
    """
    until = min(end, clock.now())
    requests_asked = list(ChangeRequest.select().where(ChangeRequest.asked_at < until))
    completed = requests.completion_times(requests_asked, until)
    figures_by_kind = {code: dict.fromkeys(FIGURES, 0) for code in terms.KINDS_BY_CODE}
    for request in requests_asked:
        done_at = completed.get(request.id)
        if request.asked_at < begin and done_at and done_at < begin:
            continue  # done before the period: it does not concern it
        row = figures_by_kind[request.kind]
        row["carried" if request.asked_at < begin else "asked"] += 1
        if done_at:
            row["in_time" if done_at <= request.due_at else "late"] += 1
        else:
            row["open" if until <= request.due_at else "overdue"] += 1
    return tuple(SummaryRow(code, **figures) for code, figures in figures_by_kind.items())


def total_figures(rows: Iterable[SummaryRow]) -> tuple[int, ...]:
    """Return the sums over all kinds in the order of FIGURES."""
    return tuple(map(sum, zip(*(row.figures for row in rows), strict=True)))
