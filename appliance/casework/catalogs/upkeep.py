"""The upkeep of lists: a value is added, changed, moved, retired and taken back, never deleted."""

import csv
import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from appliance import PACKAGE
from appliance.casework.catalogs.columns import SCRIPTS as NAMES
from appliance.casework.catalogs.columns import SHEETS
from appliance.casework.catalogs.lists import items
from appliance.casework.catalogs.places import PLACES
from appliance.core import audit, script
from appliance.core.db import writing
from appliance.core.i18n import fold, same_but_spelling, spelt, written_in
from appliance.models import Catalog, CatalogItem

type Row = Mapping[str, Any]

SEEDS = PACKAGE / "data"
# by whose codes the law's terms, the reports and the routes go: what a value there means is fixed
COUNTED = ("appeal_type", "call_type", "call_direction", "direction")
_CODE = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


class ListError(ValueError):
    """A list cannot be changed so; `code` names why, `what` the name that is meant.

    Codes: "names", the columns of NAMES (wrong script), "code", "known", "same", "fixed", "dates",
    "changed" (by another, since it was shown).
    """

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(f"{code}: {what}" if what else code)
        self.code, self.what = code, what


@functools.cache
def _brought(catalog: str) -> frozenset[str]:
    file = SEEDS / f"{catalog}.csv"
    if catalog not in COUNTED or not file.exists():
        return frozenset()
    with file.open(encoding="utf-8", newline="") as text:
        return frozenset(row["code"] for row in csv.DictReader(text))


def is_fixed(catalog: str, code: str) -> bool:
    """Whether a value comes with the product and reports stand on it: it keeps its meaning."""
    return code in _brought(catalog)


def check(row: Row, others: Iterable[CatalogItem], before: CatalogItem | None = None) -> None:
    """Raise ListError for what a value of a list may not be.

    `row`: columns of CatalogItem; `others`: the values beside it; `before`: the value as it stands.
    """
    check_names(row)
    begins, ends = row["active_from"] or dt.date.min, row["active_until"] or dt.date.max
    if begins > ends:
        raise ListError("dates", row["name_uz_latn"])
    if before and is_fixed(before.catalog, before.code):
        for name in NAMES:
            if not same_but_spelling(row[name], getattr(before, name)):
                raise ListError("fixed", before.name_uz_latn)
    if not row["active"]:
        return
    names = {fold(row[name]) for name in NAMES}
    for other in others:
        apart = begins > (other.active_until or dt.date.max) or ends < (
            other.active_from or dt.date.min
        )
        if other.active and not apart and names & {fold(getattr(other, n)) for n in NAMES}:
            raise ListError("same", other.name_uz_latn)


def check_names(row: Row) -> None:
    """Raise ListError "names" when one lacks, or the column whose name is in the wrong script."""
    if not all(fold(row[name]) for name in NAMES):
        raise ListError("names", row["name_uz_latn"])
    for name, letters in NAMES.items():
        if not written_in(row[name], letters):
            raise ListError(name, row[name])


def add_list(code: str, names: dict[str, str], by: str) -> Catalog:
    """Add an empty list of the site's own; without a code it gets one of its name.

    Raises ListError "names", a column of NAMES, "code", "known".
    """
    names = _spelt(names)
    check_names(names)
    code = coded(code, names)
    with writing():
        if code in (*SHEETS, *PLACES) or Catalog.get_or_none(Catalog.code == code):
            raise ListError("known", code)
        made = Catalog.create(code=code, own=True, position=Catalog.select().count() + 1, **names)
        audit.record(by, "list.add", code, **names)
    return made


def rename_list(catalog: Catalog, names: dict[str, str], by: str) -> None:
    """Give a list of the site's own other names. Raises ListError; "fixed" for the product's."""
    if not catalog.own:
        raise ListError("fixed", catalog.name_uz_latn)
    names = _spelt(names)
    check_names(names)
    with writing():
        Catalog.update(names).where(Catalog.code == catalog.code).execute()
        audit.record(by, "list.rename", catalog.code, **names)


def item(catalog: str, number: int) -> CatalogItem | None:
    """A value of a list by its id."""
    return CatalogItem.get_or_none(CatalogItem.catalog == catalog, CatalogItem.id == number)


def add(catalog: str, code: str, columns: Row, by: str) -> CatalogItem:
    """Add a value at the end of a list; `columns`: names, active_from, active_until.

    Without a code it gets one of its name. Raises ListError.
    """
    row = _spelt(columns) | {"active": True}
    check_names(row)
    code = coded(code, row)
    with writing():
        others = items(catalog)
        if code in {other.code for other in others}:
            raise ListError("known", code)
        check(row, others)
        last = max((other.position for other in others), default=0)
        made = CatalogItem.create(catalog=catalog, code=code, position=last + 1, **row)
        audit.record(by, "list.item.add", f"{catalog} {code}", **_as_json(row))
    return made


def change(one: CatalogItem, columns: Row, by: str) -> None:
    """Change a value's names and the days it is in use; its code stays. Raises ListError."""
    with writing():
        row = _spelt(columns) | {"active": one.active}
        check(row, _beside(one), one)
        CatalogItem.update(row).where(CatalogItem.id == one.id).execute()
        audit.record(by, "list.item.change", f"{one.catalog} {one.code}", **_as_json(row))


def retire(one: CatalogItem, by: str) -> None:
    """Let a value be chosen no more; what was registered with it keeps it."""
    _activate(one, False, by)


def restore(one: CatalogItem, by: str) -> None:
    """Let a retired value be chosen again. Raises ListError "same"."""
    row = {name: getattr(one, name) for name in (*NAMES, "active_from", "active_until")}
    with writing():
        check(row | {"active": True}, _beside(one))
        _activate(one, True, by)


def move(one: CatalogItem, down: bool, by: str) -> None:
    """Let a value change places with the one above or below it; nothing happens at the ends."""
    with writing():
        order = items(one.catalog)
        here = next(n for n, other in enumerate(order) if other.id == one.id)
        there = here + (1 if down else -1)
        if not 0 <= there < len(order):
            return
        order[here], order[there] = order[there], order[here]
        for position, other in enumerate(order, 1):
            CatalogItem.update(position=position).where(CatalogItem.id == other.id).execute()
        audit.record(by, "list.item.move", f"{one.catalog} {one.code}", position=there + 1)


def _activate(one: CatalogItem, active: bool, by: str) -> None:
    unchanged = (CatalogItem.id == one.id, CatalogItem.active != active)
    with writing():
        if CatalogItem.update(active=active).where(*unchanged).execute():
            done = "restore" if active else "retire"
            audit.record(by, f"list.item.{done}", f"{one.catalog} {one.code}")


def _beside(one: CatalogItem) -> list[CatalogItem]:
    return [other for other in items(one.catalog) if other.id != one.id]


def _spelt(columns: Row) -> dict[str, Any]:
    """The columns with their names spelt; an empty Cyrillic one is written from the Latin one."""
    names = {name: spelt(columns[name]) for name in NAMES}
    names["name_uz_cyrl"] = names["name_uz_cyrl"] or script.written(
        names["name_uz_latn"], "uz_Cyrl"
    )
    return dict(columns) | names


def coded(code: str, names: Row) -> str:
    """A value's code as typed, or made of its name. Raises ListError "code"."""
    code = code.strip() or fold(names["name_uz_latn"]).replace(" ", "_")[:40]
    if not _CODE.fullmatch(code):
        raise ListError("code", code)
    return code


def _as_json(row: Row) -> dict[str, Any]:
    return {n: v.isoformat() if isinstance(v, dt.date) else v for n, v in row.items()}
