"""What a file would change in a list: shown first, done when nobody has changed the list since."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from appliance.casework.catalogs.columns import SCRIPTS, Row
from appliance.casework.catalogs.lists import items
from appliance.casework.catalogs.sheets import export_csv, read, sheet_of
from appliance.casework.catalogs.upkeep import ListError, check, coded
from appliance.core import audit
from appliance.core.db import writing
from appliance.models import CatalogItem

COLUMNS = (*SCRIPTS, "active_from", "active_until", "position")


@dataclass(frozen=True)
class Change:
    """What becomes of one value: `kind` is added, changed, retired or restored.

    `columns`: column → (before, after), of a value that was there.
    """

    kind: str
    code: str
    name: str
    columns: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Plan:
    """What a file would do: `same` values stay as the file says, `left` are not in it and stay.

    `mark` stands for the list as it was looked at and for the file.
    """

    changes: tuple[Change, ...]
    same: int
    left: int
    mark: str
    rows: tuple[Row, ...]


def plan(catalog: str, text: str) -> Plan:
    """Compare a list with the text of a CSV file; changes nothing.

    Raises SheetError for the first wrong line, ListError for what the list may not become.
    """
    rows = read(sheet_of(catalog), io.StringIO(text, newline=""))
    known = {one.code: one for one in items(catalog)}
    after = dict(known)
    for row in rows:
        after[row["code"]] = CatalogItem(**row)
    found = []
    for row in rows:
        before = known.get(row["code"])
        change = _change(row, before)
        if change:
            coded(row["code"], row)
            check(row, [one for code, one in after.items() if code != row["code"]], before)
            found.append(change)
    return Plan(
        tuple(found),
        same=len(rows) - len(found),
        left=len(known.keys() - {row["code"] for row in rows}),
        mark=_mark(catalog, text),
        rows=tuple(rows),
    )


def apply(catalog: str, text: str, mark: str, by: str) -> Plan:
    """Do what `plan` showed. Raises ListError "changed" when the list was changed since."""
    with writing():
        now = plan(catalog, text)
        if now.mark != mark:
            raise ListError("changed")
        if not now.changes:
            return now
        CatalogItem.insert_many(now.rows).on_conflict(
            conflict_target=[CatalogItem.catalog, CatalogItem.code],
            preserve=[*(getattr(CatalogItem, name) for name in COLUMNS), CatalogItem.active],
        ).execute()
        kinds = {change.code: change.kind for change in now.changes}
        audit.record(by, "list.import", catalog, changes=kinds)
    return now


def _change(row: Row, before: CatalogItem | None) -> Change | None:
    shown = row["code"], row["name_uz_latn"]
    if not before:
        return Change("added", *shown, {})
    columns = {
        name: (getattr(before, name), row[name])
        for name in COLUMNS
        if getattr(before, name) != row[name]
    }
    if row["active"] != before.active:
        return Change("restored" if row["active"] else "retired", *shown, columns)
    return Change("changed", *shown, columns) if columns else None


def _mark(catalog: str, text: str) -> str:
    now = io.StringIO()
    export_csv(catalog, now)
    return hashlib.sha256(f"{now.getvalue()}\0{text}".encode()).hexdigest()
