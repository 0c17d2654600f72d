"""The ministry's departments: their names, whose directions they answer, who belongs to them."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs, departments
from appliance.core.i18n import named
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
def page() -> str:
    """Departments, the directions that go to them, their people."""
    every, was = departments.departments(active=False), refusals.latest()
    return render_template(
        "departments/page.html",
        departments=every,
        options=[(d.id, named(d, locale())) for d in every if d.active],
        name_labels=NAMES,
        directions=catalogs.choices("direction", locale(), today()),
        routes=departments.routes(),
        people=accounts.of_ministry(),
        members=departments.memberships(),
        was=was,
    )


@screen.post("")
@may("department.change")
def add() -> BaseResponse:
    """A new department."""
    try:
        made = departments.add(_names(), "own_body" in request.form, me().login)
    except departments.DepartmentError:
        return refusals.back(url_for(".page"), "name")
    changes.link("department", str(made.id), named(made, locale()), {}, _fields(made))
    return _saved()


@screen.post("/<int:number>")
@may("department.change")
def change(number: int) -> BaseResponse:
    """Another name; whether it is a body of its own, and in use."""
    known = {d.id: d for d in departments.departments(active=False)}
    department = known.get(number) or abort(404)
    flags = {name: name in request.form for name in ("own_body", "active")}
    try:
        departments.change(department, _names() | flags, me().login)
    except departments.DepartmentError:
        return refusals.back(url_for(".page"), "name")
    now = next(d for d in departments.departments(active=False) if d.id == number)
    title = named(now, locale())
    changes.link("department", str(number), title, _fields(department), _fields(now))
    return _saved()


@screen.post("/routes")
@may("department.change")
def routes() -> BaseResponse:
    """Where each direction's appeals go from now on."""
    before, names = departments.routes(), _department_names()
    for direction, _name in catalogs.choices("direction", locale(), today()):
        chosen = _chosen(f"direction-{direction}")
        if chosen != before.get(direction):
            departments.send_direction(direction, chosen, me().login)
    after = departments.routes()
    changes.link("direction", "", "", _routes_by_name(before, names), _routes_by_name(after, names))
    return _saved()


@screen.post("/members")
@may("department.change")
def members() -> BaseResponse:
    """Which department each of the ministry's people belongs to."""
    before = departments.memberships()
    for user in accounts.of_ministry():
        chosen = _chosen(f"user-{user.id}")
        if chosen != before.get(user.id):
            staff.assign(user, chosen, me().login)
    return _saved()


def _fields(department: "Department") -> dict[str, str]:
    """A department as a change request tells it."""
    flags = {name: "1" if getattr(department, name) else "" for name in ("own_body", "active")}
    return {name: getattr(department, name) for name in NAMES} | flags


def _routes_by_name(routes: dict[str, int], names: dict[int, str]) -> dict[str, str]:
    """Where directions go, as a change request tells it."""
    return {direction: names.get(number, "") for direction, number in routes.items()}


def _department_names() -> dict[int, str]:
    return {d.id: named(d, locale()) for d in departments.departments(active=False)}


def _names() -> dict[str, Any]:
    return {column: request.form.get(column, "").strip() for column in NAMES}


def _chosen(field: str) -> int | None:
    """A department in use that was chosen; None: none."""
    department = departments.chosen(request.form.get(field, ""))
    return department.id if department else None


def _saved() -> BaseResponse:
    flash(_("Saved."))
    return redirect(url_for("departments.page"))
