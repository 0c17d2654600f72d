"""Lists as CSV files: what the product brings along, what a site imports and exports."""

import csv
from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TextIO

from peewee import chunked

from appliance import PACKAGE
from appliance.casework.catalogs.columns import SHEETS, CellError, Row, Sheet, list_sheet
from appliance.casework.catalogs.lists import catalog
from appliance.casework.catalogs.places import remember, whole_mahallas
from appliance.core import spreadsheets
from appliance.core.db import in_pieces, in_turns, writing
from appliance.models import Mahalla

SEEDS = PACKAGE / "data"


class SheetError(ValueError):
    """A file that cannot be imported; says in which line and why. Nothing of it was kept.

    `code` names why, for the page to say it, `what` the cell or columns that are meant.
    """

    def __init__(self, told: str, code: str = "list", what: str = "", line: int = 0) -> None:
        super().__init__(f"line {line}: {told}" if line else told)
        self.code, self.what, self.line = code, what, line


def import_csv(name: str, file: TextIO) -> int:
    """Add the file's rows to the list, or bring known ones up to date; returns their number.

    Columns not asked for are passed over; a semicolon parts columns too, as office programs
    write it. Rows that the file lacks stay. Raises SheetError for the first wrong line.
    """
    sheet = sheet_of(name)
    rows = read(sheet, file)
    with writing():
        if sheet.model is Mahalla:
            _adopt_typed(rows)
        for some in chunked(rows, 500):
            sheet.model.insert_many(some).on_conflict(
                conflict_target=[getattr(sheet.model, column) for column in sheet.key],
                preserve=[getattr(sheet.model, column) for column in rows[0]],
            ).execute()
    if sheet.model is Mahalla:
        remember_all()
    return len(rows)


def remember_all() -> None:
    """Let every mahalla be found, in turns: there are ten thousand."""
    pieces = in_pieces(whole_mahallas(), Mahalla.id, 100)
    in_turns(partial(remember, piece) for piece in pieces)


def export_csv(name: str, file: TextIO) -> None:
    """Write the list as a file that import_csv reads back to the same."""
    sheet = sheet_of(name)
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
                    sheet.model.insert_many(read(sheet, file)).on_conflict_ignore().execute()
                added += sheet.rows().count() - before
    return added


def sheet_of(name: str) -> Sheet:
    """The file of a list, one of SHEETS or of the site's own lists. Raises SheetError."""
    if name in SHEETS:
        return SHEETS[name]
    if catalog(name):
        return list_sheet(name)
    raise SheetError(f"no such list: {name}; one of {', '.join(SHEETS)}")


def read(sheet: Sheet, file: TextIO) -> list[Row]:
    """The table's rows of a file. Raises SheetError for the first wrong line."""
    try:
        lines = file.read().lstrip("\ufeff").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise SheetError("the file is not UTF-8 text", "utf8") from error
    table = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    if missing := [c for c in sheet.needed if c not in (table.fieldnames or ())]:
        what = ", ".join(missing)
        raise SheetError(f"no column {what}", "column", what, 1)
    known = sheet.known()
    rows: dict[tuple[str, ...], Row] = {}
    for raw in table:
        cells = {c: " ".join(spreadsheets.typed(raw.get(c) or "").split()) for c in sheet.columns}
        line = table.line_num
        if empty := ", ".join(c for c in sheet.needed if not cells[c]):
            raise SheetError(f"{empty} is empty", "empty", empty, line)
        try:
            row = sheet.read(cells, known)
        except CellError as error:
            raise SheetError(str(error), error.code, error.cell, line) from error
        key = tuple(str(row[column]) for column in sheet.key)
        if key in rows:
            raise SheetError(f"{key[-1]} stands twice in the file", "twice", key[-1], line)
        rows[key] = row
    if not rows:
        raise SheetError("the file has no rows", "rows")
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
