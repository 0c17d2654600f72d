"""Maintenance of lists: values are added, changed, moved, retired and restored, never deleted."""

import csv
import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from appliance import PACKAGE
from appliance.casework.catalogs.columns import SCRIPT_BY_COLUMN, SHEETS
from appliance.casework.catalogs.lists import list_items
from appliance.casework.catalogs.places import PLACES
from appliance.core import audit, script
from appliance.core.db import write_transaction
from appliance.core.i18n import (
    equals_ignoring_spelling,
    fold_text,
    is_in_script,
    normalize_apostrophes,
)
from appliance.core.refusals import Refused
from appliance.core.statements import create_row, find_row
from appliance.models import Catalog, CatalogItem

type Row = Mapping[str, Any]

SEEDS = PACKAGE / "data"
# Legal deadlines, reports and routes use the built-in codes of these lists: their meaning is fixed.
FIXED_CATALOGS = ("appeal_type", "call_type", "call_direction", "direction")
_CODE = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


@functools.cache
def _seeded_codes(catalog: str) -> frozenset[str]:
    """Return the built-in codes of a list; empty for a list that is not one of FIXED_CATALOGS."""
    file = SEEDS / f"{catalog}.csv"
    if catalog not in FIXED_CATALOGS or not file.exists():
        return frozenset()
    with file.open(encoding="utf-8", newline="") as text:
        return frozenset(row["code"] for row in csv.DictReader(text))


def is_fixed(catalog: str, code: str) -> bool:
    """Return True if a value of the list `catalog` is built in, and its meaning must not change.

    Deadlines, reports or routes depend on such a value.
    """
    return code in _seeded_codes(catalog)


def check_item(
    row: Row, other_items: Iterable[CatalogItem], stored_item: CatalogItem | None = None
) -> None:
    """Raise Refused if a list value is invalid.

    `row`: columns of CatalogItem; `other_items`: the list's other values; `stored_item`: the value
    before the change. The code is "dates" if its period of use ends before it begins, "fixed" if a
    built-in value would be renamed, "same" if another value that is in use at the same time has
    one of its names (a retired value may have the name of another one), or one of check_names().
    """
    check_names(row)
    first_day, last_day = row["active_from"] or dt.date.min, row["active_until"] or dt.date.max
    if first_day > last_day:
        raise Refused("dates", subject=row["name_uz_latn"])
    if stored_item and is_fixed(stored_item.catalog, stored_item.code):
        for name in SCRIPT_BY_COLUMN:
            if not equals_ignoring_spelling(row[name], getattr(stored_item, name)):
                raise Refused("fixed", subject=stored_item.name_uz_latn)
    if not row["active"]:
        return
    names = {fold_text(row[name]) for name in SCRIPT_BY_COLUMN}
    for other in other_items:
        no_overlap = first_day > (other.active_until or dt.date.max) or last_day < (
            other.active_from or dt.date.min
        )
        if (
            other.active
            and not no_overlap
            and names & {fold_text(getattr(other, name)) for name in SCRIPT_BY_COLUMN}
        ):
            raise Refused("same", subject=other.name_uz_latn)


def check_names(row: Row) -> None:
    """Raise Refused "names" if one of a row's three names is missing.

    If a name is in the wrong script, the code is the name of its column.
    """
    if not all(fold_text(row[name]) for name in SCRIPT_BY_COLUMN):
        raise Refused("names", subject=row["name_uz_latn"])
    for name, letters in SCRIPT_BY_COLUMN.items():
        if not is_in_script(row[name], letters):
            raise Refused(name, subject=row[name])


def add_list(code: str, names: dict[str, str], actor: str) -> Catalog:
    """Add an empty list of the site's own; if `code` is empty, a code is made from its name.

    `names` has a name for each column of SCRIPT_BY_COLUMN. Returns the list. Raises Refused "known"
    if the code is used already, and the codes of check_names() and item_code().
    """
    names = _correct_names(names)
    check_names(names)
    code = item_code(code, names)
    with write_transaction():
        if code in (*SHEETS, *PLACES) or Catalog.get_or_none(Catalog.code == code):
            raise Refused("known", subject=code)
        position = Catalog.select().count() + 1
        catalog = create_row(Catalog, code=code, own=True, position=position, **names)
        audit.record_entry(actor, "list.add", code, **names)
    return catalog


def rename_list(catalog: Catalog, names: dict[str, str], actor: str) -> None:
    """Rename a list of the site's own.

    Raises Refused "fixed" for a built-in list, and the codes of check_names().
    """
    if not catalog.own:
        raise Refused("fixed", subject=catalog.name_uz_latn)
    names = _correct_names(names)
    check_names(names)
    with write_transaction():
        Catalog.update(names).where(Catalog.code == catalog.code).execute()
        audit.record_entry(actor, "list.rename", catalog.code, **names)


def find_item(catalog: str, number: int) -> CatalogItem | None:
    """Return the value with the id `number` of the list `catalog`, if any."""
    return find_row(CatalogItem, catalog=catalog, id=number)


def add_item(catalog: str, code: str, columns: Row, actor: str) -> CatalogItem:
    """Add a value at the end of the list `catalog`; returns the value.

    `columns` are its names, active_from and active_until (None for no limit). If `code` is empty, a
    code is made from its name. Raises Refused "known" if the list has the code already, and the
    codes of check_item() and item_code().
    """
    row = _correct_names(columns) | {"active": True}
    check_names(row)
    code = item_code(code, row)
    with write_transaction():
        other_items = list_items(catalog)
        if code in {other.code for other in other_items}:
            raise Refused("known", subject=code)
        check_item(row, other_items)
        last_position = max((other.position for other in other_items), default=0)
        position = last_position + 1
        item = create_row(CatalogItem, catalog=catalog, code=code, position=position, **row)
        audit.record_entry(actor, "list.item.add", f"{catalog} {code}", **_json_columns(row))
    return item


def change_item(item: CatalogItem, columns: Row, actor: str) -> None:
    """Change a value's names and its period of use; its code stays.

    `columns` are those of add_item(). Raises Refused with the codes of check_item().
    """
    with write_transaction():
        row = _correct_names(columns) | {"active": item.active}
        check_item(row, _other_items(item), item)
        CatalogItem.update(row).where(CatalogItem.id == item.id).execute()
        audit.record_entry(
            actor, "list.item.change", f"{item.catalog} {item.code}", **_json_columns(row)
        )


def retire_item(item: CatalogItem, actor: str) -> None:
    """Stop offering a value; records that have it keep it. Nothing happens if it is retired."""
    _set_active(item, False, actor)


def restore_item(item: CatalogItem, actor: str) -> None:
    """Offer a retired value again.

    Raises Refused with the codes of check_item(): "same" if another value that is in use at the
    same time has one of its names.
    """
    row = {name: getattr(item, name) for name in (*SCRIPT_BY_COLUMN, "active_from", "active_until")}
    with write_transaction():
        check_item(row | {"active": True}, _other_items(item))
        _set_active(item, True, actor)


def move_item(item: CatalogItem, down: bool, actor: str) -> None:
    """Swap a value with the one below it, or, if `down` is False, with the one above it.

    Nothing happens at the end of the list. All values of the list are numbered again from 1.
    """
    with write_transaction():
        order = list_items(item.catalog)
        index = next(number for number, other in enumerate(order) if other.id == item.id)
        new_index = index + (1 if down else -1)
        if not 0 <= new_index < len(order):
            return
        order[index], order[new_index] = order[new_index], order[index]
        for position, other in enumerate(order, 1):
            CatalogItem.update(position=position).where(CatalogItem.id == other.id).execute()
        audit.record_entry(
            actor, "list.item.move", f"{item.catalog} {item.code}", position=new_index + 1
        )


def _set_active(item: CatalogItem, active: bool, actor: str) -> None:
    """Retire or restore a value, and record it in the audit, unless it is so already."""
    needs_change = (CatalogItem.id == item.id, CatalogItem.active != active)
    with write_transaction():
        if CatalogItem.update(active=active).where(*needs_change).execute():
            action = "restore" if active else "retire"
            audit.record_entry(actor, f"list.item.{action}", f"{item.catalog} {item.code}")


def _other_items(item: CatalogItem) -> list[CatalogItem]:
    """Return the other values of a value's list, including retired ones."""
    return [other for other in list_items(item.catalog) if other.id != item.id]


def _correct_names(columns: Row) -> dict[str, Any]:
    """Return a copy of the columns with corrected spelling of their names.

    An empty Uzbek name in Cyrillic letters is transliterated from the Latin one.
    """
    names = {name: normalize_apostrophes(columns[name]) for name in SCRIPT_BY_COLUMN}
    names["name_uz_cyrl"] = names["name_uz_cyrl"] or script.transliterate_for_locale(
        names["name_uz_latn"], "uz_Cyrl"
    )
    return dict(columns) | names


def item_code(code: str, names: Row) -> str:
    """Return the typed code, or, if it is empty, one made from the Uzbek name in Latin letters.

    Raises Refused "code" if it is not 1-40 characters of a-z, 0-9 and, except at the start, "_".
    """
    code = code.strip() or fold_text(names["name_uz_latn"]).replace(" ", "_")[:40]
    if not _CODE.fullmatch(code):
        raise Refused("code", subject=code)
    return code


def _json_columns(row: Row) -> dict[str, Any]:
    """Return the columns for the audit's JSON, with dates in ISO format."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in row.items()
    }
