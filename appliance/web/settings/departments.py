"""The ministry's departments: their names, the directions they answer, and their members.

A direction is the topic of an appeal; it decides which department receives the appeal.
"""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs, departments
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.people import accounts, staff
from appliance.web.settings import changes
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import Department

screen = Blueprint("departments", __name__, url_prefix="/departments")

NAMES: dict[str, LazyString] = {
    "name_uz_latn": _l("Name in Uzbek (Latin)"),
    "name_uz_cyrl": _l("Name in Uzbek (Cyrillic)"),
    "name_ru": _l("Name in Russian"),
}


@screen.get("")
@may("department.change")
def show_departments() -> str:
    """Show the departments, the directions whose appeals they receive, and their members."""
    all_departments, refusal = (
        departments.list_departments(active_only=False),
        refusals.latest_refusal(),
    )
    return render_template(
        "departments/page.html",
        departments=all_departments,
        options=[(d.id, localized_name(d, locale())) for d in all_departments if d.active],
        name_labels=NAMES,
        directions=catalogs.item_choices("direction", locale(), today()),
        routes=departments.department_ids_by_direction(),
        people=accounts.ministry_users(),
        members=departments.department_ids_by_user(),
        was=refusal,
    )


@screen.post("")
@may("department.change")
def add_department() -> BaseResponse:
    """Add a department."""
    try:
        department = departments.add_department(
            _names_from_form(), "own_body" in request.form, me().login
        )
    except Refused:
        return refusals.redirect_back(url_for(".show_departments"), "name")
    changes.link_to_request(
        "department",
        str(department.id),
        localized_name(department, locale()),
        {},
        _department_fields(department),
    )
    return _redirect_to_departments()


@screen.post("/<int:number>")
@may("department.change")
def change_department(number: int) -> BaseResponse:
    """Change a department's names, whether it is a separate body, and whether it is in use."""
    departments_by_id = {d.id: d for d in departments.list_departments(active_only=False)}
    department = departments_by_id.get(number) or abort(404)
    flags = {name: name in request.form for name in ("own_body", "active")}
    try:
        departments.change_department(department, _names_from_form() | flags, me().login)
    except Refused:
        return refusals.redirect_back(url_for(".show_departments"), "name")
    updated = next(d for d in departments.list_departments(active_only=False) if d.id == number)
    title = localized_name(updated, locale())
    changes.link_to_request(
        "department",
        str(number),
        title,
        _department_fields(department),
        _department_fields(updated),
    )
    return _redirect_to_departments()


@screen.post("/routes")
@may("department.change")
def save_routes() -> BaseResponse:
    """Store the department to which the appeals of each direction go from now on."""
    before, names = departments.department_ids_by_direction(), _department_names()
    for direction, _name in catalogs.item_choices("direction", locale(), today()):
        department_id = _selected_department_id(f"direction-{direction}")
        if department_id != before.get(direction):
            departments.route_direction(direction, department_id, me().login)
    after = departments.department_ids_by_direction()
    changes.link_to_request(
        "direction",
        "",
        "",
        _department_name_by_direction(before, names),
        _department_name_by_direction(after, names),
    )
    return _redirect_to_departments()


@screen.post("/members")
@may("department.change")
def save_members() -> BaseResponse:
    """Store the department to which each of the ministry's users belongs."""
    before = departments.department_ids_by_user()
    for user in accounts.ministry_users():
        department_id = _selected_department_id(f"user-{user.id}")
        if department_id != before.get(user.id):
            staff.assign_department(user, department_id, me().login)
    return _redirect_to_departments()


def _department_fields(department: "Department") -> dict[str, str]:
    """Return a department's fields for a change request; a flag is "1" or ""."""
    flags = {name: "1" if getattr(department, name) else "" for name in ("own_body", "active")}
    return {name: getattr(department, name) for name in NAMES} | flags


def _department_name_by_direction(routes: dict[str, int], names: dict[int, str]) -> dict[str, str]:
    """Return the name of the department that receives the appeals of a direction, by direction.

    `routes` has the ids of the departments by direction, `names` their names by id.
    """
    return {direction: names.get(number, "") for direction, number in routes.items()}


def _department_names() -> dict[int, str]:
    """Return the names of all departments in the reader's language, by department id."""
    return {
        d.id: localized_name(d, locale()) for d in departments.list_departments(active_only=False)
    }


def _names_from_form() -> dict[str, Any]:
    """Return the names that were typed in the form."""
    return {column: request.form.get(column, "").strip() for column in NAMES}


def _selected_department_id(field: str) -> int | None:
    """Return the id of the department selected in `field`, if it exists and is in use."""
    department = departments.active_department(request.form.get(field, ""))
    return department.id if department else None


def _redirect_to_departments() -> BaseResponse:
    """Show the message that the form was saved, and redirect to the page."""
    flash(_("Saved."))
    return redirect(url_for("departments.show_departments"))
