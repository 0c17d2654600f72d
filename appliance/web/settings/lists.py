"""The lists that form fields choose from: their values, the editing, CSV export and import."""

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
from appliance.casework.catalogs import SheetError, changes, places, upkeep
from appliance.casework.catalogs.changes import ImportPlan
from appliance.casework.changes.links import Fields
from appliance.casework.forms import uses
from appliance.core import audit, spreadsheets
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.web.settings.changes import link_to_request
from appliance.web.settings.departments import NAMES
from appliance.web.shell import formats, refusals
from appliance.web.shell.access import can_open, may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale
from appliance.web.shell.size_limits import accepts_file

if TYPE_CHECKING:
    from appliance.models import Catalog, CatalogItem

screen = Blueprint("lists", __name__, url_prefix="/lists")

MAX_FILE_BYTES = 256 * 1024  # of an uploaded file
# A file that awaits confirmation is stored like a refused form, with this code of trouble.
AWAITS_CONFIRMATION = "waits"

PLACE_KINDS: dict[str, LazyString] = {
    "regions": _l("Regions"),
    "districts": _l("Cities and districts"),
    "mahallas": _l("Mahallas"),
}
TROUBLES: dict[str, LazyString] = {
    "names": _l("Enter the name in all three languages."),
    "name_uz_latn": _l("The Uzbek (Latin) name has Cyrillic letters."),
    "name_uz_cyrl": _l("The Uzbek (Cyrillic) name has Latin letters."),
    "name_ru": _l("The Russian name has Latin letters."),
    "code": _l("A code has lowercase Latin letters, digits and _, at most 40."),
    "known": _l("This code is taken."),
    "same": _l("Another active value has this name."),
    "fixed": _l(
        "It is part of the product, and reports are based on it: its name keeps its meaning."
    ),
    "dates": _l("The last active day is before the first."),
    "date": _l("Dates are written like this: 31.12.2027."),
    "changed": _l(
        "Another user has changed the list in the meantime: look at the changes once more."
    ),
    "file": _l("Choose a CSV file of at most 256 KB."),
    "utf8": _l("The file is not UTF-8 text. Save it as “CSV UTF-8”."),
    "column": _l("A column is missing."),
    "empty": _l("A cell is empty."),
    "cell": _l("A cell cannot be read."),
    "twice": _l("A code occurs twice."),
    "rows": _l("The file has no rows."),
}
CHANGE_KINDS: dict[str, tuple[LazyString, str, str]] = {
    "added": (_l("New"), "ok", "plus"),
    "changed": (_l("Changed"), "accent", "pencil"),
    "retired": (_l("Retired"), "warn", "ban"),
    "restored": (_l("Restored"), "ok", "check"),
}
COLUMN_LABELS: dict[str, LazyString] = {
    **NAMES,
    "active_from": _l("Active from"),
    "active_until": _l("Active until"),
    "position": _l("Place"),
}


@screen.get("")
@may("list.read")
def show_lists() -> str:
    """Show every list with the number of its values, and the kinds of places."""
    all_lists, current_day = catalogs.all_lists(), today()
    values = {catalog.code: catalogs.list_items(catalog.code) for catalog in all_lists}
    return render_template(
        "lists/page.html",
        lists=all_lists,
        named=lambda row: localized_name(row, locale()),
        used={
            code: sum(catalogs.is_in_use(v, current_day) for v in items)
            for code, items in values.items()
        },
        all={code: len(items) for code, items in values.items()},
        fields={catalog.code: _form_field_names(catalog.code) for catalog in all_lists},
        places=[(PLACE_KINDS[kind], count) for kind, count in places.place_counts().items()],
        **_form_context(),
    )


@screen.post("")
@may("list.change")
def add_list() -> BaseResponse:
    """Add a list to those that the product has: a list of the site's own."""
    try:
        new_list = upkeep.add_list(request.form.get("code", ""), _names_from_form(), me().login)
    except Refused as error:
        return refusals.redirect_back(url_for(".show_lists"), error.code, "new-title")
    link_to_request("list", new_list.code, new_list.name_uz_latn, {}, _list_fields(new_list))
    flash(_("Saved: %(name)s", name=localized_name(new_list, locale())))
    return redirect(url_for(".show_list", name=new_list.code))


@screen.get("/<name>")
@may("list.read")
def show_list(name: str) -> str:
    """Show a list with its values.

    If an uploaded file awaits confirmation, the page also shows what the file would change.
    """
    return _render_list(_list_or_404(name))


@screen.post("/<name>")
@may("list.change")
def add_value(name: str) -> BaseResponse:
    """Add a value at the end of a list."""
    catalog = _list_or_404(name)
    try:
        new_value = upkeep.add_item(
            catalog.code, request.form.get("code", ""), _columns_from_form(), me().login
        )
    except Refused as error:
        return refusals.redirect_back(
            url_for(".show_list", name=name), error.code, "value-title", what=error.subject
        )
    _link_value_to_request(new_value, {})
    flash(_("Saved: %(name)s", name=localized_name(new_value, locale())))
    return redirect(url_for(".show_list", name=name))


@screen.post("/<name>/names")
@may("list.change")
def rename_list(name: str) -> BaseResponse:
    """Change the names of a list of the site's own."""
    before = _list_fields(_list_or_404(name))
    try:
        upkeep.rename_list(_list_or_404(name), _names_from_form(), me().login)
    except Refused as error:
        return refusals.redirect_back(
            url_for(".show_list", name=name), error.code, "names-title", what=error.subject
        )
    renamed_list = _list_or_404(name)
    link_to_request("list", name, renamed_list.name_uz_latn, before, _list_fields(renamed_list))
    flash(_("Saved."))
    return redirect(url_for(".show_list", name=name))


@screen.get("/<name>/list.csv")
@may("list.read")
def download_list(name: str) -> Response:
    """Send the list as a CSV file in the format that can be imported again."""
    csv_text = io.StringIO()
    catalogs.export_csv(_list_or_404(name).code, csv_text)
    audit.record_entry(me().login, "list.export", name)
    return Response(
        spreadsheets.BYTE_ORDER_MARK + csv_text.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


@screen.post("/<name>/file")
@accepts_file(MAX_FILE_BYTES + 4 * 1024)
@may("list.change")
def preview_import(name: str) -> BaseResponse:
    """Store an uploaded file, like a refused form; the page shows what it would change."""
    catalog, list_url = _list_or_404(name), url_for(".show_list", name=name)
    upload = request.files.get("file")
    if not upload or not upload.filename:
        return refusals.redirect_back(list_url, "file", "file-title")
    try:
        text = upload.read().decode("utf-8-sig")
        plan = changes.plan_import(catalog.code, text)
    except UnicodeDecodeError:
        return refusals.redirect_back(list_url, "utf8", "file-title")
    except SheetError as error:
        line = f"{error.line or ''}"
        return refusals.redirect_back(
            list_url, error.code, "file-title", what=error.what, line=line
        )
    except Refused as error:
        return refusals.redirect_back(list_url, error.code, "file-title", what=error.subject)
    return refusals.redirect_back(
        list_url, AWAITS_CONFIRMATION, "file-title", file=text, mark=plan.mark
    )


@screen.post("/<name>/import")
@may("list.change")
def confirm_import(name: str) -> BaseResponse:
    """Import the file that awaits confirmation, which the parameter `refused` identifies.

    This is refused if the list has changed since the user saw what the file would change.
    """
    catalog, list_url, refusal = (
        _list_or_404(name),
        url_for(".show_list", name=name),
        refusals.latest_refusal(),
    )
    if refusal.trouble != AWAITS_CONFIRMATION or refusal.address != url_for(
        ".preview_import", name=name
    ):
        return refusals.redirect_back(list_url, "changed", "file-title")
    try:
        plan = changes.apply_import(
            catalog.code, refusal.values["file"], refusal.values["mark"], me().login
        )
    except (SheetError, Refused) as error:
        return refusals.redirect_back(list_url, error.code, "file-title")
    link_to_request("list", name, catalog.name_uz_latn, *_plan_differences(plan))
    flash(_("Changed: %(count)s", count=len(plan.changes)))
    return redirect(list_url)


@screen.get("/<name>/<int:number>")
@may("list.read")
def show_value(name: str, number: int) -> str:
    """Show one value in the form, to be edited."""
    return _render_list(_list_or_404(name), _value_or_404(name, number))


@screen.post("/<name>/<int:number>")
@may("list.change")
def change_value(name: str, number: int) -> BaseResponse:
    """Change a value's names, or the days on which it is in use."""
    item = _value_or_404(name, number)
    before = _value_fields(item)
    try:
        upkeep.change_item(item, _columns_from_form(), me().login)
    except Refused as error:
        value_url = url_for(".show_value", name=name, number=number)
        return refusals.redirect_back(value_url, error.code, "value-title", what=error.subject)
    _link_value_to_request(_value_or_404(name, number), before)
    flash(_("Saved: %(name)s", name=localized_name(item, locale())))
    return redirect(url_for(".show_list", name=name))


@screen.post("/<name>/<int:number>/<any(retire, restore, up, down):step>")
@may("list.change")
def move_value(name: str, number: int, step: str) -> BaseResponse:
    """Retire a value, restore it, or swap it with the value above or below it."""
    item, list_url = _value_or_404(name, number), url_for(".show_list", name=name)
    before = _value_fields(item)
    try:
        if step == "retire":
            upkeep.retire_item(item, me().login)
        elif step == "restore":
            upkeep.restore_item(item, me().login)
        else:
            upkeep.move_item(item, step == "down", me().login)
    except Refused as error:
        return refusals.redirect_back(list_url, error.code, what=error.subject)
    _link_value_to_request(_value_or_404(name, number), before)
    return redirect(f"{list_url}#value-{number}")


def _render_list(catalog: "Catalog", edited_item: "CatalogItem | None" = None) -> str:
    """Render the page of a list; if `edited_item` is given, its values are in the form."""
    refusal = refusals.latest_refusal()
    has_upload = refusal.trouble == AWAITS_CONFIRMATION and refusal.address == url_for(
        ".preview_import", name=catalog.code
    )
    plan = _pending_plan(catalog.code, refusal) if has_upload else None
    current_day = today()
    return render_template(
        "lists/one.html",
        largest=MAX_FILE_BYTES,
        list=catalog,
        named=lambda thing: localized_name(thing, locale()),
        values=catalogs.list_items(catalog.code),
        in_use={
            v.id for v in catalogs.list_items(catalog.code) if catalogs.is_in_use(v, current_day)
        },
        fixed={
            v.code
            for v in catalogs.list_items(catalog.code)
            if upkeep.is_fixed(catalog.code, v.code)
        },
        uses=uses.count_code_uses(catalog.code),
        fields=_form_field_names(catalog.code),
        opened=edited_item,
        plan=plan,
        waits=request.args.get(refusals.REFUSAL_ARGUMENT, "") if plan else "",
        kinds=CHANGE_KINDS,
        columns=COLUMN_LABELS,
        day=current_day,
        **_form_context(),
    )


def _pending_plan(code: str, refusal: refusals.Refusal) -> ImportPlan | None:
    """Return what the file that awaits confirmation would change in the list now.

    Returns None if it can no longer be imported.
    """
    try:
        return changes.plan_import(code, refusal.values.get("file", ""))
    except (SheetError, Refused):
        return None


def _form_context() -> dict[str, Any]:
    """Return the context of the forms: the values of a refused one, why it was, and where."""
    refusal = refusals.latest_refusal()
    return {
        "keeps": can_open("lists.add_value"),
        "name_labels": NAMES,
        "was": refusal,
        "trouble": TROUBLES.get(refusal.trouble),
        "what": refusal.values.get("what", ""),
        "line": refusal.values.get("line", ""),
        "typed": refusal.values if refusal else MultiDict(),
    }


def _link_value_to_request(value: "CatalogItem", before: Fields) -> None:
    """Record a changed value in the change request that the form names, if it names one."""
    ref = f"{value.catalog}/{value.code}"
    link_to_request("list", ref, value.name_uz_latn, before, _value_fields(value))


def _list_fields(catalog: "Catalog") -> Fields:
    """Return a list's names as a change request shows them."""
    return {name: getattr(catalog, name) for name in NAMES}


def _value_fields(value: "CatalogItem") -> Fields:
    """Return a value's fields for a change request: days as text, the flag as "1" or ""."""
    days = {name: formats.date(getattr(value, name)) for name in ("active_from", "active_until")}
    names = {name: getattr(value, name) for name in NAMES}
    return names | days | {"active": "1" if value.active else ""}


def _plan_differences(plan: ImportPlan) -> tuple[Fields, Fields]:
    """Return the fields before and after an import, for a change request.

    Their names are "code/column", with the code of the value that was changed.
    """
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for change in plan.changes:
        if change.kind in ("added", "retired", "restored"):
            after[f"{change.code}/active"] = "" if change.kind == "retired" else "1"
            before[f"{change.code}/active"] = "1" if change.kind == "retired" else ""
        for column, pair in change.columns.items():
            old_text, new_text = (
                formats.date(v) if isinstance(v, dt.date) else str(v or "") for v in pair
            )
            before[f"{change.code}/{column}"], after[f"{change.code}/{column}"] = old_text, new_text
    return before, after


def _form_field_names(code: str) -> list[str]:
    """Return the names of the form fields that choose from a list, each with its form's number."""
    return [
        f"{field.localized_label(locale())} (№{form})"
        for form, field in uses.fields_choosing_from(code)
    ]


def _list_or_404(name: str) -> "Catalog":
    """Return the list with this code; abort with 404 if there is no such list."""
    return catalogs.find_catalog(name) or abort(404)


def _value_or_404(name: str, number: int) -> "CatalogItem":
    """Return the list's value with this id; abort with 404 if there is no such value."""
    return upkeep.find_item(name, number) or abort(404)


def _names_from_form() -> dict[str, str]:
    """Return the names that were typed in the form."""
    return {column: request.form.get(column, "") for column in NAMES}


def _columns_from_form() -> dict[str, Any]:
    """Return the names and days that were typed in the form; a blank day is None.

    Raises Refused with the code `date` if the text of a day is not a date.
    """
    days: dict[str, Any] = {}
    for column in ("active_from", "active_until"):
        typed = request.form.get(column, "").strip()
        days[column] = identity.parse_plausible_date(typed)
        if typed and not days[column]:
            raise Refused("date", subject=typed)
    return _names_from_form() | days
