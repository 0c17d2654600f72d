"""The directory of the ministry's employees to whom callers are transferred, and its editing."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.core.refusals import Refused
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry
from appliance.web.settings import changes
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import parse_count

if TYPE_CHECKING:
    from appliance.models import Employee

screen = Blueprint("directory", __name__, url_prefix="/directory")

TROUBLES: dict[str, LazyString] = {
    "name": _l("Enter a name."),
    "number": _l("A number has digits only, with an optional plus at the start."),
    "hours": _l("Hours are written like this: 09:00-18:00; empty means always."),
    "substitute": _l("Choose another employee as the substitute."),
}


@screen.get("")
@may("directory.change")
def show_directory() -> str:
    """Show the employees that match the search `q`, and a blank form.

    If `q` is missing, all employees are shown, including the inactive ones.
    """
    return _render_page(DirectoryEntry("", ""))


@screen.post("")
@may("directory.change")
def add_employee() -> Response:
    """Add an employee."""
    return _save_employee(None)


@screen.get("/<int:number>")
@may("directory.change")
def show_employee(number: int) -> str:
    """Show one employee's entry in the form, to be edited."""
    row = _employee_or_404(number)
    entry = DirectoryEntry(
        name=row.name,
        number=row.number,
        department=row.department,
        position=row.position,
        hours=row.hours,
        substitute_id=row.substitute_id,
        active=row.active,
    )
    return _render_page(entry, row)


@screen.post("/<int:number>")
@may("directory.change")
def change_employee(number: int) -> Response:
    """Change one employee's entry."""
    return _save_employee(_employee_or_404(number))


def _save_employee(employee: "Employee | None") -> Response:
    """Store the submitted entry of `employee`, or without it of a new one.

    The change is recorded in the change request that the form names, if it names one.
    """
    before = _employee_fields(employee)
    try:
        saved = directory.save_employee(
            _entry_from_form(request.form, employee), me().login, employee
        )
    except Refused as error:
        form_url = (
            url_for(".show_employee", number=employee.id)
            if employee
            else url_for(".show_directory")
        )
        return refusals.redirect_back(form_url, error.code)
    changes.link_to_request("employee", str(saved.id), saved.name, before, _employee_fields(saved))
    flash(_("Saved: %(name)s", name=saved.name))
    return redirect(url_for(".show_directory"))


def _entry_from_form(form: MultiDict[str, str], employee: "Employee | None") -> DirectoryEntry:
    """Return the entry that was typed in the form; a new employee is always active."""
    return DirectoryEntry(
        name=form.get("name", ""),
        number=form.get("number", ""),
        department=form.get("department", ""),
        position=form.get("position", ""),
        hours=form.get("hours", ""),
        substitute_id=form.get("substitute", type=parse_count),
        active=employee is None or "active" in form,
    )


def _employee_fields(employee: "Employee | None") -> dict[str, str]:
    """Return an employee's fields for a change request, a flag as "1" or ""; {} for no employee."""
    if not employee:
        return {}
    columns = ("name", "position", "department", "number", "hours")
    fields = {name: getattr(employee, name) for name in columns}
    substitute = employee.substitute.name if employee.substitute else ""
    return fields | {"substitute": substitute, "active": "1" if employee.active else ""}


def _employee_or_404(number: int) -> "Employee":
    """Return the employee with this id; abort with 404 if there is no such employee."""
    return directory.find_employee(number) or abort(404)


def _render_page(entry: DirectoryEntry, employee: "Employee | None" = None) -> str:
    """Render the page with `entry` in the form; `employee` is the one being edited, if any."""
    refusal = refusals.latest_refusal()
    search_text = request.args.get("q", "")
    everybody = directory.list_employees(include_inactive=True)
    matching = directory.search_employees(search_text, limit=500) if search_text else everybody
    return render_template(
        "directory/page.html",
        employees=matching,
        everybody=[other for other in everybody if other.active and other != employee],
        departments=sorted({other.department for other in everybody if other.department}),
        typed=search_text,
        entry=_entry_from_form(refusal.values, employee) if refusal else entry,
        one=employee,
        trouble=TROUBLES.get(refusal.trouble),
        typed_request=refusal.values.get("request", ""),
    )
