"""The days on which the ministry's calendar differs from Mon-Fri, and their upkeep.

A day that is past never changes: deadlines and reports stand on it.
"""

import datetime as dt
import io
from typing import TextIO

from appliance.casework.catalogs import proposals
from appliance.casework.catalogs.columns import SCRIPTS, SHEETS
from appliance.casework.catalogs.sheets import SheetError, import_csv, read
from appliance.casework.catalogs.upkeep import ListError, check_names
from appliance.core import audit
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.core.i18n import spelt
from appliance.core.settings import Settings
from appliance.core.statements import Question
from appliance.models import CalendarDay

KINDS = (  # of days; the last is worked
    *("holiday", "holiday_estimated", "observed", "observed_estimated"),
    *("swapped_day_off", "decree_day_off", "working_weekend"),
)
ESTIMATED = {"holiday_estimated": "holiday", "observed_estimated": "observed"}
_EXCEPTIONS = Question(lambda: CalendarDay.select(CalendarDay.date, CalendarDay.working))
TYPED = ("holiday", "holiday_estimated", "swapped_day_off", "decree_day_off", "working_weekend")


def working_calendar(settings: Settings) -> WorkingCalendar:
    """The site's working hours with every holiday and swapped day on the list."""
    return WorkingCalendar(
        tz=settings.tz,
        opens=dt.time.fromisoformat(settings.work_opens),
        closes=dt.time.fromisoformat(settings.work_closes),
        exceptions={
            dt.date.fromisoformat(day): bool(working) for day, working in _EXCEPTIONS.ask()
        },
    )


def calendar_ends() -> dt.date | None:
    """The last day that the list of holidays knows of; None when it is empty.

    A year counts when it has a day in its second half: a New Year that was entered ahead is no
    calendar yet.
    """
    days = CalendarDay.select(CalendarDay.date).order_by(CalendarDay.date.desc())
    last = next((day.date for day in days if day.date.month > 6), None)
    return last and dt.date(last.year, 12, 31)


def years() -> list[int]:
    """The years that the list has, and the one to be proposed next, in order."""
    found = {day.date.year for day in CalendarDay.select(CalendarDay.date)}
    ends = calendar_ends()
    return sorted(found | ({ends.year + 1} if ends else set()))


def days(year: int | None = None) -> list[CalendarDay]:
    """The days on the list, of one year or all, in order."""
    query = CalendarDay.select().order_by(CalendarDay.date)
    if year is not None:
        query = query.where(CalendarDay.date.between(dt.date(year, 1, 1), dt.date(year, 12, 31)))
    return list(query)


def day(date: dt.date) -> CalendarDay | None:
    """What is known of a date; None when it is as its weekday."""
    return CalendarDay.get_or_none(CalendarDay.date == date)


def set_day(
    date: dt.date | None, kind: str, names: dict[str, str], today: dt.date, by: str
) -> CalendarDay:
    """Put a day to come on the list, or say otherwise what it is.

    Raises ListError "date", "past", "kind" (a worked weekend on a weekday, a day off that is off
    anyway), "names" or the name in the wrong script.
    """
    if not date:
        raise ListError("date")
    _to_come(date, today)
    worked = kind == "working_weekend"
    weekend = date.weekday() > 4
    if kind not in KINDS or weekend != worked and (worked or kind.endswith("day_off")):
        raise ListError("kind")
    names = {name: spelt(names[name]) for name in SCRIPTS}
    check_names(names)
    with writing():
        day = CalendarDay(date=date, kind=kind, working=worked, **names)
        CalendarDay.replace(day.__data__).execute()
        audit.record(by, "calendar.set", date.isoformat(), kind=kind, **names)
    return day


def remove_day(date: dt.date, today: dt.date, by: str) -> None:
    """Take a day to come off the list. Raises ListError "past"."""
    _to_come(date, today)
    with writing():
        if CalendarDay.delete().where(CalendarDay.date == date).execute():
            audit.record(by, "calendar.remove", date.isoformat())


def settle_day(date: dt.date, today: dt.date, by: str) -> None:
    """An estimated day to come is as it stands. Raises ListError "past"."""
    _to_come(date, today)
    with writing():
        day = CalendarDay.get_or_none(CalendarDay.date == date)
        if day and day.kind in ESTIMATED:
            names = proposals.settled(tuple(getattr(day, name) for name in SCRIPTS))
            columns = {"kind": ESTIMATED[day.kind], **dict(zip(SCRIPTS, names, strict=True))}
            CalendarDay.update(columns).where(CalendarDay.date == date).execute()
            audit.record(by, "calendar.settle", date.isoformat())


def confirm_year(year: int, today: dt.date, by: str) -> int:
    """Put the proposed days of a year on the list; those that it has stay. Returns how many.

    Raises ListError "known" for a year that the list holds already, "past" for one that is over.
    """
    with writing():
        ends = calendar_ends()
        if ends and year <= ends.year:
            raise ListError("known")
        made = [day for day in proposals.propose(year) if day.date > today]
        if not made:
            raise ListError("past")
        rows = [day.__data__ for day in made]
        added = CalendarDay.insert_many(rows).on_conflict_ignore().as_rowcount().execute()
        audit.record(by, "calendar.year", str(year), days=added)
    return int(added)


def import_days(file: TextIO, today: dt.date, by: str) -> int:
    """Take in a CSV file of days; returns how many. Raises SheetError, also for a day that is past
    and would change."""
    text = file.read()
    sheet = SHEETS["calendar"]
    known = {day.date: day for day in CalendarDay.select()}
    for row in read(sheet, io.StringIO(text, newline="")):
        before = known.get(row["date"])
        same = before and all(getattr(before, name) == value for name, value in row.items())
        if row["date"] <= today and not same:
            raise SheetError(f"{row['date']} is past and never changes", "past")
    with writing():
        count = import_csv("calendar", io.StringIO(text, newline=""))
        audit.record(by, "calendar.import", "", days=count)
    return count


def _to_come(date: dt.date, today: dt.date) -> None:
    if date <= today:
        raise ListError("past", date.isoformat())
