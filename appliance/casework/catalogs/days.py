"""The days on which the ministry's calendar differs from a Monday-Friday week; their maintenance.

A past day never changes: deadlines and reports depend on it.
"""

import datetime as dt
import io
from typing import TextIO

from appliance.casework.catalogs import proposals
from appliance.casework.catalogs.columns import SCRIPT_BY_COLUMN, SHEETS
from appliance.casework.catalogs.sheets import SheetError, import_list_csv, read_rows
from appliance.casework.catalogs.upkeep import check_names
from appliance.core import audit
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.i18n import normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.core.statements import PreparedQuery
from appliance.models import CalendarDay

DAY_KINDS = (  # only the last is a working day; observed: a day off for a holiday on a weekend
    *("holiday", "holiday_estimated", "observed", "observed_estimated"),
    *("swapped_day_off", "decree_day_off", "working_weekend"),
)
CONFIRMED_KIND_BY_ESTIMATED = {"holiday_estimated": "holiday", "observed_estimated": "observed"}
_EXCEPTIONS = PreparedQuery(lambda: CalendarDay.select(CalendarDay.date, CalendarDay.working))
# the kinds that a user can enter; observed days are only added with a proposed year
ENTERABLE_KINDS = (
    "holiday",
    "holiday_estimated",
    "swapped_day_off",
    "decree_day_off",
    "working_weekend",
)


def working_calendar(settings: Settings) -> WorkingCalendar:
    """Return the site's working hours, with every day on the list as an exception."""
    return WorkingCalendar(
        tz=settings.tz,
        opens=dt.time.fromisoformat(settings.work_opens),
        closes=dt.time.fromisoformat(settings.work_closes),
        exceptions={
            dt.date.fromisoformat(day): bool(working) for day, working in _EXCEPTIONS.fetch_tuples()
        },
    )


def calendar_end() -> dt.date | None:
    """Return the last day, always 31 December, of the years that the list covers, if any.

    A year is covered if a day of its second half is on the list: a single New Year's day that was
    entered in advance is not yet the calendar of a year.
    """
    days = CalendarDay.select(CalendarDay.date).order_by(CalendarDay.date.desc())
    last_day = next((day.date for day in days if day.date.month > 6), None)
    return last_day and dt.date(last_day.year, 12, 31)


def listed_years() -> list[int]:
    """Return the years with days on the list, and the one after the last year that it covers.

    They are in order. The days of the latter year can be proposed; it is left out if the list
    covers no year.
    """
    years = {day.date.year for day in CalendarDay.select(CalendarDay.date)}
    end = calendar_end()
    return sorted(years | ({end.year + 1} if end else set()))


def list_days(year: int | None = None) -> list[CalendarDay]:
    """Return the days of a year on the list, by default of all years, in order."""
    query = CalendarDay.select().order_by(CalendarDay.date)
    if year is not None:
        query = query.where(CalendarDay.date.between(dt.date(year, 1, 1), dt.date(year, 12, 31)))
    return list(query)


def find_day(date: dt.date) -> CalendarDay | None:
    """Return a date's entry, if any; without one, the weekday decides whether it is a day off."""
    day: CalendarDay | None = CalendarDay.get_or_none(CalendarDay.date == date)
    return day


def set_day(
    date: dt.date | None, kind: str, names: dict[str, str], today: dt.date, actor: str
) -> CalendarDay:
    """Add a future day to the list, or replace its entry; returns the entry.

    `kind` is one of DAY_KINDS, `names` has a name for each column of SCRIPT_BY_COLUMN, `actor` is
    recorded in the audit. Raises Refused "date" if there is no date, "past" if it is not in the
    future, "kind" for an unknown kind, a working weekend on a weekday or an extra day off at a
    weekend, and the codes of check_names().
    """
    if not date:
        raise Refused("date")
    _require_future(date, today)
    is_working = kind == "working_weekend"
    is_weekend = date.weekday() > 4
    if (
        kind not in DAY_KINDS
        or is_weekend != is_working
        and (is_working or kind.endswith("day_off"))
    ):
        raise Refused("kind")
    names = {name: normalize_apostrophes(names[name]) for name in SCRIPT_BY_COLUMN}
    check_names(names)
    with write_transaction():
        day = CalendarDay(date=date, kind=kind, working=is_working, **names)
        CalendarDay.replace(day.__data__).execute()
        audit.record_entry(actor, "calendar.set", date.isoformat(), kind=kind, **names)
    return day


def remove_day(date: dt.date, today: dt.date, actor: str) -> None:
    """Remove a future day from the list; nothing happens if it is not on the list.

    Raises Refused "past" for today or an earlier day.
    """
    _require_future(date, today)
    with write_transaction():
        if CalendarDay.delete().where(CalendarDay.date == date).execute():
            audit.record_entry(actor, "calendar.remove", date.isoformat())


def confirm_estimated_day(date: dt.date, today: dt.date, actor: str) -> None:
    """Confirm that an estimated future day, e.g. of Eid, falls on its date.

    Its names lose the mark of an estimate. A day that is not estimated stays unchanged. Raises
    Refused "past" for today or an earlier day.
    """
    _require_future(date, today)
    with write_transaction():
        day = CalendarDay.get_or_none(CalendarDay.date == date)
        if day and day.kind in CONFIRMED_KIND_BY_ESTIMATED:
            names = proposals.names_without_estimate(
                tuple(getattr(day, name) for name in SCRIPT_BY_COLUMN)
            )
            columns = {
                "kind": CONFIRMED_KIND_BY_ESTIMATED[day.kind],
                **dict(zip(SCRIPT_BY_COLUMN, names, strict=True)),
            }
            CalendarDay.update(columns).where(CalendarDay.date == date).execute()
            audit.record_entry(actor, "calendar.settle", date.isoformat())


def add_proposed_year(year: int, today: dt.date, actor: str) -> int:
    """Add the future ones of a year's proposed days to the list; returns the number added.

    Existing entries stay. Raises Refused "known" if the list covers the year already, "past" if no
    proposed day of it is in the future.
    """
    with write_transaction():
        end = calendar_end()
        if end and year <= end.year:
            raise Refused("known")
        proposed = [day for day in proposals.propose_days(year) if day.date > today]
        if not proposed:
            raise Refused("past")
        rows = [day.__data__ for day in proposed]
        added = CalendarDay.insert_many(rows).on_conflict_ignore().as_rowcount().execute()
        audit.record_entry(actor, "calendar.year", str(year), days=added)
    return int(added)


def import_days(file: TextIO, today: dt.date, actor: str) -> int:
    """Import a CSV file of days; returns the number of days in it.

    `actor` is recorded in the audit. Raises SheetError for the first wrong line, and for today or a
    past day if it would be added or changed; nothing is imported then.
    """
    text = file.read()
    sheet = SHEETS["calendar"]
    existing = {day.date: day for day in CalendarDay.select()}
    for row in read_rows(sheet, io.StringIO(text, newline="")):
        current = existing.get(row["date"])
        is_unchanged = current and all(
            getattr(current, name) == value for name, value in row.items()
        )
        if row["date"] <= today and not is_unchanged:
            raise SheetError(f"{row['date']} is past and never changes", "past")
    with write_transaction():
        count = import_list_csv("calendar", io.StringIO(text, newline=""))
        audit.record_entry(actor, "calendar.import", "", days=count)
    return count


def _require_future(date: dt.date, today: dt.date) -> None:
    """Raise Refused "past" for today or an earlier day."""
    if date <= today:
        raise Refused("past", subject=date.isoformat())
