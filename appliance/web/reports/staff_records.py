"""The staff records that report form №1 counts, and what only the manager can answer."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import identity
from appliance.core import clock
from appliance.people import accounts, staff_records
from appliance.people.staff_records import Kept, RecordError
from appliance.reports import periods
from appliance.web.reports import forms
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import bounded

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("staff_records", __name__)

EDUCATION: dict[str, LazyString] = {
    "secondary": _l("secondary"),
    "incomplete_higher": _l("incomplete higher"),
    "higher": _l("higher"),
}
EVENTS: dict[str, LazyString] = {
    "training": _l("Upskilling"),
    "measure": _l("Measure for a breach"),
}
TROUBLES: dict[str, LazyString] = {
    "date": _l("Not saved: the date should be dd.mm.yyyy."),
    "dates": _l("Not saved: left before hired."),
    "time": _l("Not saved: the time should be as 08:00."),
    "education": _l("Not saved: choose from the list."),
    "kind": _l("Not saved: choose from the list."),
    "user": _l("Not saved: choose from the list."),
}
ANSWERS = {"yes": True, "no": False, "": None}
NEWEST = 100  # courses and measures shown


@screen.get("/staff-records")
@may("staff.record")
def page() -> str:
    """Operators, shifts, courses and measures, and the answers of a quarter (`quarter=2026-Q3`)."""
    today = _today()
    quarter = request.args.get("quarter", "")
    if quarter not in dict(forms.quarters()):
        quarter = periods.quarter_of(today)
    was = refusals.latest()
    return render_template(
        "reports/staff.html",
        sent=was.values.to_dict(),
        trouble=TROUBLES.get(was.trouble, ""),
        staff=staff_records.everybody(),
        places=staff_records.places(today),
        shifts=staff_records.shifts(today),
        events=staff_records.events(NEWEST),
        educations=EDUCATION,
        kinds=EVENTS,
        quarter=quarter,
        quarters=forms.quarters(),
        answer=staff_records.answer(quarter),
        today=today,
    )


@screen.post("/staff-records/people")
@may("staff.record")
def people() -> BaseResponse:
    """Every operator's record, as the table has it: education-ID, hired-ID, left-ID, shift-ID."""

    def save() -> None:
        shown = [u for u, _ in staff_records.everybody() if f"education-{u.id}" in request.form]
        staff_records.store([_typed_record(user) for user in shown], _today(), me().login)

    return _saved(save)


@screen.post("/staff-records/events")
@may("staff.record")
def add_event() -> BaseResponse:
    """A course or a measure."""

    def save() -> None:
        form = request.form
        user = accounts.operator(form.get("user", ""))
        if user is None:
            raise RecordError("user")
        day = identity.day(form.get("date", ""))
        staff_records.add_event(user, form.get("kind", ""), day, form.get("note", ""), me().login)

    return _saved(save)


@screen.post("/staff-records/events/<int:id>/remove")
@may("staff.record")
def remove_event(id: int) -> BaseResponse:
    """Take out what was written down by mistake."""
    event = staff_records.event(id) or abort(404)
    return _saved(lambda: staff_records.remove_event(event, me().login))


@screen.post("/staff-records/shifts")
@may("staff.record")
def add_shift() -> BaseResponse:
    """A new interval."""
    form = request.form
    return _saved(
        lambda: staff_records.add_shift(
            form.get("opens", "").strip(),
            form.get("closes", "").strip(),
            identity.day(form.get("since", "")),
            me().login,
        )
    )


@screen.post("/staff-records/shifts/<int:id>/end")
@may("staff.record")
def end_shift(id: int) -> BaseResponse:
    """Let a shift end with yesterday."""
    shift = staff_records.shift(id) or abort(404)
    last = _today() - dt.timedelta(days=1)
    return _saved(lambda: staff_records.end_shift(shift, last, me().login))


@screen.post("/staff-records/answers")
@may("staff.record")
def answers() -> BaseResponse:
    """What only a person knows of a quarter."""
    form = request.form
    quarter = form.get("quarter", "")
    published = form.get("published", "")
    if quarter not in dict(forms.quarters()) or published not in ANSWERS:
        abort(400)
    return _saved(
        lambda: staff_records.keep_answer(
            quarter,
            ANSWERS[published],
            form.get("published_note", ""),
            form.get("numbers", ""),
            "complete" in form,
            me(),
        ),
        quarter=quarter,
    )


def _typed_record(user: "User") -> Kept:
    form = request.form
    place = form.get(f"shift-{user.id}", "")
    return Kept(
        user,
        form.get(f"education-{user.id}", ""),
        _date(form.get(f"hired-{user.id}", "")),
        _date(form.get(f"left-{user.id}", "")),
        staff_records.shift(bounded(place)) if place else None,
    )


def _date(text: str) -> dt.date | None:
    """A date, or None for an empty field."""
    if not text.strip():
        return None
    day = identity.day(text)
    if day is None:
        raise RecordError("date")
    return day


def _saved(save: Callable[[], object], quarter: str | None = None) -> BaseResponse:
    """Save, say what became of it, and show the page again, with what was typed if it was not."""
    try:
        save()
    except RecordError as error:
        return refusals.back(url_for("staff_records.page", quarter=quarter), error.code)
    flash(_("Saved."))
    return redirect(url_for("staff_records.page", quarter=quarter))


def _today() -> dt.date:
    return clock.now().astimezone(site().tz).date()
