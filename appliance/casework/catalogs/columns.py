"""What the columns of each list's file are, and what they mean in the table."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from peewee import ModelSelect

from appliance.casework import identity
from appliance.casework.catalogs.keys import key_of, mahalla_key
from appliance.casework.catalogs.lists import CATALOGS
from appliance.core.i18n import spelt, written_in
from appliance.models import CalendarDay, Catalog, CatalogItem, District, Mahalla, Region

type Row = dict[str, Any]
NAMES = ("name_uz_latn", "name_uz_cyrl")
SCRIPTS = {"name_uz_latn": "Latn", "name_uz_cyrl": "Cyrl", "name_ru": "Cyrl"}


@dataclass(frozen=True)
class Sheet:
    """One kind of file: `key` finds a row again, the cells of `needed` columns are never empty.

    `read` makes the table's row of a file's cells and raises ValueError for what cannot be;
    `known` are the codes that a row's parent may have, read from the `parent` table.
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
    def columns(self) -> tuple[str, ...]:
        """All the columns, in the file's order."""
        return (*self.needed, *self.optional)

    def known(self) -> set[str]:
        """The codes that a row's parent may have."""
        return {row.soato for row in self.parent.select()} if self.parent else set()


def _names(cells: Row) -> Row:
    return {column: cells[column] for column in (*NAMES, "name_ru")}


class CellError(ValueError):
    """A cell that cannot be what its column asks for; a name in the wrong script has its column
    as the code."""

    def __init__(self, cell: str, why: str, code: str = "cell") -> None:
        super().__init__(f"{cell} {why}" if cell else why)
        self.cell, self.code = cell, code


def _of(known: Collection[str], code: str) -> str:
    if code not in known:
        raise CellError("", f"no such place: {code}")
    return code


def _flag(cell: str) -> bool:
    if cell not in ("0", "1", ""):
        raise CellError(cell, "is neither 0 nor 1")
    return cell != "0"


def _whole(cell: str) -> int:
    if not cell.isdecimal() or len(cell) > 9:
        raise CellError(cell, "is no whole number")
    return int(cell)


def _date(cell: str) -> dt.date:
    found = identity.day(cell)
    if not found:
        raise CellError(cell, "is no date")
    return found


def _region(cells: Row, known: Collection[str]) -> Row:
    return _names(cells) | {"soato": cells["soato"], "position": _whole(cells["position"])}


def _district(cells: Row, known: Collection[str]) -> Row:
    names = _names(cells)
    return names | {
        "soato": cells["soato"],
        "region": _of(known, cells["region_soato"]),
        "aliases": cells["aliases"],
        "search_key": key_of(*names.values(), *cells["aliases"].split("|")),
    }


def _mahalla(cells: Row, known: Collection[str]) -> Row:
    names = _names(cells)
    return names | {
        "code": cells["code"],
        "district": _of(known, cells["district_soato"]),
        "search_key": mahalla_key(*names.values()),
        "typed": False,
    }


def _day(cells: Row, known: Collection[str]) -> Row:
    return _names(cells) | {
        "date": _date(cells["date"]),
        "kind": cells["kind"],
        "working": _flag(cells["working"]),
    }


def _own_names(cells: Row) -> Row:
    """The names of a value of a list, as Uzbek Latin spells them, each in its script."""
    for column, script in SCRIPTS.items():
        if not written_in(cells[column], script):
            alphabet = {"Latn": "Latin", "Cyrl": "Cyrillic"}[script]
            raise CellError(cells[column], f"is not written in {alphabet} letters", column)
    return {column: spelt(name) for column, name in _names(cells).items()}


def _item(catalog: str) -> Callable[[Row, Collection[str]], Row]:
    return lambda cells, known: (
        _own_names(cells)
        | {
            "catalog": catalog,
            "code": cells["code"],
            "position": _whole(cells["position"]),
            "active": _flag(cells["active"]),
            "active_from": _date(cells["active_from"]) if cells["active_from"] else None,
            "active_until": _date(cells["active_until"]) if cells["active_until"] else None,
        }
    )


def _written(*columns: str) -> Callable[[Any], Row]:
    """A row's cells: booleans as 0 and 1, a parent as its code."""

    def write(row: Any) -> Row:
        values = {c: getattr(row, c.replace("_soato", "_id")) for c in columns}
        return {c: int(v) if isinstance(v, bool) else v for c, v in values.items()}

    return write


def _list(cells: Row, known: Collection[str]) -> Row:
    return _own_names(cells) | {
        "code": cells["code"],
        "position": _whole(cells["position"]),
        "own": cells["own"] == "1",
    }


def list_sheet(catalog: str) -> Sheet:
    """The file of one list's values."""
    needed = ("code", "position", *NAMES)
    optional = ("name_ru", "active", "active_from", "active_until")
    return Sheet(
        model=CatalogItem,
        key=("catalog", "code"),
        needed=needed,
        optional=optional,
        read=_item(catalog),
        write=_written(*needed, *optional),
        rows=lambda: (
            CatalogItem.select()
            .where(CatalogItem.catalog == catalog)
            .order_by(CatalogItem.position, CatalogItem.code)
        ),
    )


SHEETS: dict[str, Sheet] = {
    "regions": Sheet(
        model=Region,
        key=("soato",),
        needed=("soato", "position", *NAMES),
        optional=("name_ru",),
        read=_region,
        write=_written("soato", "position", *NAMES, "name_ru"),
        rows=lambda: Region.select().order_by(Region.position),
    ),
    "districts": Sheet(
        model=District,
        key=("soato",),
        needed=("soato", "region_soato", *NAMES),
        optional=("name_ru", "aliases"),
        read=_district,
        write=_written("soato", "region_soato", *NAMES, "name_ru", "aliases"),
        rows=lambda: District.select().order_by(District.soato),
        parent=Region,
    ),
    "mahallas": Sheet(
        model=Mahalla,
        key=("code",),
        needed=("code", "district_soato", *NAMES),
        optional=("name_ru",),
        read=_mahalla,
        write=_written("code", "district_soato", *NAMES, "name_ru"),
        rows=lambda: Mahalla.select().where(~Mahalla.typed).order_by(Mahalla.code),
        parent=District,
    ),
    "calendar": Sheet(
        model=CalendarDay,
        key=("date",),
        needed=("date", "kind", "working", *NAMES),
        optional=("name_ru",),
        read=_day,
        write=_written("date", "kind", "working", *NAMES, "name_ru"),
        rows=lambda: CalendarDay.select().order_by(CalendarDay.date),
    ),
    "catalogs": Sheet(
        model=Catalog,
        key=("code",),
        needed=("code", "position", *NAMES),
        optional=("name_ru", "own"),
        read=_list,
        write=_written("code", "position", *NAMES, "name_ru", "own"),
        rows=lambda: Catalog.select().order_by(Catalog.own, Catalog.position, Catalog.code),
    ),
    **{catalog: list_sheet(catalog) for catalog in CATALOGS},
}
