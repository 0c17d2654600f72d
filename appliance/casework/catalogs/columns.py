"""The columns of each list's CSV file, and their conversion to and from table rows."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from peewee import ModelSelect

from appliance.casework import identity
from appliance.casework.catalogs.keys import mahalla_search_key, search_key
from appliance.casework.catalogs.lists import CATALOGS
from appliance.core.i18n import is_in_script, normalize_apostrophes
from appliance.models import CalendarDay, Catalog, CatalogItem, District, Mahalla, Region

type Row = dict[str, Any]  # column → value: a row of the table, or the cells of a line of a file
REQUIRED_NAMES = ("name_uz_latn", "name_uz_cyrl")
# the script in which each name of a value or place is written
SCRIPT_BY_COLUMN = {"name_uz_latn": "Latn", "name_uz_cyrl": "Cyrl", "name_ru": "Cyrl"}


@dataclass(frozen=True)
class Sheet:
    """How a list is written in a CSV file and stored in the table `model`.

    `key`: the table's columns that identify a row. `needed`: the columns that a file must have,
    without empty cells; a file may lack the `optional` ones. `read` converts a file's cells to a
    table row and raises CellError for invalid ones; its second argument is the codes in the
    `parent` table (e.g. regions, for districts), empty for a list without such a table. `write`
    converts a table row to cells. `rows` returns the query of all rows to export.
    """

    model: type[Any]
    key: tuple[str, ...]
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Row, Collection[str]], Row]
    write: Callable[[Any], Row]
    rows: Callable[[], ModelSelect]
    parent: type[Any] | None = None

    @property
    def all_columns(self) -> tuple[str, ...]:
        """All columns, in the file's order."""
        return (*self.needed, *self.optional)

    def parent_codes(self) -> set[str]:
        """Return the codes that a row may name as its parent; empty if the list has no parents."""
        return {row.soato for row in self.parent.select()} if self.parent else set()


def _name_cells(cells: Row) -> Row:
    """Return the three names of a place, day or value, unchanged."""
    return {column: cells[column] for column in (*REQUIRED_NAMES, "name_ru")}


class CellError(ValueError):
    """A cell with a value that its column does not accept.

    `reason` completes the message after the cell's text: "is no date"; if `cell` is "", it is the
    whole message. `code`, by which the page chooses its message, is "cell", or the name of the
    column if a name is in the wrong script.
    """

    def __init__(self, cell: str, reason: str, code: str = "cell") -> None:
        super().__init__(f"{cell} {reason}" if cell else reason)
        self.cell, self.code = cell, code


def _parent_code(parent_codes: Collection[str], code: str) -> str:
    """Return `code`, of the place that contains a row's place, if it is among `parent_codes`.

    Raises CellError if it is not.
    """
    if code not in parent_codes:
        raise CellError("", f"no such place: {code}")
    return code


def _parse_flag(cell: str) -> bool:
    """Return the flag in a cell; an empty one is True. Raises CellError if it is not 0 or 1."""
    if cell not in ("0", "1", ""):
        raise CellError(cell, "is neither 0 nor 1")
    return cell != "0"


def _parse_integer(cell: str) -> int:
    """Return the number in a cell; raises CellError if it is not one of at most nine digits."""
    if not cell.isdecimal() or len(cell) > 9:
        raise CellError(cell, "is no whole number")
    return int(cell)


def _parse_date(cell: str) -> dt.date:
    """Return the date in a cell; raises CellError if it is not a plausible date."""
    date = identity.parse_plausible_date(cell)
    if not date:
        raise CellError(cell, "is no date")
    return date


def _read_region(cells: Row, parent_codes: Collection[str]) -> Row:
    """Return the table row of a region from a file's cells; see Sheet.read."""
    return _name_cells(cells) | {
        "soato": cells["soato"],
        "position": _parse_integer(cells["position"]),
    }


def _read_district(cells: Row, parent_codes: Collection[str]) -> Row:
    """Return the table row of a district from a file's cells; see Sheet.read.

    `aliases` are former names, separated by bars; the district is found by them, too.
    """
    names = _name_cells(cells)
    return names | {
        "soato": cells["soato"],
        "region": _parent_code(parent_codes, cells["region_soato"]),
        "aliases": cells["aliases"],
        "search_key": search_key(*names.values(), *cells["aliases"].split("|")),
    }


def _read_mahalla(cells: Row, parent_codes: Collection[str]) -> Row:
    """Return the table row of a mahalla from a file's cells; see Sheet.read."""
    names = _name_cells(cells)
    return names | {
        "code": cells["code"],
        "district": _parent_code(parent_codes, cells["district_soato"]),
        "search_key": mahalla_search_key(*names.values()),
        "typed": False,
    }


def _read_calendar_day(cells: Row, parent_codes: Collection[str]) -> Row:
    """Return the table row of a calendar day from a file's cells; see Sheet.read.

    Raises CellError for an invalid date or flag.
    """
    return _name_cells(cells) | {
        "date": _parse_date(cells["date"]),
        "kind": cells["kind"],
        "working": _parse_flag(cells["working"]),
    }


def _checked_names(cells: Row) -> Row:
    """Return the names of a list or of a list's value with corrected apostrophes and blanks.

    Raises CellError for a name in the wrong script.
    """
    for column, script in SCRIPT_BY_COLUMN.items():
        if not is_in_script(cells[column], script):
            alphabet = {"Latn": "Latin", "Cyrl": "Cyrillic"}[script]
            raise CellError(cells[column], f"is not written in {alphabet} letters", column)
    return {column: normalize_apostrophes(name) for column, name in _name_cells(cells).items()}


def _item_reader(catalog: str) -> Callable[[Row, Collection[str]], Row]:
    """Return the function (see Sheet.read) that reads a value of the list with this code."""
    return lambda cells, parent_codes: (
        _checked_names(cells)
        | {
            "catalog": catalog,
            "code": cells["code"],
            "position": _parse_integer(cells["position"]),
            "active": _parse_flag(cells["active"]),
            "active_from": _parse_date(cells["active_from"]) if cells["active_from"] else None,
            "active_until": _parse_date(cells["active_until"]) if cells["active_until"] else None,
        }
    )


def _cell_writer(*columns: str) -> Callable[[Any], Row]:
    """Return a function that converts a table row to the cells of these columns.

    The function returns {column: cell}. Booleans become 0 and 1. In region_soato or district_soato
    it returns the code of the place that contains the row's place.
    """

    def write_cells(table_row: Any) -> Row:
        """Return {column: cell} for the columns that were passed to _cell_writer()."""
        # region_id and district_id are peewee's values of the foreign keys, which hold SOATO codes
        values = {column: getattr(table_row, column.replace("_soato", "_id")) for column in columns}
        return {
            column: int(value) if isinstance(value, bool) else value
            for column, value in values.items()
        }

    return write_cells


def _read_list(cells: Row, parent_codes: Collection[str]) -> Row:
    """Return the table row of a list itself from a file's cells; see Sheet.read.

    `own` is 1 for a list that the site has added, else it is built in.
    """
    return _checked_names(cells) | {
        "code": cells["code"],
        "position": _parse_integer(cells["position"]),
        "own": cells["own"] == "1",
    }


def list_sheet(catalog: str) -> Sheet:
    """Return how the values of the list with the code `catalog` are written in a file."""
    needed = ("code", "position", *REQUIRED_NAMES)
    optional = ("name_ru", "active", "active_from", "active_until")
    return Sheet(
        model=CatalogItem,
        key=("catalog", "code"),
        needed=needed,
        optional=optional,
        read=_item_reader(catalog),
        write=_cell_writer(*needed, *optional),
        rows=lambda: (
            CatalogItem.select()
            .where(CatalogItem.catalog == catalog)
            .order_by(CatalogItem.position, CatalogItem.code)
        ),
    )


# by the name of the list in commands, which is also that of its built-in file in data/, if any
SHEETS: dict[str, Sheet] = {
    "regions": Sheet(
        model=Region,
        key=("soato",),
        needed=("soato", "position", *REQUIRED_NAMES),
        optional=("name_ru",),
        read=_read_region,
        write=_cell_writer("soato", "position", *REQUIRED_NAMES, "name_ru"),
        rows=lambda: Region.select().order_by(Region.position),
    ),
    "districts": Sheet(
        model=District,
        key=("soato",),
        needed=("soato", "region_soato", *REQUIRED_NAMES),
        optional=("name_ru", "aliases"),
        read=_read_district,
        write=_cell_writer("soato", "region_soato", *REQUIRED_NAMES, "name_ru", "aliases"),
        rows=lambda: District.select().order_by(District.soato),
        parent=Region,
    ),
    "mahallas": Sheet(
        model=Mahalla,
        key=("code",),
        needed=("code", "district_soato", *REQUIRED_NAMES),
        optional=("name_ru",),
        read=_read_mahalla,
        write=_cell_writer("code", "district_soato", *REQUIRED_NAMES, "name_ru"),
        rows=lambda: Mahalla.select().where(~Mahalla.typed).order_by(Mahalla.code),
        parent=District,
    ),
    "calendar": Sheet(
        model=CalendarDay,
        key=("date",),
        needed=("date", "kind", "working", *REQUIRED_NAMES),
        optional=("name_ru",),
        read=_read_calendar_day,
        write=_cell_writer("date", "kind", "working", *REQUIRED_NAMES, "name_ru"),
        rows=lambda: CalendarDay.select().order_by(CalendarDay.date),
    ),
    "catalogs": Sheet(
        model=Catalog,
        key=("code",),
        needed=("code", "position", *REQUIRED_NAMES),
        optional=("name_ru", "own"),
        read=_read_list,
        write=_cell_writer("code", "position", *REQUIRED_NAMES, "name_ru", "own"),
        rows=lambda: Catalog.select().order_by(Catalog.own, Catalog.position, Catalog.code),
    ),
    **{catalog: list_sheet(catalog) for catalog in CATALOGS},
}
