"""The ministry's working calendar: its hours, and each year's days that differ from Mon-Fri."""

import calendar as months
import datetime as dt

from babel.dates import get_day_names
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import catalogs, identity
from appliance.casework.catalogs import days, proposals
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.reports import report_texts
from appliance.web.settings import lists
from appliance.web.settings.departments import NAMES
from appliance.web.shell import refusals
from appliance.web.shell.access import can_open, may, show_tab_when
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_integer

screen = Blueprint("calendar", __name__, url_prefix="/calendar")

# By kind of a day: its name, the badge's kind, the icon.
DAY_KINDS: dict[str, tuple[LazyString, str, str]] = {
    "holiday": (_l("Holiday"), "accent", "calendar"),
    "holiday_estimated": (_l("Holiday, estimated"), "warn", "calendar-clock"),
    "observed": (_l("Day off for a holiday"), "accent", "calendar"),
    "observed_estimated": (_l("Day off, estimated"), "warn", "calendar-clock"),
    "swapped_day_off": (_l("Swapped day off"), "accent", "calendar"),
    "decree_day_off": (_l("Day off by decree"), "accent", "calendar"),
    "working_weekend": (_l("Worked weekend"), "ok", "briefcase"),
}
TROUBLES: dict[str, LazyString] = lists.TROUBLES | {
    "date": _l("Enter a future date, such as 31.12.2027."),
    "past": _l("A past day never changes: deadlines and reports are based on it."),
    "kind": _l("A worked weekend is a Saturday or Sunday; a swapped day off is a weekday."),
    "known": _l("This year is already on the list."),
}


def _is_tab_shown() -> bool:
    """Return True if the user has the tab; the others can open the page only by its address."""
    return me().role in ("manager", "supervisor", "technician")


@screen.get("")
@may("calendar.read")
@show_tab_when(_is_tab_shown)
def show_calendar() -> str:
    """Show the days of a `year` that differ from the usual week, with a form for one of them.

    If the calendar ends before that year, the days proposed for it are shown, too. The parameter
    `day` puts a listed day in the form.
    """
    listed_years, current_day, refusal = days.listed_years(), today(), refusals.latest_refusal()
    year = parse_integer(request.args.get("year", ""), 1950, 2199) or current_day.year
    if year not in listed_years:
        year = current_day.year
    ends = catalogs.calendar_end()
    proposed = bool(ends and year > ends.year)
    listed_days = days.list_days(year)
    visible_days = listed_days
    if proposed:
        listed_dates = {entry.date for entry in listed_days}
        missing_days = [
            entry for entry in proposals.propose_days(year) if entry.date not in listed_dates
        ]
        visible_days = sorted([*listed_days, *missing_days], key=lambda day: day.date)
    text = report_texts.load_texts(locale())
    return render_template(
        "calendar/page.html",
        years=listed_years,
        year=year,
        today=current_day,
        ends=ends,
        proposed=proposed,
        listed={entry.date for entry in listed_days},
        days=visible_days,
        months=[(text.months[n - 1], _month_weeks(year, n)) for n in range(1, 13)],
        differs={entry.date: entry for entry in visible_days},
        weekdays=text.weekdays,
        short=[get_day_names("short", locale=locale())[n] for n in range(7)],
        kinds=DAY_KINDS,
        typed_kinds=days.ENTERABLE_KINDS,
        estimated=days.CONFIRMED_KIND_BY_ESTIMATED,
        named=lambda row: localized_name(row, locale()),
        name_labels=NAMES,
        hours=(site().work_opens, site().work_closes),
        keeps=can_open("calendar.save_day"),
        was=refusal,
        trouble=TROUBLES.get(refusal.trouble),
        entry=refusal.values if refusal else _edited_day_values(),
    )


@screen.post("")
@may("calendar.change")
def save_day() -> Response:
    """Add a future day to the list of days that differ from the usual week, or change its kind."""
    date = identity.parse_plausible_date(request.form.get("date", ""))
    names = {column: request.form.get(column, "") for column in NAMES}
    try:
        saved_day = days.set_day(date, request.form.get("kind", ""), names, today(), me().login)
    except Refused as error:
        return refusals.redirect_back(_calendar_url(date), error.code, "day-title")
    flash(_("Saved: %(name)s", name=localized_name(saved_day, locale())))
    return redirect(_calendar_url(date))


@screen.post("/<day>/<any(remove, settle):step>")
@may("calendar.change")
def change_day(day: str, step: str) -> Response:
    """Remove a future day from the list, or confirm the date of an estimated holiday ("settle")."""
    date = identity.parse_plausible_date(day) or abort(404)
    try:
        if step == "remove":
            days.remove_day(date, today(), me().login)
        else:
            days.confirm_estimated_day(date, today(), me().login)
    except Refused as error:
        return refusals.redirect_back(_calendar_url(date), error.code)
    return redirect(_calendar_url(date))


@screen.post("/<int:number>/confirm")
@may("calendar.change")
def confirm_year(number: int) -> Response:
    """Put the proposed days of the year `number` on the list."""
    if not 1950 <= number <= 2199:
        abort(404)
    year_url = url_for(".show_calendar", year=number)
    try:
        days.add_proposed_year(number, today(), me().login)
    except Refused as error:
        return refusals.redirect_back(year_url, error.code)
    flash(_("The calendar of %(year)s was added to the list.", year=number))
    return redirect(year_url)


def _calendar_url(date: dt.date | None) -> str:
    """Return the address of the page, for the year of `date` if a date is given."""
    return url_for(".show_calendar", year=date.year) if date else url_for(".show_calendar")


def _month_weeks(year: int, month: int) -> list[list[dt.date | None]]:
    """Return the weeks of a month, from Monday on; days outside the month are None."""
    weeks = months.Calendar().monthdatescalendar(year, month)
    return [[day if day.month == month else None for day in week] for week in weeks]


def _edited_day_values() -> dict[str, str] | None:
    """Return the form values of the listed day, if any, that the parameter `day` selects."""
    date = identity.parse_plausible_date(request.args.get("day", ""))
    listed_day = days.find_day(date) if date else None
    if not listed_day:
        return None
    names = {column: getattr(listed_day, column) for column in NAMES}
    return {"date": f"{listed_day.date:%d.%m.%Y}", "kind": listed_day.kind, **names}
