"""The ministry's working calendar: its hours, and the days that differ from Mon-Fri by year."""

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
from appliance.casework.catalogs.upkeep import ListError
from appliance.core.i18n import named
from appliance.reports import words
from appliance.web.settings import lists
from appliance.web.settings.departments import NAMES
from appliance.web.shell import refusals
from appliance.web.shell.access import allowed, may, shown_when
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import whole

screen = Blueprint("calendar", __name__, url_prefix="/calendar")

# of days: the name, the badge's kind, the icon
KINDS: dict[str, tuple[LazyString, str, str]] = {
    "holiday": (_l("Holiday"), "accent", "calendar"),
    "holiday_estimated": (_l("Holiday, estimated"), "warn", "calendar-clock"),
    "observed": (_l("Day off for a holiday"), "accent", "calendar"),
    "observed_estimated": (_l("Day off, estimated"), "warn", "calendar-clock"),
    "swapped_day_off": (_l("Swapped day off"), "accent", "calendar"),
    "decree_day_off": (_l("Day off by decree"), "accent", "calendar"),
    "working_weekend": (_l("Worked weekend"), "ok", "briefcase"),
}
TROUBLES: dict[str, LazyString] = lists.TROUBLES | {
    "date": _l("Write a date to come, as 31.12.2027."),
    "past": _l("A past day never changes: deadlines and reports stand on it."),
    "kind": _l("A worked day is a Saturday or Sunday, a swapped day off is not."),
    "known": _l("The list has this year already."),
}


def _is_kept() -> bool:
    """Whether the tab is shown: others open the page by its address."""
    return me().role in ("manager", "supervisor", "technician")


@screen.get("")
@may("calendar.read")
@shown_when(_is_kept)
def page() -> str:
    """The days of a year (`year`); those proposed for one that the list has not."""
    every, day, was = days.years(), today(), refusals.latest()
    year = whole(request.args.get("year", ""), 1950, 2199) or day.year
    if year not in every:
        year = day.year
    ends = catalogs.calendar_ends()
    proposed = bool(ends and year > ends.year)
    listed = days.days(year)
    shown = listed
    if proposed:
        known = {one.date for one in listed}
        others = [one for one in proposals.propose(year) if one.date not in known]
        shown = sorted([*listed, *others], key=lambda one: one.date)
    text = words.load(locale())
    return render_template(
        "calendar/page.html",
        years=every,
        year=year,
        today=day,
        ends=ends,
        proposed=proposed,
        listed={one.date for one in listed},
        days=shown,
        months=[(text.months[n - 1], _weeks(year, n)) for n in range(1, 13)],
        differs={one.date: one for one in shown},
        weekdays=text.weekdays,
        short=[get_day_names("short", locale=locale())[n] for n in range(7)],
        kinds=KINDS,
        typed_kinds=days.TYPED,
        estimated=days.ESTIMATED,
        named=lambda one: named(one, locale()),
        name_labels=NAMES,
        hours=(site().work_opens, site().work_closes),
        keeps=allowed("calendar.add"),
        was=was,
        trouble=TROUBLES.get(was.trouble),
        entry=was.values if was else _opened(),
    )


@screen.post("")
@may("calendar.change")
def add() -> Response:
    """Put a day to come on the list, or say otherwise what it is."""
    date = identity.day(request.form.get("date", ""))
    names = {column: request.form.get(column, "") for column in NAMES}
    try:
        made = days.set_day(date, request.form.get("kind", ""), names, today(), me().login)
    except ListError as error:
        return refusals.back(_there(date), error.code, "day-title")
    flash(_("Saved: %(name)s", name=named(made, locale())))
    return redirect(_there(date))


@screen.post("/<day>/<any(remove, settle):step>")
@may("calendar.change")
def change(day: str, step: str) -> Response:
    """Take a day to come off the list; say that an estimated one is as it stands."""
    date = identity.day(day) or abort(404)
    try:
        if step == "remove":
            days.remove_day(date, today(), me().login)
        else:
            days.settle_day(date, today(), me().login)
    except ListError as error:
        return refusals.back(_there(date), error.code)
    return redirect(_there(date))


@screen.post("/<int:number>/confirm")
@may("calendar.change")
def confirm(number: int) -> Response:
    """Put the proposed days of a year on the list."""
    if not 1950 <= number <= 2199:
        abort(404)
    there = url_for(".page", year=number)
    try:
        days.confirm_year(number, today(), me().login)
    except ListError as error:
        return refusals.back(there, error.code)
    flash(_("The calendar of %(year)s is on the list.", year=number))
    return redirect(there)


def _there(date: dt.date | None) -> str:
    return url_for(".page", year=date.year) if date else url_for(".page")


def _weeks(year: int, month: int) -> list[list[dt.date | None]]:
    """The weeks of a month from Monday on; None outside of it."""
    weeks = months.Calendar().monthdatescalendar(year, month)
    return [[day if day.month == month else None for day in week] for week in weeks]


def _opened() -> dict[str, str] | None:
    """A day on the list that is to be changed (`day`), as it is typed."""
    date = identity.day(request.args.get("day", ""))
    found = days.day(date) if date else None
    if not found:
        return None
    names = {column: getattr(found, column) for column in NAMES}
    return {"date": f"{found.date:%d.%m.%Y}", "kind": found.kind, **names}
