"""Imports a list from a file in two steps: the changes are shown first, then applied.

They are applied only if the list is the same as when they were shown.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from appliance.casework.catalogs.columns import SCRIPT_BY_COLUMN, Row
from appliance.casework.catalogs.lists import list_items
from appliance.casework.catalogs.sheets import export_csv, find_sheet, read_rows
from appliance.casework.catalogs.upkeep import check_item, item_code
from appliance.core import audit
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import CatalogItem

COMPARED_COLUMNS = (*SCRIPT_BY_COLUMN, "active_from", "active_until", "position")


@dataclass(frozen=True)
class ItemChange:
    """The change of one value: `kind` is added, changed, retired or restored.

    "retired" is one that is no longer offered, "restored" one that is offered again. `columns` maps
    each column that differs in an existing value to (before, after); it is empty for "added".
    """

    kind: str
    code: str  # of the value
    name: str  # of the value, in Uzbek Latin
    columns: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class ImportPlan:
    """The effect that the import of a file would have on a list.

    `same` is the number of values that the file leaves unchanged, `not_in_file` the number of the
    list's values that are missing in the file; they stay. `mark` is a hash of the file and of the
    list as it was compared. `rows` are all rows of the file, as columns of CatalogItem.
    """

    changes: tuple[ItemChange, ...]
    same: int
    not_in_file: int
    mark: str
    rows: tuple[Row, ...]


def plan_import(catalog: str, text: str) -> ImportPlan:
    """Compare a list with the text of a CSV file; changes nothing.

    `catalog` is the list's code. Raises SheetError for the first wrong line, and Refused with the
    codes of item_code() and check_item() for a value that would be added or changed and is invalid.
    """
    rows = read_rows(find_sheet(catalog), io.StringIO(text, newline=""))
    existing = {item.code: item for item in list_items(catalog)}
    items_after = dict(existing)
    for row in rows:
        items_after[row["code"]] = CatalogItem(**row)
    changes = []
    for row in rows:
        existing_item = existing.get(row["code"])
        change = _item_change(row, existing_item)
        if change:
            item_code(row["code"], row)  # raises Refused for an invalid code
            check_item(
                row,
                [item for code, item in items_after.items() if code != row["code"]],
                existing_item,
            )
            changes.append(change)
    return ImportPlan(
        tuple(changes),
        same=len(rows) - len(changes),
        not_in_file=len(existing.keys() - {row["code"] for row in rows}),
        mark=_state_hash(catalog, text),
        rows=tuple(rows),
    )


def apply_import(catalog: str, text: str, mark: str, actor: str) -> ImportPlan:
    """Apply the changes that plan_import() finds in a CSV file's text; returns the plan.

    `mark` is that of the plan that the user saw, `actor` is recorded in the audit. Raises Refused
    "changed" if the list or the file has changed since, and the errors of plan_import().
    """
    with write_transaction():
        current = plan_import(catalog, text)
        if current.mark != mark:
            raise Refused("changed")
        if not current.changes:
            return current
        CatalogItem.insert_many(current.rows).on_conflict(
            conflict_target=[CatalogItem.catalog, CatalogItem.code],
            preserve=[
                *(getattr(CatalogItem, name) for name in COMPARED_COLUMNS),
                CatalogItem.active,
            ],
        ).execute()
        kinds = {change.code: change.kind for change in current.changes}
        audit.record_entry(actor, "list.import", catalog, changes=kinds)
    return current


def _item_change(row: Row, existing_item: CatalogItem | None) -> ItemChange | None:
    """Return the change that a file's row makes to a list's value, if any."""
    code_and_name = row["code"], row["name_uz_latn"]
    if not existing_item:
        return ItemChange("added", *code_and_name, {})
    columns = {
        name: (getattr(existing_item, name), row[name])
        for name in COMPARED_COLUMNS
        if getattr(existing_item, name) != row[name]
    }
    if row["active"] != existing_item.active:
        return ItemChange("restored" if row["active"] else "retired", *code_and_name, columns)
    return ItemChange("changed", *code_and_name, columns) if columns else None


def _state_hash(catalog: str, text: str) -> str:
    """Return a hash of a list's present content and of the text of a file to be imported."""
    exported = io.StringIO()
    export_csv(catalog, exported)
    return hashlib.sha256(f"{exported.getvalue()}\0{text}".encode()).hexdigest()
