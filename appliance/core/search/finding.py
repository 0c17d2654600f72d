"""Finding: from what was typed to entries of the index, the nearest first.

First come entries that hold every word, as it is written, as it sounds, begun or with another
ending. Where they are too few, each word is also read as those words of the index that differ by
an error or two; then one of several words may lack. `ranking` puts what was found in order.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from peewee import ModelSelect
from rapidfuzz import process
from rapidfuzz.distance import OSA

from appliance.core.db import database
from appliance.core.search import index, keys, ranking
from appliance.core.search.keys import Word
from appliance.core.search.ranking import Query
from appliance.core.search.tables import SearchText, SearchWord

CANDIDATES = 300  # entries of a kind that are put in order
_READINGS = 60  # words as which one is read
_ENOUGH, _SURE = 5, 0.15  # so many entries, one of them surely meant: errors are not thought of
_COMMON = 500  # entries: a word that more of them hold says little alone
_IN_TEXT = 0.6  # for a word that stands in the text
_NEARLY_IN_TEXT = 2.6
_LACKS = 2.8
_WHOLE_LIST = 30_000  # words up to which unfinished ones are read with errors, too
# of these kinds there are many: of what is equally near the newest is first
_BY_AGE = ("appeal",)
_BY_TEXT = ("article", "script")
_ORDERS = dict.fromkeys(_BY_AGE, "search_text.rowid DESC") | dict.fromkeys(
    _BY_TEXT, "bm25(search_text, 10.0, 1.0)"
)

type Row = Any
type Narrowing = Callable[[Any], Any]


@dataclass(frozen=True)
class Found:
    """An entry that was found; the nearer the smaller its cost."""

    kind: str
    ref: str
    row: int
    title: str
    text: str
    cost: float


type _Sized = dict[int, dict[str, None]]  # length → words in their order


@dataclass
class _Words:
    """The words of the index that this process has read so far, by kind and length."""

    file: str = ""
    last: int = 0
    written: dict[str, _Sized] = field(default_factory=dict)
    heard: dict[str, _Sized] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Read those that came since; they are only ever added, or made anew with higher ids."""
        with self.lock:
            if self.file != str(database.database):
                self.file, self.last, self.written, self.heard = str(database.database), 0, {}, {}
            rows = SearchWord.select(SearchWord.id, SearchWord.kind, SearchWord.word)
            for id, kind, word in rows.where(SearchWord.id > self.last).tuples():
                _add(self.written, kind, word)
                _add(self.heard, kind, keys.sound(word))
                self.last = max(self.last, id)

    def near(self, kind: str, word: Word) -> list[str]:
        """The sounds of words of a kind as which one may be read, the nearest first."""
        most = word.errors
        written = _near(self.written.get(kind, {}), word.written, min(most, 2))
        heard = _near(self.heard.get(kind, {}), word.sound, most)
        found = [*((errors, keys.sound(one)) for errors, one in written), *heard]
        found.sort(key=lambda pair: (pair[0], pair[1][:1] != word.sound[:1]))
        return [*dict.fromkeys(one for _errors, one in found)][:_READINGS]

    def begun(self, kind: str, sound: str) -> list[str]:
        """The words of a kind that begin nearly so: of few kinds only, for each is looked at."""
        by_size = self.heard.get(kind, {})
        if len(sound) < ranking.UNFINISHED or sum(map(len, by_size.values())) > _WHOLE_LIST:
            return []
        longer = [
            word
            for size, some in by_size.items()
            if size > len(sound) + 1
            for word in some
            if word[0] == sound[0]
        ]
        begins = [word[: len(sound)] for word in longer]
        most = 1 if len(sound) < 7 else 2
        near = process.extract(
            sound, begins, scorer=OSA.distance, score_cutoff=most, limit=_READINGS
        )
        return [longer[place] for _begin, _errors, place in near]


def _add(words: dict[str, _Sized], kind: str, word: str) -> None:
    words.setdefault(kind, {}).setdefault(len(word), {})[word] = None


def _near(by_size: _Sized, word: str, most: int) -> list[tuple[float, str]]:
    """(errors, word) of the words that differ by so many errors at most, the nearest first."""
    if not most:
        return []
    found: list[tuple[float, str]] = []
    for size in range(len(word) - most, len(word) + most + 1):
        near = process.extract(
            word,
            list(by_size.get(size, ())),
            scorer=OSA.distance,
            score_cutoff=most,
            limit=_READINGS,
        )
        found += [(errors, one) for one, errors, _place in near]
    return sorted(found)[:_READINGS]


_words = _Words()


def find(asked: Query, kind: str, limit: int, narrowed: Narrowing | None = None) -> list[Found]:
    """Entries of a kind, the nearest first; `narrowed` makes a condition of an entry's row."""
    if not asked.words:
        return []
    ranked: dict[int, Found] = {}
    short = all(len(word.sound) < 4 for word in asked.words)
    for match, elsewhere in _matches(asked, kind):
        for row in _candidates(match, kind, narrowed):
            if row[0] not in ranked:
                ranked[row[0]] = _found(asked, row, elsewhere)
        if len(ranked) >= limit and (kind in _BY_AGE or elsewhere > _IN_TEXT or short):
            break
        if len(ranked) >= _ENOUGH and min(found.cost for found in ranked.values()) < _SURE:
            break
    return sorted(ranked.values(), key=_order)[:limit]


def rows(typed: str, kind: str) -> ModelSelect:
    """The rows of all entries of a kind that hold every word typed, for a list to be narrowed.

    When none does, those that nearly do.
    """
    asked = ranking.query(typed)
    first = index.range_of(kind)[0]
    selected = SearchText.select((SearchText.rowid - first).alias("row")).where(index.within(kind))
    found = (match for match, _ in islice(_matches(asked, kind), 2) if _count(match, kind, 1))
    match = next(found, "") if asked.words else ""
    return selected.where(SearchText.match(match) if match else SearchText.rowid < 0)


def _matches(asked: Query, kind: str) -> Iterator[tuple[str, float]]:
    """Expressions of FTS5, the narrowest first; what a word not in the names costs under each."""
    exact = [_exact(word) for word in asked.words]
    if len(asked.words) == 1 and len(asked.words[0].sound) < 3 and kind not in _BY_AGE:
        begin = " OR ".join(f'^ "{one}" *' for one in asked.words[0].prefixes)
        yield f"names : ({begin})", _IN_TEXT
    yield _every(exact), _IN_TEXT
    _words.refresh()
    nearly = [
        _any_of([one, *_quoted(_read(word, kind, word is asked.words[-1]))])
        for one, word in zip(exact, asked.words, strict=True)
    ]
    whole = _every(nearly)
    if one := asked.joined:
        whole = f"({whole}) OR {_any_of([_exact(one), *_quoted(_read(one, kind, False))])}"
    if kind in _BY_TEXT:  # in long texts there is something near every word
        whole = f"names : ({whole})"
    yield whole, _NEARLY_IN_TEXT
    if len(nearly) > 1 and kind not in (*_BY_TEXT, *_BY_AGE):
        left = [_every([*nearly[:n], *nearly[n + 1 :]]) for n in range(len(nearly))]
        if rare := [match for match in left if not _is_common(match, kind)]:
            yield " OR ".join(f"({match})" for match in rare), _LACKS


def _read(word: Word, kind: str, last: bool) -> list[str]:
    """The words of the index as which a word may be read; the last one may be unfinished."""
    if not word.written.isalpha():
        return []
    found = _words.near(kind, word)
    if len(word.plain) > 3 and word.plain != word.written and len(found) < _READINGS:
        found += _words.near(kind, keys.key(word.plain))
    return [*dict.fromkeys([*found, *(_words.begun(kind, word.sound) if last else ())])]


def _exact(word: Word) -> str:
    begun = [f'"{one}" *' for one in dict.fromkeys(word.prefixes)]
    return _any_of([*begun, *_quoted(word.stems)])


def _quoted(words: Iterable[str]) -> list[str]:
    return [f'"{word}"' for word in words]


def _any_of(matches: Sequence[str]) -> str:
    return f"({' OR '.join(matches)})"


def _every(matches: Sequence[str]) -> str:
    return " AND ".join(matches)


def _is_common(match: str, kind: str) -> bool:
    return _count(match, kind, _COMMON + 1) > _COMMON


def _count(match: str, kind: str, most: int) -> int:
    """How many entries of a kind match; counts no further than to `most`."""
    some = "SELECT 1 FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
    asked = (match, *index.range_of(kind), most)
    return int(database.execute_sql(f"SELECT count(*) FROM ({some})", asked).fetchone()[0])  # noqa: S608


def _candidates(match: str, kind: str, narrowed: Narrowing | None) -> Iterable[Row]:
    """Rows of entries that match; as SQL, for this is asked at each letter typed."""
    begin, end = index.range_of(kind)
    order = _ORDERS.get(kind, "search_text.rowid")
    tables = "search_text JOIN search_entry AS e ON e.id = search_text.rowid"
    found = "search_text MATCH ? AND search_text.rowid BETWEEN ? AND ?"
    values: tuple[Any, ...] = (match, begin, end)
    if narrowed:
        asked = SearchText.select(SearchText.rowid).where(
            SearchText.match(match), index.within(kind), narrowed(SearchText.rowid - begin)
        )
        some = asked.order_by(_newest(kind)).limit(CANDIDATES)
        values = tuple(id for (id,) in some.tuples())
        tables, order = "search_entry AS e", "e.id"
        found = f"e.id IN ({', '.join('?' * len(values))})"
    return database.execute_sql(
        "SELECT e.id, e.kind, e.ref, e.title, e.names, e.about, e.text "  # noqa: S608
        f"FROM {tables} WHERE {found} ORDER BY {order} LIMIT {CANDIDATES}",
        values,
    ).fetchall()


def _newest(kind: str) -> Any:
    return SearchText.rowid.desc() if kind in _BY_AGE else SearchText.rowid


def _found(asked: Query, row: Row, elsewhere: float) -> Found:
    id, kind, ref, title, names, about, text = row
    if about and elsewhere < _LACKS:
        elsewhere = ranking.NOWHERE  # it has no text but what was just read
    cost = ranking.cost(asked, names, about, elsewhere)
    return Found(kind, ref, id - index.range_of(kind)[0], title, text, cost)


def _order(found: Found) -> tuple[Any, ...]:
    if found.kind in _BY_AGE:
        return round(found.cost, 1), -found.row
    return round(found.cost, 2), found.title, found.row
