"""The one search of the product: places, lists, employees, articles, scripts and appeals.

What people may not see is not found: appeals come from `appeals.visible_to`. Whoever shows what
was found of citizens writes that down, as for any page (web/shell/disclosure.py).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from peewee import fn

from appliance.casework import appeals, catalogs, knowledge
from appliance.casework.appeals import personal, searching
from appliance.casework.catalogs import places
from appliance.casework.catalogs.keys import names_of
from appliance.casework.scripts import queries
from appliance.core import clock
from appliance.core import search as index
from appliance.core.db import give_way, in_pieces, in_turns, writing
from appliance.core.search import Entry, Piece, Query, drop, put
from appliance.models import Appeal, District, Region, User
from appliance.telephony import directory

__all__ = ["KINDS", "Entry", "Hit", "Piece", "drop", "fill", "merge", "put", "rebuild", "search"]

_REPEATED = 0.5  # by which one more of the same name falls behind
_PIECE = 500  # rows read at once
_STEP = 10  # entries put in one step


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
    whole: bool = False  # every word stands in its text, as typed or with another ending


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
    return _put_all([kind for kind in SOURCES if index.is_empty(kind)])


def rebuild() -> int:
    """Make the index anew, kind by kind and in turns; returns how many entries it has.

    Meanwhile some of a kind are not found.
    """
    total = 0
    for kind in SOURCES:
        with writing():
            index.clear(kind)
        total += _put_all([kind])
    return total


def merge(goes_on: Callable[[], bool] = lambda: True) -> None:
    """Make the index of one piece, until `goes_on` says no.

    Reading is faster then, and words of replaced or dropped rows are no longer in the file.
    """
    left = begin = True
    while left and goes_on():
        with writing():
            left, begin = index.merge(begin), False
        give_way()


def _put_all(kinds: Iterable[str]) -> int:
    count = 0
    for kind in kinds:
        listed: set[str] = set()
        for piece in SOURCES[kind]():
            steps = (piece[begin : begin + _STEP] for begin in range(0, len(piece), _STEP))
            in_turns(partial(_put_each, step, listed) for step in steps)
            give_way()
            count += len(piece)
    if count:
        merge()
    return count


def _put_each(entries: list[Entry], listed: set[str]) -> None:
    for entry in entries:
        put(entry, listed)


def _mahallas() -> Iterator[list[Entry]]:
    for piece in in_pieces(places.whole_mahallas(), places.Mahalla.id, _PIECE):
        yield [places.entry_of(one) for one in piece]


def _appeals() -> Iterator[list[Entry]]:
    for piece in in_pieces(Appeal.select(), Appeal.id, _PIECE):
        yield [searching.entry_of(one) for one in piece]


# kind → its entries, some at a time; of the kinds that have an index
SOURCES: dict[str, Callable[[], Iterator[list[Entry]]]] = {
    "mahalla": _mahallas,
    "article": knowledge.entries,
    "script": queries.entries,
    "appeal": _appeals,
}


def _found_regions(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.ranked(asked, Region.select(), names_of)
    return [Hit("region", one.soato, one.name_uz_latn, rank=rank) for rank, one in found[:limit]]


def _found_districts(asked: Query, _user: User, limit: int) -> list[Hit]:
    regions = {one.soato: names_of(one) for one in Region.select()}
    columns = District.soato, District.name_uz_latn, District.search_key, District.region
    found = index.ranked(
        asked,
        District.select(*columns).tuples(),  # asked at each letter: no objects are made
        lambda row: places.names_in(row[2]),
        lambda row: regions[row[3]],
    )
    return [Hit("district", row[0], row[1], rank=rank) for rank, row in found[:limit]]


def _found_values(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.ranked(asked, catalogs.named_values(), lambda row: row[1])
    return [Hit("value", ref, name, rank=rank) for rank, (ref, _names, name) in found[:limit]]


def _found_employees(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.ranked(asked, directory.employees(), lambda one: one.search_key)
    return [Hit("employee", str(one.id), one.name, rank=rank) for rank, one in found[:limit]]


def _found_mahallas(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = index.find(asked, "mahalla", limit)
    return [Hit(one.kind, one.ref, one.title, rank=one.cost) for one in found]


def _found_articles(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = knowledge.nearest(asked, clock.now().astimezone().date(), limit)
    name = {row.id: (row.article.slug, row.title_uz or row.title_ru) for _one, row in found}
    return _with_snippets("article", asked, found, name)


def _found_scripts(asked: Query, _user: User, limit: int) -> list[Hit]:
    found = queries.nearest(asked, limit)
    name = {row.id: (row.script.code, queries.title_of(row)) for _one, row in found}
    return _with_snippets("script", asked, found, name)


def _with_snippets(
    kind: str, asked: Query, found: Sequence[tuple[Any, Any]], name: Mapping[int, tuple[str, str]]
) -> list[Hit]:
    """Hits with the words around what was found; `name`: row's id → ref and title."""
    texts = index.texts(kind, list(name))
    return [
        Hit(kind, *name[row.id], tuple(index.snippet(texts[row.id], asked)), one.cost, one.whole)
        for one, row in found
    ]


def _found_appeals(asked: Query, user: User, limit: int) -> list[Hit]:
    visible = appeals.visible_to(user).select(Appeal.id)
    found = index.find(
        asked, "appeal", limit, lambda row: fn.EXISTS(visible.where(Appeal.id == row))
    )
    rows = Appeal.select().where(Appeal.id.in_([one.row for one in found]))
    gists = {row.id: row.gist for row in personal.veil(user, rows)}
    return [
        Hit("appeal", one.ref, one.title, tuple(index.snippet(gists[one.row], asked)), one.cost)
        for one in found
    ]


KINDS: dict[str, Finder] = {
    "region": _found_regions,
    "district": _found_districts,
    "article": _found_articles,
    "script": _found_scripts,
    "value": _found_values,
    "employee": _found_employees,
    "mahalla": _found_mahallas,
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
