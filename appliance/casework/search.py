"""The global search: places, list values, employees, articles, scripts and appeals.

It returns only what the user may see: appeals come from `appeals.queries.visible_appeals`. A page
that shows citizens' data found here must log that, like any other page (web/shell/disclosure.py).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from peewee import fn

from appliance.casework import catalogs
from appliance.casework.appeals import personal, searching
from appliance.casework.appeals.queries import visible_appeals
from appliance.casework.catalogs import item_search_names, places
from appliance.casework.knowledge.searching import rank_articles, search_entries
from appliance.casework.scripts import queries
from appliance.core import clock
from appliance.core import search as index
from appliance.core.db import (
    in_short_transactions,
    row_batches,
    write_transaction,
    yield_write_lock,
)
from appliance.core.search import SearchItem, SearchQuery, TextPiece, drop_entry, index_item
from appliance.models import Appeal, District, Mahalla, Region, User
from appliance.telephony import directory

__all__ = [
    "KINDS",
    "SearchItem",
    "Hit",
    "TextPiece",
    "drop_entry",
    "fill_empty_kinds",
    "merge_index",
    "index_item",
    "rebuild_index",
    "find_hits",
]

_REPEATED_NAME_PENALTY = 0.5  # added to the rank of each further hit with the same name
_ROWS_PER_BATCH = 500  # rows read at a time
_ENTRIES_PER_TRANSACTION = 10  # entries written in one transaction


@dataclass(frozen=True)
class Hit:
    """One search result; `kind` is a key of KINDS.

    `ref` identifies it among the results of its kind: a code, a slug or a number. `title` is its
    name in Uzbek Latin, `snippet` the part of its text that matches the query, empty for a kind
    without a text. `rank` is the cost of matching the query with its names: the lowest is the best.
    """

    kind: str
    ref: str
    title: str
    snippet: tuple[TextPiece, ...] = ()
    rank: float = 0.0
    all_words_found: bool = False  # every word is in its text, as typed or with another ending


# Returns the hits of one kind that the user may see, at most as many as the number says.
type Finder = Callable[[SearchQuery, User, int], Iterable[Hit]]


def find_hits(text: str, *, user: User, kinds: Collection[str] = (), limit: int = 20) -> list[Hit]:
    """Return the hits for a query, the best first.

    `kinds`: the kinds of hits to return; all KINDS if empty.
    """
    query = index.parse_query(text)
    if not query.words:
        return []
    hits: list[Hit] = []
    for kind, finder in KINDS.items():
        if not kinds or kind in kinds:
            hits += finder(query, user, limit)
    return _spread_same_names(hits)[:limit]


def fill_empty_kinds() -> int:
    """Index all entries of each kind that has no entry in the index; returns their number."""
    return _index_kinds([kind for kind in SOURCES if index.is_kind_empty(kind)])


def rebuild_index() -> int:
    """Rebuild the index, kind by kind and in short transactions; returns its number of entries.

    While a kind is rebuilt, some of its entries are not found.
    """
    total = 0
    for kind in SOURCES:
        with write_transaction():
            index.clear_kind(kind)
        total += _index_kinds([kind])
    return total


def merge_index(should_continue: Callable[[], bool] = lambda: True) -> None:
    """Merge the segments of SQLite's full-text index into one, in short transactions.

    Reading is then faster, and the words of replaced or deleted rows are no longer in the file.
    `should_continue` is called before each transaction; if it returns False, the rest stays
    unmerged.
    """
    remaining = starting = True
    while remaining and should_continue():
        with write_transaction():
            remaining, starting = index.merge_index_step(starting), False
        yield_write_lock()


def _index_kinds(kinds: Iterable[str]) -> int:
    """Index all entries of these kinds in short transactions; returns the number of entries.

    If there are any, the index is merged afterwards.
    """
    count = 0
    for kind in kinds:
        indexed_words: set[str] = set()
        for batch in SOURCES[kind]():
            steps = (
                batch[start : start + _ENTRIES_PER_TRANSACTION]
                for start in range(0, len(batch), _ENTRIES_PER_TRANSACTION)
            )
            in_short_transactions(partial(_index_entries, step, indexed_words) for step in steps)
            yield_write_lock()
            count += len(batch)
    if count:
        merge_index()
    return count


def _index_entries(entries: list[SearchItem], indexed_words: set[str]) -> None:
    """Write entries to the index, and add their words to the set `indexed_words`.

    Words that are in the set already are not written to the index's list of words again.
    """
    for entry in entries:
        index_item(entry, indexed_words)


def _mahalla_entries() -> Iterator[list[SearchItem]]:
    """Yield the index entries of all mahallas, in batches."""
    for batch in row_batches(places.mahallas_with_areas(), Mahalla.id, _ROWS_PER_BATCH):
        yield [places.mahalla_entry(mahalla) for mahalla in batch]


def _appeal_entries() -> Iterator[list[SearchItem]]:
    """Yield the index entries of all appeals, in batches."""
    for batch in row_batches(Appeal.select(), Appeal.id, _ROWS_PER_BATCH):
        yield [searching.appeal_entry(appeal) for appeal in batch]


# For each kind that has an index, the function that yields its entries in batches.
SOURCES: dict[str, Callable[[], Iterator[list[SearchItem]]]] = {
    "mahalla": _mahalla_entries,
    "article": search_entries,
    "script": queries.search_entries,
    "appeal": _appeal_entries,
}


# Places, list values, employees, articles and scripts are found by every user.


def _region_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the regions that match, best first, as hits whose `ref` is the SOATO code."""
    ranked = index.rank_candidates(query, Region.select(), item_search_names)
    return [
        Hit("region", region.soato, region.name_uz_latn, rank=rank)
        for rank, region in ranked[:limit]
    ]


def _district_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the districts that match, best first, as hits whose `ref` is the SOATO code.

    Words of the query that are in the name of the district's region count as matched, too.
    """
    regions = {region.soato: item_search_names(region) for region in Region.select()}
    columns = District.soato, District.name_uz_latn, District.search_key, District.region
    ranked = index.rank_candidates(
        query,
        District.select(*columns).tuples(),  # runs at each keystroke: no model objects are built
        lambda row: places.names_in_key(row[2]),
        lambda row: regions[row[3]],
    )
    return [Hit("district", row[0], row[1], rank=rank) for rank, row in ranked[:limit]]


def _value_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the lists' values that match, best first, as hits whose `ref` is "list/code"."""
    ranked = index.rank_candidates(query, catalogs.searchable_values(), lambda row: row[1])
    return [Hit("value", ref, name, rank=rank) for rank, (ref, _names, name) in ranked[:limit]]


def _employee_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the employees that match, best first, as hits whose `ref` is the employee's id."""
    ranked = index.rank_candidates(
        query, directory.list_employees(), lambda employee: employee.search_key
    )
    return [
        Hit("employee", str(employee.id), employee.name, rank=rank)
        for rank, employee in ranked[:limit]
    ]


def _mahalla_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the mahallas that match, best first, as hits whose `ref` is the mahalla's id."""
    matches = index.find_entries(query, "mahalla", limit)
    return [Hit(match.kind, match.ref, match.title, rank=match.cost) for match in matches]


def _article_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the valid articles that match, best first, as hits whose `ref` is the slug."""
    matches = rank_articles(query, clock.now().astimezone().date(), limit)
    titles = {row.id: (row.article.slug, row.title_uz or row.title_ru) for _match, row in matches}
    return _hits_with_snippets("article", query, matches, titles)


def _script_hits(query: SearchQuery, _user: User, limit: int) -> list[Hit]:
    """Return the scripts in force that match, best first, as hits whose `ref` is the code."""
    matches = queries.rank_scripts(query, limit)
    titles = {row.id: (row.script.code, queries.version_title(row)) for _match, row in matches}
    return _hits_with_snippets("script", query, matches, titles)


def _hits_with_snippets(
    kind: str,
    query: SearchQuery,
    matches: Sequence[tuple[Any, Any]],
    titles: Mapping[int, tuple[str, str]],
) -> list[Hit]:
    """Return a hit, with the text around its match, for each of `matches`.

    `matches` are (search result, version of an article or script), `titles` holds (ref, title) by
    the version's id.
    """
    texts = index.stored_texts(kind, list(titles))
    return [
        Hit(
            kind,
            *titles[row.id],
            tuple(index.build_snippet(texts[row.id], query)),
            match.cost,
            match.has_every_word,
        )
        for match, row in matches
    ]


def _appeal_hits(query: SearchQuery, user: User, limit: int) -> list[Hit]:
    """Return those of the appeals that match which the user may see, best first.

    The `ref` is the number. The snippet is of the gist, and empty if the user may not read it.
    """
    visible = visible_appeals(user).select(Appeal.id)
    matches = index.find_entries(
        query, "appeal", limit, lambda row: fn.EXISTS(visible.where(Appeal.id == row))
    )
    rows = Appeal.select().where(Appeal.id.in_([match.row for match in matches]))
    gists = {row.id: row.gist for row in personal.veil_appeals(user, rows)}
    return [
        Hit(
            "appeal",
            match.ref,
            match.title,
            tuple(index.build_snippet(gists[match.row], query)),
            match.cost,
        )
        for match in matches
    ]


# For each kind of hit, the function that finds its hits.
KINDS: dict[str, Finder] = {
    "region": _region_hits,
    "district": _district_hits,
    "article": _article_hits,
    "script": _script_hits,
    "value": _value_hits,
    "employee": _employee_hits,
    "mahalla": _mahalla_hits,
    "appeal": _appeal_hits,
}


def _spread_same_names(hits: Iterable[Hit]) -> list[Hit]:
    """Order hits by rank, so that hits with the same name do not fill the beginning.

    Each further hit of the same kind and name is ranked lower than the one before: its rank is
    increased by _REPEATED_NAME_PENALTY for each.
    """
    name_counts: Counter[tuple[str, str]] = Counter()
    ranked = []
    for hit in sorted(hits, key=lambda hit: hit.rank):
        name = hit.kind, hit.title
        ranked.append(replace(hit, rank=hit.rank + _REPEATED_NAME_PENALTY * name_counts[name]))
        name_counts[name] += 1
    return sorted(ranked, key=lambda hit: hit.rank)
