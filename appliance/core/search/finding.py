"""Finding: from what was typed to entries of the index, the nearest first.

First come entries that hold every word, as it is written, as it sounds, begun or with another
ending. Where they are too few, each word is also read as those words of the index that differ by
an error or two; then one of several words may lack. `ranking` puts what was found in order.
"""

import gc
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, ModelSelect

from appliance.core.db import database
from appliance.core.search import index, keys, ranking
from appliance.core.search.keys import Word
from appliance.core.search.ranking import Query
from appliance.core.search.tables import SearchText
from appliance.core.search.words import READINGS, Words

CANDIDATES = 300  # entries of a kind that are put in order
NEWEST = 120  # the same of those of which there are many, and of texts, whose names tell little
_BEGUN = 400  # words that are looked for one by one, as those that begin so
_SHORT = 3  # letters up to which the index keeps beginnings of words
_ENOUGH, _SURE = 5, 0.15  # so many entries, one of them surely meant: errors are not thought of
_COMMON = 500  # entries: a word that more of them hold says little alone
_IN_TEXT = 0.6  # for a word that stands in the text
_NEARLY_IN_TEXT = 2.6
_LACKS = 2.8
_WEIGHED = 200  # entries up to which it is weighed how much of what was typed a text says
# of these kinds there are many: of what is equally near the newest is first
_BY_AGE = ("appeal",)
_ROW = "found_row"  # stands in a condition for the row of an entry
_BY_WEIGHT = "bm25(search_text, 10.0, 1.0)"

type Row = Any
type Narrowing = Callable[[Any], Any]
type _Condition = tuple[str, tuple[Any, ...]]  # SQL after the others, and its values


@dataclass(frozen=True)
class Found:
    """An entry that was found; the nearer the smaller its cost."""

    kind: str
    ref: str
    row: int
    title: str
    cost: float
    whole: bool = True  # every word stands in it, as typed or with another ending
    place: int = 0  # among those that were looked at


_words = Words()


def read_words() -> None:
    """Read the words of the index, as each search does with those that came since the last one."""
    _words.refresh()
    gc.freeze()  # of so many, a search for garbage would take a third of a second


def find(asked: Query, kind: str, limit: int, narrowed: Narrowing | None = None) -> list[Found]:
    """Entries of a kind, the nearest first; `narrowed` makes a condition of an entry's row."""
    if not asked.words:
        return []
    ranked: dict[int, Found] = {}
    short = all(len(word.sound) < 4 for word in asked.words)
    condition = _condition(narrowed)
    for tier in _tiers(asked, kind):
        new = _candidates(tier, kind, condition, ranked)
        asked.compare([row[4] for row in new], [row[5] for row in new])
        for row in new:
            ranked[row[0]] = _found(asked, row, tier, len(ranked))
        if len(ranked) >= limit and (kind in _BY_AGE or not tier.whole or short):
            break
        enough = limit if kind in index.BY_TEXT and not tier.apart else _ENOUGH
        if len(ranked) >= enough and min(found.cost for found in ranked.values()) < _SURE:
            break
    return sorted(ranked.values(), key=_order)[:limit]


def meant(found: list[Found]) -> list[Found]:
    """Those of some that were meant: with every word; else those not much farther than the first.

    So texts are chosen from, in which a word stands without being a name.
    """
    near = (one for one in found if ranking.is_meant(one.cost, found[0].cost))
    return [one for one in found if one.whole] or list(near)


def rows(typed: str, kind: str) -> ModelSelect:
    """The rows of all entries of a kind that hold every word typed, for a list to be narrowed.

    When none does, those that nearly do.
    """
    asked = ranking.query(typed)
    first = index.range_of(kind)[0]
    selected = SearchText.select((SearchText.rowid - first).alias("row")).where(index.within(kind))
    tiers = (tier for tier in _tiers(asked, kind) if tier.elsewhere < _LACKS)
    match = next((tier.match for tier in tiers if _count(tier, kind, 1)), "")
    return selected.where(SearchText.match(match) if match else SearchText.rowid < 0)


@dataclass(frozen=True)
class _Tier:
    """Entries to be looked at together: those that match an expression of FTS5."""

    match: str
    elsewhere: float  # what a word costs that is not in the names
    apart: bool = False  # in the rows with all words, of a kind whose texts are long

    @property
    def whole(self) -> bool:
        """Whether every word stands there, as typed or with another ending."""
        return self.elsewhere <= _IN_TEXT


def _tiers(asked: Query, kind: str) -> Iterator[_Tier]:
    """What may be meant, the surest first."""
    words = _telling(asked, kind)
    if not words:
        return
    _words.refresh()
    exact = [_exact(word, kind) for word in words]
    if len(words) == 1 and len(words[0].sound) < 3 and kind not in _BY_AGE:
        begin = " OR ".join(f'^ "{one}" *' for one in words[0].prefixes)
        yield _Tier(f"names : ({begin})", _IN_TEXT)
    yield _Tier(_every(exact), _IN_TEXT)
    if kind in index.BY_TEXT:  # there with errors in the names alone: a text has something near all
        yield _Tier(_every(exact), _IN_TEXT, apart=True)
    near = [_near(word, kind) for word in words]
    begun = _nearly_begun(words[-1], kind)
    whole = _every(exact)
    for most in (1, ranking.NOWHERE) if kind in _BY_AGE else (ranking.NOWHERE,):
        read = [[one for errors, one in some if errors <= most] for some in near]
        read[-1] += begun
        nearly = [_any_of([one, *_quoted(some)]) for one, some in zip(exact, read, strict=True)]
        before, whole = whole, _every(nearly)
        if one := asked.joined:
            joined = [sound for errors, sound in _near(one, kind) if errors <= most]
            whole = f"({whole}) OR {_any_of([_exact(one, kind), *_quoted(joined)])}"
        if whole != before:
            yield _Tier(whole, _NEARLY_IN_TEXT)
    if len(nearly) > 1 and kind in index.BY_TEXT:  # people ask whole questions
        long = [one for one, word in zip(exact, words, strict=True) if len(word.written) > _SHORT]
        if long:
            yield _Tier(_any_of(long), _LACKS)
    elif len(nearly) > 1 and kind not in _BY_AGE:
        left = [_every([*nearly[:n], *nearly[n + 1 :]]) for n in range(len(nearly))]
        if rare := [match for match in left if not _is_common(_Tier(match, _LACKS), kind)]:
            yield _Tier(" OR ".join(f"({match})" for match in rare), _LACKS)


def _telling(asked: Query, kind: str) -> list[Word]:
    """The words by which entries are looked for.

    Where there are many of a kind, a letter or two tell nothing: they only put in order.
    """
    if kind not in _BY_AGE:
        return list(asked.words)
    return [word for word in asked.words if len(word.written) >= _SHORT]


def _near(word: Word, kind: str) -> list[tuple[int, str]]:
    """(errors, sound) of the words of the index as which a word may be read."""
    if not word.written.isalpha():
        return []
    found = _words.near(kind, word)
    if len(word.plain) > 3 and word.plain != word.written and len(found) < READINGS:
        found += _words.near(kind, keys.key(word.plain))
    return found


def _nearly_begun(word: Word, kind: str) -> list[str]:
    """The words of the index that may be meant by one that is not finished."""
    return _words.nearly_begun(kind, word.sound) if word.written.isalpha() else []


def _exact(word: Word, kind: str) -> str:
    """Words that begin so or have another ending.

    Long beginnings are looked for as the words that there are: for those the index has no list.
    """
    found: list[str] = []
    for one in dict.fromkeys(word.prefixes):
        listed = len(one) > _SHORT and word.written.isalpha()
        begun = _words.begun(kind, one, _BEGUN) if listed else None
        found += [f'"{one}" *'] if begun is None else _quoted(begun)
    return _any_of([*dict.fromkeys([*found, *_quoted((word.sound, *word.stems))])])


def _quoted(words: Iterable[str]) -> list[str]:
    return [f'"{word}"' for word in words]


def _any_of(matches: Sequence[str]) -> str:
    return f"({' OR '.join(matches)})" if len(matches) > 1 else matches[0]


def _every(matches: Sequence[str]) -> str:
    return " AND ".join(matches)


def _is_common(tier: _Tier, kind: str) -> bool:
    return _count(tier, kind, _COMMON + 1) > _COMMON


def _count(tier: _Tier, kind: str, most: int) -> int:
    """How many entries of a kind match; counts no further than to `most`."""
    some = "SELECT 1 FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
    asked = (tier.match, *index.range_of(kind, tier.apart), most)
    return int(database.execute_sql(f"SELECT count(*) FROM ({some})", asked).fetchone()[0])  # noqa: S608


def _condition(narrowed: Narrowing | None) -> _Condition:
    """What narrows, as SQL: made once for all tiers, for that takes as long as to ask."""
    if not narrowed:
        return "", ()
    context = database.get_sql_context(parentheses=True, subquery=True)
    condition, values = context.sql(narrowed(SQL(_ROW))).query()
    return f" AND {condition}", tuple(values)


def _candidates(tier: _Tier, kind: str, narrowed: _Condition, known: Container[int]) -> list[Row]:
    """Rows of entries that match, but known ones; as SQL, for it is asked at each letter typed."""
    first, end = index.range_of(kind, tier.apart)
    most = NEWEST if kind in _BY_AGE or tier.apart else CANDIDATES
    order = f"rowid {'DESC' if kind in _BY_AGE else 'ASC'}"
    if tier.apart and _count(tier, kind, _WEIGHED + 1) <= _WEIGHED:
        order = _BY_WEIGHT
    condition, values = narrowed
    there = condition.replace(_ROW, f"(search_text.rowid - {first})")
    numbers = database.execute_sql(
        "SELECT rowid - ? FROM search_text WHERE search_text MATCH ? "  # noqa: S608
        f"AND rowid BETWEEN ? AND ?{there} ORDER BY {order} LIMIT {most}",
        (first, tier.match, first, end, *values),
    )
    begin = index.range_of(kind)[0]
    ids = [begin + number for (number,) in numbers if begin + number not in known]
    marks = ", ".join("?" * len(ids))
    rows = database.execute_sql(
        f"SELECT id, kind, ref, title, names, about FROM search_entry WHERE id IN ({marks})",  # noqa: S608
        ids,
    )
    found = {row[0]: row for row in rows.fetchall()}
    return [found[id] for id in ids if id in found]


def _found(asked: Query, row: Row, tier: _Tier, place: int) -> Found:
    id, kind, ref, title, names, about = row
    elsewhere = tier.elsewhere
    if about and elsewhere < _LACKS:
        elsewhere = ranking.NOWHERE  # it has no text but what was just read
    cost = ranking.cost(asked, names, about, elsewhere)
    return Found(kind, ref, id - index.range_of(kind)[0], title, cost, tier.whole, place)


def _order(found: Found) -> tuple[Any, ...]:
    if found.kind in _BY_AGE:
        return round(found.cost, 1), -found.row
    if found.kind in index.BY_TEXT:
        return round(found.cost, 2), found.place
    return round(found.cost, 2), found.title, found.row
