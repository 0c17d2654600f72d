"""The terms of change requests, in working days; pure. Source: terms of reference, A10.

Interface, routing and statistics are changed within 7 working days of the written request, all
else within 1. The day of writing does not count; the term ends at the close of its last working
day.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.casework.appeals.deadlines import next_working_day
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import N_

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Kind:
    """A kind of change; `days` is its term in working days."""

    code: str
    name: str  # a message id
    days: int


ALL = (
    Kind("interface", N_("Interface"), 7),
    Kind("routing", N_("Call routing"), 7),
    Kind("statistics", N_("Reports and statistics"), 7),
    Kind("other", N_("Another change"), 1),
)
KINDS = {kind.code: kind for kind in ALL}


def due(asked_at: dt.datetime, days: int, calendar: WorkingCalendar) -> dt.datetime:
    """The end of a term of so many working days that runs from a moment."""
    day = asked_at.astimezone(calendar.tz).date()
    for _number in range(days):
        day = next_working_day(day, calendar)
    return _moment(day, calendar.closes, calendar)


def remind_at(due_at: dt.datetime, days: int, calendar: WorkingCalendar) -> dt.datetime:
    """When it is told that a term ends: the morning of the working day before its last one.

    Of a term of a single day, the morning of that day.
    """
    day = due_at.astimezone(calendar.tz).date()
    if days > 1:
        day -= _DAY
        while not calendar.works_on(day):
            day -= _DAY
    return _moment(day, calendar.opens, calendar)


def _moment(day: dt.date, time: dt.time, calendar: WorkingCalendar) -> dt.datetime:
    return dt.datetime.combine(day, time, calendar.tz).astimezone(dt.UTC)
