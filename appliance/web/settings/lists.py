"""Lists that the forms choose from: what stands on them, their upkeep, files out and in."""

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import catalogs, identity
from appliance.casework.catalogs import changes, places, upkeep
from appliance.casework.catalogs.changes import Plan
from appliance.casework.catalogs.sheets import SheetError
from appliance.casework.catalogs.upkeep import ListError
from appliance.casework.changes.links import Fields
from appliance.casework.forms import uses
from appliance.core import audit, spreadsheets
from appliance.core.i18n import named
from appliance.web.settings.changes import link
from appliance.web.settings.departments import NAMES
from appliance.web.shell import formats, refusals
from appliance.web.shell.access import allowed, may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale
from appliance.web.shell.sizes import takes_file

if TYPE_CHECKING:
    from appliance.models import Catalog, CatalogItem

screen = Blueprint("lists", __name__, url_prefix="/lists")

LARGEST = 256 * 1024  # bytes of a file
WAITS = "waits"  # a file that is shown and waits to be confirmed

PLACES: dict[str, LazyString] = {
    "regions": _l("Regions"),
    "districts": _l("Cities and districts"),
    "mahallas": _l("Mahallas"),
}
TROUBLES: dict[str, LazyString] = {
    "names": _l("Write the name in all three languages."),
    "name_uz_latn": _l("The Uzbek (Latin) name has Cyrillic letters."),
    "name_uz_cyrl": _l("The Uzbek (Cyrillic) name has Latin letters."),
    "name_ru": _l("The Russian name has Latin letters."),
    "code": _l("A code has small Latin letters, digits and _, at most 40."),
    "known": _l("This code is taken."),
    "same": _l("Another value in use has this name."),
    "fixed": _l("It comes with the product, and reports stand on it: its name keeps its meaning."),
    "dates": _l("The last day in use is before the first."),
    "date": _l("A date is written as 31.12.2027."),
    "changed": _l("Somebody has changed the list meanwhile: look at the changes once more."),
    "file": _l("Choose a CSV file of at most 256 KB."),
    "utf8": _l("The file is no UTF-8 text. Save it as “CSV UTF-8”."),
    "column": _l("A column is missing."),
    "empty": _l("A cell is empty."),
    "cell": _l("A cell cannot be read."),
    "twice": _l("A code stands twice."),
    "rows": _l("The file has no rows."),
}
KINDS: dict[str, tuple[LazyString, str, str]] = {
    "added": (_l("New"), "ok", "plus"),
    "changed": (_l("Changed"), "accent", "pencil"),
    "retired": (_l("Retired"), "warn", "ban"),
    "restored": (_l("Taken back"), "ok", "check"),
}
COLUMNS: dict[str, LazyString] = {
    **NAMES,
    "active_from": _l("In use from"),
    "active_until": _l("In use until"),
    "position": _l("Place"),
}


@screen.get("")
@may("list.read")
def page() -> str:
    """Every list with the number of its values, and the places."""
    every, day = catalogs.lists(), today()
    values = {one.code: catalogs.items(one.code) for one in every}
    return render_template(
        "lists/page.html",
        lists=every,
        named=lambda one: named(one, locale()),
        used={code: sum(catalogs.in_use(v, day) for v in found) for code, found in values.items()},
        all={code: len(found) for code, found in values.items()},
        fields={one.code: _fields(one.code) for one in every},
        places=[(PLACES[kind], count) for kind, count in places.counts().items()],
        **_form(),
    )


@screen.post("")
@may("list.change")
def add_list() -> BaseResponse:
    """A new list of the site's own."""
    try:
        made = upkeep.add_list(request.form.get("code", ""), _names(), me().login)
    except ListError as error:
        return refusals.back(url_for(".page"), error.code, "new-title")
    link("list", made.code, made.name_uz_latn, {}, _list_fields(made))
    flash(_("Saved: %(name)s", name=named(made, locale())))
    return redirect(url_for(".one", name=made.code))


@screen.get("/<name>")
@may("list.read")
def one(name: str) -> str:
    """A list with its values; what a file would change, while one waits."""
    return _page(_list(name))


@screen.post("/<name>")
@may("list.change")
def add(name: str) -> BaseResponse:
    """A new value at the end of a list."""
    found = _list(name)
    try:
        made = upkeep.add(found.code, request.form.get("code", ""), _columns(), me().login)
    except ListError as error:
        return refusals.back(url_for(".one", name=name), error.code, "value-title", what=error.what)
    _note_value(made, {})
    flash(_("Saved: %(name)s", name=named(made, locale())))
    return redirect(url_for(".one", name=name))


@screen.post("/<name>/names")
@may("list.change")
def rename(name: str) -> BaseResponse:
    """Other names for a list of the site's own."""
    before = _list_fields(_list(name))
    try:
        upkeep.rename_list(_list(name), _names(), me().login)
    except ListError as error:
        return refusals.back(url_for(".one", name=name), error.code, "names-title", what=error.what)
    now = _list(name)
    link("list", name, now.name_uz_latn, before, _list_fields(now))
    flash(_("Saved."))
    return redirect(url_for(".one", name=name))


@screen.get("/<name>/list.csv")
@may("list.read")
def download(name: str) -> Response:
    """The list as a file that is read back."""
    written = io.StringIO()
    catalogs.export_csv(_list(name).code, written)
    audit.record(me().login, "list.export", name)
    return Response(
        spreadsheets.MARK + written.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


@screen.post("/<name>/file")
@takes_file(LARGEST + 4 * 1024)
@may("list.change")
def send(name: str) -> BaseResponse:
    """Take a file in and show what it would change; nothing is changed yet."""
    found, there = _list(name), url_for(".one", name=name)
    sent = request.files.get("file")
    if not sent or not sent.filename:
        return refusals.back(there, "file", "file-title")
    try:
        text = sent.read().decode("utf-8-sig")
        plan = changes.plan(found.code, text)
    except UnicodeDecodeError:
        return refusals.back(there, "utf8", "file-title")
    except SheetError as error:
        line = f"{error.line or ''}"
        return refusals.back(there, error.code, "file-title", what=error.what, line=line)
    except ListError as error:
        return refusals.back(there, error.code, "file-title", what=error.what)
    return refusals.back(there, WAITS, "file-title", file=text, mark=plan.mark)


@screen.post("/<name>/import")
@may("list.change")
def confirm(name: str) -> BaseResponse:
    """Do what the file that waits (`refused`) was shown to change."""
    found, there, was = _list(name), url_for(".one", name=name), refusals.latest()
    if was.trouble != WAITS or was.address != url_for(".send", name=name):
        return refusals.back(there, "changed", "file-title")
    try:
        made = changes.apply(found.code, was.values["file"], was.values["mark"], me().login)
    except (SheetError, ListError) as error:
        return refusals.back(there, error.code, "file-title")
    link("list", name, found.name_uz_latn, *_differences(made))
    flash(_("Changed: %(count)s", count=len(made.changes)))
    return redirect(there)


@screen.get("/<name>/<int:number>")
@may("list.read")
def value(name: str, number: int) -> str:
    """One value, to be changed."""
    return _page(_list(name), _value(name, number))


@screen.post("/<name>/<int:number>")
@may("list.change")
def change(name: str, number: int) -> BaseResponse:
    """Other names of a value, other days in use."""
    found = _value(name, number)
    before = _value_fields(found)
    try:
        upkeep.change(found, _columns(), me().login)
    except ListError as error:
        there = url_for(".value", name=name, number=number)
        return refusals.back(there, error.code, "value-title", what=error.what)
    _note_value(_value(name, number), before)
    flash(_("Saved: %(name)s", name=named(found, locale())))
    return redirect(url_for(".one", name=name))


@screen.post("/<name>/<int:number>/<any(retire, restore, up, down):step>")
@may("list.change")
def move(name: str, number: int, step: str) -> BaseResponse:
    """Retire a value, take it back, let it change places with its neighbour."""
    found, there = _value(name, number), url_for(".one", name=name)
    before = _value_fields(found)
    try:
        if step == "retire":
            upkeep.retire(found, me().login)
        elif step == "restore":
            upkeep.restore(found, me().login)
        else:
            upkeep.move(found, step == "down", me().login)
    except ListError as error:
        return refusals.back(there, error.code, what=error.what)
    _note_value(_value(name, number), before)
    return redirect(f"{there}#value-{number}")


def _page(found: "Catalog", opened: "CatalogItem | None" = None) -> str:
    was = refusals.latest()
    sent = was.trouble == WAITS and was.address == url_for(".send", name=found.code)
    plan = _waiting(found.code, was) if sent else None
    day = today()
    return render_template(
        "lists/one.html",
        largest=LARGEST,
        list=found,
        named=lambda thing: named(thing, locale()),
        values=catalogs.items(found.code),
        in_use={v.id for v in catalogs.items(found.code) if catalogs.in_use(v, day)},
        fixed={v.code for v in catalogs.items(found.code) if upkeep.is_fixed(found.code, v.code)},
        uses=uses.uses(found.code),
        fields=_fields(found.code),
        opened=opened,
        plan=plan,
        waits=request.args.get(refusals.ARGUMENT, "") if plan else "",
        kinds=KINDS,
        columns=COLUMNS,
        day=day,
        **_form(),
    )


def _waiting(code: str, was: refusals.Refusal) -> Plan | None:
    """What the file that waits would change in the list as it is now."""
    try:
        return changes.plan(code, was.values.get("file", ""))
    except (SheetError, ListError):
        return None


def _form() -> dict[str, Any]:
    """What was typed and refused, and why."""
    was = refusals.latest()
    return {
        "keeps": allowed("lists.add"),
        "name_labels": NAMES,
        "was": was,
        "trouble": TROUBLES.get(was.trouble),
        "what": was.values.get("what", ""),
        "line": was.values.get("line", ""),
        "typed": was.values if was else MultiDict(),
    }


def _note_value(value: "CatalogItem", before: Fields) -> None:
    """Note a changed value at the request that the form names."""
    ref = f"{value.catalog}/{value.code}"
    link("list", ref, value.name_uz_latn, before, _value_fields(value))


def _list_fields(one: "Catalog") -> Fields:
    return {name: getattr(one, name) for name in NAMES}


def _value_fields(value: "CatalogItem") -> Fields:
    """A value as a change request tells it."""
    days = {name: formats.date(getattr(value, name)) for name in ("active_from", "active_until")}
    names = {name: getattr(value, name) for name in NAMES}
    return names | days | {"active": "1" if value.active else ""}


def _differences(made: Plan) -> tuple[Fields, Fields]:
    """What a file changed, "code/column" before and after."""
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for change in made.changes:
        if change.kind in ("added", "retired", "restored"):
            after[f"{change.code}/active"] = "" if change.kind == "retired" else "1"
            before[f"{change.code}/active"] = "1" if change.kind == "retired" else ""
        for column, pair in change.columns.items():
            was, now = (formats.date(v) if isinstance(v, dt.date) else str(v or "") for v in pair)
            before[f"{change.code}/{column}"], after[f"{change.code}/{column}"] = was, now
    return before, after


def _fields(code: str) -> list[str]:
    """The names of the form's fields that choose from a list."""
    return [f"{field.called(locale())} (№{form})" for form, field in uses.fields_of(code)]


def _list(name: str) -> "Catalog":
    return catalogs.catalog(name) or abort(404)


def _value(name: str, number: int) -> "CatalogItem":
    return upkeep.item(name, number) or abort(404)


def _names() -> dict[str, str]:
    return {column: request.form.get(column, "") for column in NAMES}


def _columns() -> dict[str, Any]:
    """Names and days as typed. Raises ListError "date"."""
    days: dict[str, Any] = {}
    for column in ("active_from", "active_until"):
        typed = request.form.get(column, "").strip()
        days[column] = identity.day(typed)
        if typed and not days[column]:
            raise ListError("date", typed)
    return _names() | days
