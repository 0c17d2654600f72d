"""The one search of the product: places, lists, employees, articles, scripts and appeals.

What people may not see is not found: appeals come from `appeals.visible_to`. Whoever shows what
was found of citizens writes that down, as for any page (web/shell/disclosure.py).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from peewee import fn

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import searching
from appliance.casework.catalogs import places
from appliance.casework.catalogs.lists import names_of
from appliance.core import search as index
from appliance.core.db import in_pieces, in_turns, writing
from appliance.core.search import Entry, Piece, Query, drop, put
from appliance.models import Appeal, CatalogItem, District, Region, User
from appliance.telephony import directory

__all__ = ["KINDS", "Entry", "Hit", "Piece", "drop", "fill", "put", "rebuild", "search"]

_REPEATED = 0.5  # by which one more of the same name falls behind
_PIECE = 100  # entries put in one step


@dataclass(frozen=True)
class Hit:
    """Something that was found: `ref` is what its owner knows it by, a code, a slug, a number.

    `title` is its name in Uzbek Latin, `snippet` where in its text what was typed stands. Hits are
    in the order of their `rank`, which is the cost of reading what was typed as their names.
    """

    kind: str
    ref: str
    title: str
    snippet: tuple[Piece, ...] = ()
    rank: float = 0.0


type Finder = Callable[[Query, User, int], Iterable[Hit]]


def search(text: str, *, user: User, kinds: Collection[str] = (), limit: int = 20) -> list[Hit]:
    """What is meant by a text, of some kinds or all KINDS, the nearest first."""
    asked = index.query(text)
    if not asked.words:
        return []
    found: list[Hit] = []
    for kind, finder in KINDS.items():
        if not kinds or kind in kinds:
            found += finder(asked, user, limit)
    return _spread(found)[:limit]


def fill() -> int:
    """Put what there is of each kind of which nothing can be found yet; returns how many."""
    return sum(_put_all(kind) for kind in SOURCES if index.is_empty(kind))


def rebuild() -> int:
    """Make the index anew, kind by kind and in turns; returns how many entries it has.

    Meanwhile some of a kind are not found.
    """
    total = 0
    for kind in SOURCES:
        with writing():
            index.clear(kind)
        total += _put_all(kind)
    return total


def _put_all(kind: str) -> int:
    count = 0

    def steps() -> Iterator[Callable[[], None]]:
        nonlocal count
        for piece in SOURCES[kind]():
            count += len(piece)
            yield partial(_put_each, piece)

    in_turns(steps())
    return count


def _put_each(entries: list[Entry]) -> None:
    for entry in entries:
        put(entry)


def _mahallas() -> Iterator[list[Entry]]:
    for piece in in_pieces(places.whole_mahallas(), places.Mahalla.id, _PIECE):
        yield [places.entry_of(one) for one in piece]


def _appeals() -> Iterator[list[Entry]]:
    for piece in in_pieces(Appeal.select(), Appeal.id, _PIECE):
        yield [searching.entry_of(one) for one in piece]


# kind → its entries, some at a time; of the kinds that have an index
SOURCES: dict[str, Callable[[], Iterator[list[Entry]]]] = {
    "mahalla": _mahallas,
    "appeal": _appeals,
}


def _found_regions(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.ranked(asked, Region.select(), places.names_of_region)
    return [Hit("region", one.soato, one.name_uz_latn, rank=rank) for rank, one in found[:limit]]


def _found_districts(asked: Query, _user: User, limit: int) -> list[Hit]:
    regions = {one.soato: places.names_of_region(one) for one in Region.select()}
    columns = District.soato, District.name_uz_latn, District.search_key, District.region
    found = index.ranked(
        asked,
        District.select(*columns).tuples(),  # asked at each letter: no objects are made
        lambda row: places.names_in(row[2]),
        lambda row: regions[row[3]],
    )
    return [Hit("district", row[0], row[1], rank=rank) for rank, row in found[:limit]]


def _found_values(asked: Query, _user: User, limit: int) -> list[Hit]:
    rows = [item for item in CatalogItem.select() if catalogs.in_use(item)]
    found = index.ranked(asked, rows, names_of)
    return [
        Hit("value", f"{one.catalog}/{one.code}", one.name_uz_latn, rank=rank)
        for rank, one in found[:limit]
    ]


def _found_employees(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.ranked(asked, directory.employees(), lambda one: one.search_key)
    return [Hit("employee", str(one.id), one.name, rank=rank) for rank, one in found[:limit]]


def _of_index(kind: str, asked: Query, _user: User, limit: int) -> list[Hit]:
    return [
        Hit(
            kind,
            one.ref,
            one.title,
            tuple(index.snippet(one.text, asked)) if one.text else (),
            one.cost,
        )
        for one in index.find(asked, kind, limit)
    ]


def _found_appeals(asked: Query, user: User, limit: int) -> list[Hit]:
    mine = appeals.visible_to(user)
    found = index.find(asked, "appeal", limit, lambda row: fn.EXISTS(mine.where(Appeal.id == row)))
    rows = {one.id: one for one in Appeal.select().where(Appeal.id.in_([f.row for f in found]))}
    return [
        Hit("appeal", one.ref, one.title, tuple(index.snippet(rows[one.row].gist, asked)), one.cost)
        for one in found
    ]


KINDS: dict[str, Finder] = {
    "region": _found_regions,
    "district": _found_districts,
    "article": partial(_of_index, "article"),
    "script": partial(_of_index, "script"),
    "value": _found_values,
    "employee": _found_employees,
    "mahalla": partial(_of_index, "mahalla"),
    "appeal": _found_appeals,
}


def _spread(found: Iterable[Hit]) -> list[Hit]:
    """Hits in order; of many of one name a few come first, and others between them."""
    seen: Counter[tuple[str, str]] = Counter()
    ranked = []
    for hit in sorted(found, key=lambda hit: hit.rank):
        name = hit.kind, hit.title
        ranked.append(replace(hit, rank=hit.rank + _REPEATED * seen[name]))
        seen[name] += 1
    return sorted(ranked, key=lambda hit: hit.rank)
