"""Lists as CSV files: what the product brings along, what a site imports and exports."""

import csv
from collections.abc import Iterable
from itertools import chain
from typing import TextIO

from peewee import chunked

from appliance import PACKAGE
from appliance.casework.catalogs.columns import SHEETS, Row, Sheet
from appliance.core import spreadsheets
from appliance.core.db import writing
from appliance.models import Mahalla

SEEDS = PACKAGE / "data"


class SheetError(ValueError):
    """A file that cannot be imported; says in which line and why. Nothing of it was kept."""


def import_csv(name: str, file: TextIO) -> int:
    """Add the file's rows to the list, or bring known ones up to date; returns their number.

    Columns not asked for are passed over; a semicolon parts columns too, as office programs
    write it. Rows that the file lacks stay. Raises SheetError for the first wrong line.
    """
    sheet = _sheet(name)
    rows = _read(sheet, file)
    with writing():
        if sheet.model is Mahalla:
            _adopt_typed(rows)
        for some in chunked(rows, 500):
            sheet.model.insert_many(some).on_conflict(
                conflict_target=[getattr(sheet.model, column) for column in sheet.key],
                preserve=[getattr(sheet.model, column) for column in rows[0]],
            ).execute()
    return len(rows)


def export_csv(name: str, file: TextIO) -> None:
    """Write the list as a file that import_csv reads back to the same."""
    sheet = _sheet(name)
    cells = ([row[column] for column in sheet.columns] for row in map(sheet.write, sheet.rows()))
    file.writelines(spreadsheets.pieces(chain([sheet.columns], cells), end="\n"))


def seed() -> int:
    """Add what the product brings along and the site does not have; returns how many rows.

    What a site has changed stays as it is. Mahallas come from a file of the customer's.
    """
    added = 0
    with writing():
        for name, sheet in SHEETS.items():
            path = SEEDS / f"{name}.csv"
            if path.exists():
                before = sheet.rows().count()
                with path.open(encoding="utf-8", newline="") as file:
                    sheet.model.insert_many(_read(sheet, file)).on_conflict_ignore().execute()
                added += sheet.rows().count() - before
    return added


def _sheet(name: str) -> Sheet:
    if name not in SHEETS:
        raise SheetError(f"no such list: {name}; one of {', '.join(SHEETS)}")
    return SHEETS[name]


def _read(sheet: Sheet, file: TextIO) -> list[Row]:
    try:
        lines = file.read().lstrip("\ufeff").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise SheetError("the file is not UTF-8 text") from error
    table = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    if missing := [c for c in sheet.needed if c not in (table.fieldnames or ())]:
        raise SheetError(f"line 1: no column {', '.join(missing)}")
    known = sheet.known()
    rows: dict[tuple[str, ...], Row] = {}
    for raw in table:
        cells = {c: " ".join(spreadsheets.typed(raw.get(c) or "").split()) for c in sheet.columns}
        try:
            if empty := [c for c in sheet.needed if not cells[c]]:
                raise ValueError(f"{', '.join(empty)} is empty")
            row = sheet.read(cells, known)
            key = tuple(str(row[column]) for column in sheet.key)
            if key in rows:
                raise ValueError(f"{key[-1]} stands twice in the file")
        except ValueError as error:
            raise SheetError(f"line {table.line_num}: {error}") from error
        rows[key] = row
    if not rows:
        raise SheetError("the file has no rows")
    return list(rows.values())


def _adopt_typed(rows: Iterable[Row]) -> None:
    """A mahalla once typed by an operator becomes the listed one; its appeals keep it."""
    typed = {
        (m.district_id, m.search_key.strip("|")): m for m in Mahalla.select().where(Mahalla.typed)
    }
    for row in rows if typed else ():
        for key in row["search_key"].strip("|").split("|"):
            mahalla = typed.pop((row["district"], key), None)
            if mahalla and not Mahalla.select().where(Mahalla.code == row["code"]).exists():
                Mahalla.update(code=row["code"]).where(Mahalla.id == mahalla.id).execute()
