"""The staff records that report form №1 counts, and its answers that only the manager can give."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import identity
from appliance.core.refusals import Refused
from appliance.people import accounts, staff_records
from appliance.people.staff_records import OperatorRecord
from appliance.reports import periods
from appliance.web.reports import forms
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, today
from appliance.web.shell.request_data import parse_count

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
    "measure": _l("Disciplinary measure"),
}
TROUBLES: dict[str, LazyString] = {
    "date": _l("Not saved: the date must be written as dd.mm.yyyy."),
    "dates": _l("Not saved: the leaving date is before the hiring date."),
    "time": _l("Not saved: the time must be written like 08:00."),
    "education": _l("Not saved: choose from the list."),
    "kind": _l("Not saved: choose from the list."),
    "user": _l("Not saved: choose from the list."),
}
PUBLISHED_VALUES = {"yes": True, "no": False, "": None}  # None: not known yet
MAX_EVENTS_SHOWN = 100  # courses and measures on the page


@screen.get("/staff-records")
@may("staff.record")
def show_staff_records() -> str:
    """Show the staff records, and the manager's answers about a quarter (`quarter=2026-Q3`).

    The records are the operators, their shifts, training courses and disciplinary measures.
    """
    current_day = today()
    quarter = request.args.get("quarter", "")
    if quarter not in dict(forms.quarter_choices()):
        quarter = periods.quarter_name(current_day)
    refusal = refusals.latest_refusal()
    return render_template(
        "reports/staff.html",
        sent=refusal.values.to_dict(),
        trouble=TROUBLES.get(refusal.trouble, ""),
        staff=staff_records.all_records(),
        places=staff_records.shift_ids_on(current_day),
        shifts=staff_records.shifts_on(current_day),
        events=staff_records.newest_events(MAX_EVENTS_SHOWN),
        educations=EDUCATION,
        kinds=EVENTS,
        quarter=quarter,
        quarters=forms.quarter_choices(),
        answer=staff_records.quarter_answer(quarter),
        today=current_day,
    )


@screen.post("/staff-records/people")
@may("staff.record")
def save_operator_records() -> BaseResponse:
    """Save the records of all operators in the submitted table.

    Its fields are named education-ID, hired-ID, left-ID and shift-ID, with the operator's id.
    """

    def store_records() -> None:
        """Store the records of the operators whose rows were in the submitted table."""
        listed_users = [
            u for u, _ in staff_records.all_records() if f"education-{u.id}" in request.form
        ]
        staff_records.store_records(
            [_submitted_record(user) for user in listed_users], today(), me().login
        )

    return _save_and_redirect(store_records)


@screen.post("/staff-records/events")
@may("staff.record")
def add_event() -> BaseResponse:
    """Add a training course or a disciplinary measure."""

    def store_event() -> None:
        """Store the submitted event; raise Refused if it is invalid, or has no known operator."""
        form = request.form
        user = accounts.find_operator(form.get("user", ""))
        if user is None:
            raise Refused("user")
        day = identity.parse_plausible_date(form.get("date", ""))
        staff_records.add_event(user, form.get("kind", ""), day, form.get("note", ""), me().login)

    return _save_and_redirect(store_event)


@screen.post("/staff-records/events/<int:id>/remove")
@may("staff.record")
def remove_event(id: int) -> BaseResponse:
    """Remove a training course or a disciplinary measure that was recorded by mistake."""
    event = staff_records.find_event(id) or abort(404)
    return _save_and_redirect(lambda: staff_records.remove_event(event, me().login))


@screen.post("/staff-records/shifts")
@may("staff.record")
def add_shift() -> BaseResponse:
    """Add a working shift: its hours (`opens`, `closes`), and the day `since` which it applies."""
    form = request.form
    return _save_and_redirect(
        lambda: staff_records.add_shift(
            form.get("opens", "").strip(),
            form.get("closes", "").strip(),
            identity.parse_plausible_date(form.get("since", "")),
            me().login,
        )
    )


@screen.post("/staff-records/shifts/<int:id>/end")
@may("staff.record")
def end_shift(id: int) -> BaseResponse:
    """End a shift; its last day is yesterday."""
    shift = staff_records.find_shift(id) or abort(404)
    last = today() - dt.timedelta(days=1)
    return _save_and_redirect(lambda: staff_records.end_shift(shift, last, me().login))


@screen.post("/staff-records/answers")
@may("staff.record")
def save_answers() -> BaseResponse:
    """Save the manager's answers about a quarter, which report form №1 contains.

    They say whether the hotline's numbers are published on websites, which other numbers it has,
    and whether the records of training courses and measures of the quarter are complete.
    """
    form = request.form
    quarter = form.get("quarter", "")
    published = form.get("published", "")
    if quarter not in dict(forms.quarter_choices()) or published not in PUBLISHED_VALUES:
        abort(400)
    return _save_and_redirect(
        lambda: staff_records.store_answer(
            quarter,
            PUBLISHED_VALUES[published],
            form.get("published_note", ""),
            form.get("numbers", ""),
            "complete" in form,
            me(),
        ),
        quarter=quarter,
    )


def _submitted_record(user: "User") -> OperatorRecord:
    """Return the record of an operator from the submitted table.

    Raises Refused with the code `date` if a date is invalid. An unknown shift counts as no shift.
    """
    form = request.form
    shift_id = form.get(f"shift-{user.id}", "")
    return OperatorRecord(
        user,
        form.get(f"education-{user.id}", ""),
        _parse_date(form.get(f"hired-{user.id}", "")),
        _parse_date(form.get(f"left-{user.id}", "")),
        staff_records.find_shift(parse_count(shift_id)) if shift_id else None,
    )


def _parse_date(text: str) -> dt.date | None:
    """Return the typed date, unless the text is blank.

    Raises Refused with the code `date` if it is invalid.
    """
    if not text.strip():
        return None
    day = identity.parse_plausible_date(text)
    if day is None:
        raise Refused("date")
    return day


def _save_and_redirect(action: Callable[[], object], quarter: str | None = None) -> BaseResponse:
    """Run an action that saves something, and redirect to the page, which shows the result.

    If the action is refused, the page shows the submitted values and the reason. `quarter` is the
    one that the page shows, by default the current one.
    """
    try:
        action()
    except Refused as error:
        return refusals.redirect_back(
            url_for("staff_records.show_staff_records", quarter=quarter), error.code
        )
    flash(_("Saved."))
    return redirect(url_for("staff_records.show_staff_records", quarter=quarter))
