"""Deadlines of law OʻRQ-445, in calendar days as it counts them; pure.

Article 23: an appeal is registered on the day it is received; received after working hours, on
the next working day. Article 25: forwarded within 5 days. Article 28: 15 days for an application
or a complaint, up to a month when it must be studied; a month for a proposal; a month more by way
of exception. Article 31: an answer is explained within 10 days.
"""

import calendar as months
import datetime as dt

from appliance.core.clock import WorkingCalendar

BASIC = dt.timedelta(days=15)
FORWARD = dt.timedelta(days=5)
EXPLAIN = dt.timedelta(days=10)
TERMS = ("basic", "month", "extended", "explain")


def registered_on(received: dt.datetime, calendar: WorkingCalendar) -> dt.date:
    """The day on which an appeal received at a moment counts as registered."""
    local = received.astimezone(calendar.tz)
    day = local.date()
    if calendar.works_on(day) and local.time() < calendar.closes:
        return day
    return next_working_day(day, calendar)


def next_working_day(day: dt.date, calendar: WorkingCalendar) -> dt.date:
    """The first working day after a day."""
    while True:
        day += dt.timedelta(days=1)
        if calendar.works_on(day):
            return day


def first_term(appeal_type: str) -> str:
    """The term that an appeal begins with; an unknown kind is owed the shorter one."""
    return "month" if appeal_type == "proposal" else "basic"


def longer(term: str) -> str | None:
    """The term that an extension leads to, or None when the law knows no longer one."""
    return {"basic": "month", "month": "extended"}.get(term)


def due(counts_from: dt.date, term: str) -> dt.date:
    """The last day of a term that runs from a day; a day off moves it neither way."""
    match term:
        case "basic":
            return counts_from + BASIC
        case "month":
            return add_months(counts_from, 1)
        case "extended":
            return add_months(counts_from, 2)
        case "explain":
            return counts_from + EXPLAIN
    raise ValueError(f"no such term: {term}; one of {', '.join(TERMS)}")


def forward_by(registered: dt.date) -> dt.date:
    """The last day for forwarding an appeal to the body it belongs to."""
    return registered + FORWARD


def add_months(day: dt.date, count: int) -> dt.date:
    """The same day some months later, or the month's last one: 31.01 and one month are 28.02."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    last = months.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def working_days(today: dt.date, due_on: dt.date, calendar: WorkingCalendar) -> int:
    """The working days that remain after today, the last day included; 0 when none does."""
    days = (due_on - today).days
    return sum(calendar.works_on(today + dt.timedelta(days=n)) for n in range(1, days + 1))
