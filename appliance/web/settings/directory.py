"""The ministry's employees to whom callers are passed on: the list, and its upkeep."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.telephony import directory
from appliance.telephony.directory import DirectoryError, Entry
from appliance.web.settings import changes
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.sent import bounded

if TYPE_CHECKING:
    from appliance.models import Employee

screen = Blueprint("directory", __name__, url_prefix="/directory")

TROUBLES: dict[str, LazyString] = {
    "name": _l("A name is needed."),
    "number": _l("A number has digits only, with a plus before the country's code."),
    "hours": _l("Hours are written as 09:00-18:00; empty means always."),
    "substitute": _l("Choose another employee as the substitute."),
}


@screen.get("")
@may("directory.change")
def page() -> str:
    """Everybody who can be found by what was typed (`q`), and those switched off."""
    return _page(Entry("", ""))


@screen.post("")
@may("directory.change")
def add() -> Response:
    """Write down a new employee."""
    return _save(None)


@screen.get("/<int:number>")
@may("directory.change")
def employee(number: int) -> str:
    """One employee's entry, to be changed."""
    one = _employee(number)
    entry = Entry(
        name=one.name,
        number=one.number,
        department=one.department,
        position=one.position,
        hours=one.hours,
        substitute_id=one.substitute_id,
        active=one.active,
    )
    return _page(entry, one)


@screen.post("/<int:number>")
@may("directory.change")
def change(number: int) -> Response:
    """Change one employee's entry."""
    return _save(_employee(number))


def _save(one: "Employee | None") -> Response:
    before = _fields(one)
    try:
        saved = directory.save(_typed(request.form, one), me().login, one)
    except DirectoryError as error:
        there = url_for(".employee", number=one.id) if one else url_for(".page")
        return refusals.back(there, error.code)
    changes.link("employee", str(saved.id), saved.name, before, _fields(saved))
    flash(_("Saved: %(name)s", name=saved.name))
    return redirect(url_for(".page"))


def _typed(form: MultiDict[str, str], one: "Employee | None") -> Entry:
    return Entry(
        name=form.get("name", ""),
        number=form.get("number", ""),
        department=form.get("department", ""),
        position=form.get("position", ""),
        hours=form.get("hours", ""),
        substitute_id=form.get("substitute", type=bounded),
        active=one is None or "active" in form,
    )


def _fields(one: "Employee | None") -> dict[str, str]:
    """An entry as a change request tells it."""
    if not one:
        return {}
    columns = ("name", "position", "department", "number", "hours")
    told = {name: getattr(one, name) for name in columns}
    substitute = one.substitute.name if one.substitute else ""
    return told | {"substitute": substitute, "active": "1" if one.active else ""}


def _employee(number: int) -> "Employee":
    return directory.employee(number) or abort(404)


def _page(entry: Entry, one: "Employee | None" = None) -> str:
    was = refusals.latest()
    typed = request.args.get("q", "")
    everybody = directory.employees(all_of_them=True)
    shown = directory.search(typed, limit=500) if typed else everybody
    return render_template(
        "directory/page.html",
        employees=shown,
        everybody=[other for other in everybody if other.active and other != one],
        departments=sorted({other.department for other in everybody if other.department}),
        typed=typed,
        entry=_typed(was.values, one) if was else entry,
        one=one,
        trouble=TROUBLES.get(was.trouble),
        typed_request=was.values.get("request", ""),
    )
