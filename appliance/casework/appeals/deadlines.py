"""Deadlines of law OʻRQ-445, in calendar days as the law counts them; no database is used.

Article 23: an appeal is registered on the day it is received; if received after working hours, on
the next working day. Article 25: forwarded within 5 days. Article 28: 15 days for an application or
a complaint, up to a month if it needs study; a month for a proposal; exceptionally a month more.
Article 31: an answer is explained within 10 days.
"""

import calendar as months
import datetime as dt

from appliance.core.clock import WorkingCalendar

BASIC_TERM = dt.timedelta(days=15)
FORWARDING_TERM = dt.timedelta(days=5)
EXPLANATION_TERM = dt.timedelta(days=10)
# the codes of the terms: 15 days, a month, two months; 10 days for the explanation of an answer
TERMS = ("basic", "month", "extended", "explain")


def registration_day(received: dt.datetime, calendar: WorkingCalendar) -> dt.date:
    """Return the day on which an appeal received at `received` counts as registered."""
    local = received.astimezone(calendar.tz)
    day = local.date()
    if calendar.is_working_day(day) and local.time() < calendar.closes:
        return day
    return next_working_day(day, calendar)


def next_working_day(day: dt.date, calendar: WorkingCalendar) -> dt.date:
    """Return the first working day after `day`."""
    while True:
        day += dt.timedelta(days=1)
        if calendar.is_working_day(day):
            return day


def initial_term(appeal_type: str) -> str:
    """Return the code of the initial term of an appeal type, "basic" for an unknown type."""
    return "month" if appeal_type == "proposal" else "basic"


def extended_term(term: str) -> str | None:
    """Return the term after one extension of `term`: "month" for "basic", "extended" for "month".

    Both are codes in TERMS. Return None if the law allows no extension of the term.
    """
    return {"basic": "month", "month": "extended"}.get(term)


def term_end(counts_from: dt.date, term: str) -> dt.date:
    """Return the last day of a term (one of TERMS) from `counts_from`; days off do not move it.

    Raises ValueError for another term.
    """
    match term:
        case "basic":
            return counts_from + BASIC_TERM
        case "month":
            return add_months(counts_from, 1)
        case "extended":
            return add_months(counts_from, 2)
        case "explain":
            return counts_from + EXPLANATION_TERM
    raise ValueError(f"no such term: {term}; one of {', '.join(TERMS)}")


def forwarding_deadline(registered: dt.date) -> dt.date:
    """Return the last day for forwarding an appeal, registered on this day, to another body."""
    return registered + FORWARDING_TERM


def add_months(day: dt.date, count: int) -> dt.date:
    """Return the same day `count` months later, or that month's last day: 31.01 + 1 is 28.02."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    last = months.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def working_days_left(today: dt.date, due_on: dt.date, calendar: WorkingCalendar) -> int:
    """Return the number of working days after today up to and including `due_on`; 0 later."""
    days = (due_on - today).days
    return sum(
        calendar.is_working_day(today + dt.timedelta(days=offset)) for offset in range(1, days + 1)
    )
