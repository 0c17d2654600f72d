"""The terms of change requests, in working days. Source: terms of reference, A10.

Changes of the interface, routing and statistics are made within 7 working days of the written
request, all others within 1. The day of writing does not count; the term ends at closing time on
its last working day.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.casework.appeals.deadlines import next_working_day
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import N_

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change; `days` is its term in working days."""

    code: str
    name: str  # a message id
    days: int


CHANGE_KINDS = (
    ChangeKind("interface", N_("Interface"), 7),
    ChangeKind("routing", N_("Call routing"), 7),
    ChangeKind("statistics", N_("Reports and statistics"), 7),
    ChangeKind("other", N_("Another change"), 1),
)
KINDS_BY_CODE = {kind.code: kind for kind in CHANGE_KINDS}


def due_time(asked_at: dt.datetime, days: int, calendar: WorkingCalendar) -> dt.datetime:
    """Return the end of a term of `days` working days that starts at `asked_at`."""
    day = asked_at.astimezone(calendar.tz).date()
    for _number in range(days):
        day = next_working_day(day, calendar)
    return _local_to_utc(day, calendar.closes, calendar)


def reminder_time(due_at: dt.datetime, days: int, calendar: WorkingCalendar) -> dt.datetime:
    """Return when to send a reminder of a term of `days` working days that ends at `due_at`.

    That is the opening time of the working day before the last one; for a term of a single day, of
    that day.
    """
    day = due_at.astimezone(calendar.tz).date()
    if days > 1:
        day -= _DAY
        while not calendar.is_working_day(day):
            day -= _DAY
    return _local_to_utc(day, calendar.opens, calendar)


def _local_to_utc(day: dt.date, time: dt.time, calendar: WorkingCalendar) -> dt.datetime:
    """Return a day and time of the site's time zone as one time in UTC."""
    return dt.datetime.combine(day, time, calendar.tz).astimezone(dt.UTC)
