"""The change requests of a period by kind: how many terms were kept and broken (A10)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.casework.changes import requests, terms
from appliance.core import clock
from appliance.models import ChangeRequest

FIGURES = ("carried", "asked", "in_time", "late", "open", "overdue")


@dataclass(frozen=True)
class Row:
    """The requests of one kind; carried + asked = in_time + late + open + overdue."""

    kind: str
    carried: int = 0  # written before the period, and not done when it began
    asked: int = 0  # written in it
    in_time: int = 0  # done by its end, within the term
    late: int = 0  # done by its end, after the term
    open: int = 0  # not done at its end, the term running
    overdue: int = 0  # not done at its end, the term over

    @property
    def figures(self) -> tuple[int, ...]:
        """Its counts in the order of FIGURES."""
        return tuple(getattr(self, name) for name in FIGURES)


def rows(begin: dt.datetime, end: dt.datetime) -> tuple[Row, ...]:
    """A row for each kind, as all stood at the end of the period, or stands now if it runs yet."""
    until = min(end, clock.now())
    written = list(ChangeRequest.select().where(ChangeRequest.asked_at < until))
    done = requests.finished(written, until)
    counted = {code: dict.fromkeys(FIGURES, 0) for code in terms.KINDS}
    for request in written:
        done_at = done.get(request.id)
        if request.asked_at < begin and done_at and done_at < begin:
            continue
        row = counted[request.kind]
        row["carried" if request.asked_at < begin else "asked"] += 1
        if done_at:
            row["in_time" if done_at <= request.due_at else "late"] += 1
        else:
            row["open" if until <= request.due_at else "overdue"] += 1
    return tuple(Row(code, **figures) for code, figures in counted.items())


def total(found: Iterable[Row]) -> tuple[int, ...]:
    """The sums of the kinds in the order of FIGURES."""
    return tuple(map(sum, zip(*(row.figures for row in found), strict=True)))
