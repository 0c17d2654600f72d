"""Lists as CSV files: the product's built-in data, and a site's imports and exports."""

import csv
from collections.abc import Iterable
from functools import partial
from itertools import chain
from typing import TextIO

from peewee import chunked

from appliance import PACKAGE
from appliance.casework.catalogs.columns import SHEETS, CellError, Row, Sheet, list_sheet
from appliance.casework.catalogs.lists import find_catalog
from appliance.casework.catalogs.places import index_mahallas, mahallas_with_areas
from appliance.core import spreadsheets
from appliance.core.db import in_short_transactions, row_batches, write_transaction
from appliance.models import Mahalla

SEEDS = PACKAGE / "data"


class SheetError(ValueError):
    """A file cannot be imported, and nothing of it was stored; or there is no such list.

    `reason` is the English text for commands and logs, `code` the kind of error, for which the page
    has a text; `what` is the cell or the columns concerned, "" for the whole file; `line` is the
    number of the wrong line, 0 if no line is concerned.
    """

    def __init__(self, reason: str, code: str = "list", what: str = "", line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.code, self.what, self.line = code, what, line


def import_list_csv(list_name: str, file: TextIO) -> int:
    """Add the file's rows to a list, or update existing ones; returns the number of rows.

    `list_name` is a name for find_sheet(). Unknown columns are ignored; the separator may be a
    semicolon, as office programs write it. Rows of the list that are not in the file stay. Raises
    SheetError for the first wrong line, or if there is no such list.
    """
    sheet = find_sheet(list_name)
    rows = read_rows(sheet, file)
    with write_transaction():
        if sheet.model is Mahalla:
            _adopt_typed_mahallas(rows)
        for batch in chunked(rows, 500):
            sheet.model.insert_many(batch).on_conflict(
                conflict_target=[getattr(sheet.model, column) for column in sheet.key],
                preserve=[getattr(sheet.model, column) for column in rows[0]],
            ).execute()
    if sheet.model is Mahalla:
        index_all_mahallas()
    return len(rows)


def index_all_mahallas() -> None:
    """Add every mahalla to the search index, in short transactions: there are ten thousand."""
    batches = row_batches(mahallas_with_areas(), Mahalla.id, 100)
    in_short_transactions(partial(index_mahallas, batch) for batch in batches)


def export_csv(list_name: str, file: TextIO) -> None:
    """Write a list, by a name for find_sheet(), to a CSV file that import_list_csv() reads.

    Importing it again would change nothing. Raises SheetError if there is no such list.
    """
    sheet = find_sheet(list_name)
    cells = (
        [row[column] for column in sheet.all_columns] for row in map(sheet.write, sheet.rows())
    )
    file.writelines(spreadsheets.csv_pieces(chain([sheet.all_columns], cells), end="\n"))


def seed_lists() -> int:
    """Add the built-in data that the site does not have yet; returns the number of rows added.

    Rows that the site has changed are not overwritten. Mahallas are not built in: the customer
    imports them.
    """
    added = 0
    with write_transaction():
        for name, sheet in SHEETS.items():
            path = SEEDS / f"{name}.csv"
            if path.exists():
                count_before = sheet.rows().count()
                with path.open(encoding="utf-8", newline="") as file:
                    sheet.model.insert_many(read_rows(sheet, file)).on_conflict_ignore().execute()
                added += sheet.rows().count() - count_before
    return added


def find_sheet(name: str) -> Sheet:
    """Return how a list is written in a file; `name` is a key of SHEETS, or the code of a list.

    Raises SheetError if there is no such list.
    """
    if name in SHEETS:
        return SHEETS[name]
    if find_catalog(name):
        return list_sheet(name)
    raise SheetError(f"no such list: {name}; one of {', '.join(SHEETS)}")


def read_rows(sheet: Sheet, file: TextIO) -> list[Row]:
    """Return the rows of a CSV file, converted for the sheet's table.

    Raises SheetError for the first wrong line, a missing column, a file without rows, or one that
    is not UTF-8.
    """
    try:
        lines = file.read().lstrip("\ufeff").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise SheetError("the file is not UTF-8 text", "utf8") from error
    table = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    if missing := [column for column in sheet.needed if column not in (table.fieldnames or ())]:
        what = ", ".join(missing)
        raise SheetError(f"no column {what}", "column", what, 1)
    parent_codes = sheet.parent_codes()
    rows: dict[tuple[str, ...], Row] = {}
    for raw in table:
        cells = {
            column: " ".join(spreadsheets.unescape_formulas(raw.get(column) or "").split())
            for column in sheet.all_columns
        }
        line = table.line_num
        if empty := ", ".join(column for column in sheet.needed if not cells[column]):
            raise SheetError(f"{empty} is empty", "empty", empty, line)
        try:
            row = sheet.read(cells, parent_codes)
        except CellError as error:
            raise SheetError(str(error), error.code, error.cell, line) from error
        key = tuple(str(row[column]) for column in sheet.key)
        if key in rows:
            raise SheetError(f"{key[-1]} stands twice in the file", "twice", key[-1], line)
        rows[key] = row
    if not rows:
        raise SheetError("the file has no rows", "rows")
    return list(rows.values())


def _adopt_typed_mahallas(rows: Iterable[Row]) -> None:
    """Give mahallas that operators typed the code of the file's mahalla of the same name.

    `rows` are those of the file. The names must be in the same district, and the code not yet in
    use. The import then completes the typed row, to which appeals refer, instead of adding another
    one.
    """
    typed_mahallas = {
        (typed_mahalla.district_id, typed_mahalla.search_key.strip("|")): typed_mahalla
        for typed_mahalla in Mahalla.select().where(Mahalla.typed)
    }
    for row in rows if typed_mahallas else ():
        for key in row["search_key"].strip("|").split("|"):
            mahalla = typed_mahallas.pop((row["district"], key), None)
            if mahalla and not Mahalla.select().where(Mahalla.code == row["code"]).exists():
                Mahalla.update(code=row["code"]).where(Mahalla.id == mahalla.id).execute()
