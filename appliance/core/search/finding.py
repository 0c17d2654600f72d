"""Finding: from typed text to the entries of the index, the nearest first.

First come entries that contain every word: as written, with the same sound, as a beginning or with
another ending. If they are too few, each typed word may also represent words of the index that
differ by an error or two; at last, one of several words may be missing. `ranking` orders the
results.
"""

import gc
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from peewee import SQL, ModelSelect

from appliance.core.db import database
from appliance.core.search import fts5, index, keys, ranking
from appliance.core.search.keys import Word
from appliance.core.search.ranking import SearchQuery
from appliance.core.search.tables import SearchText
from appliance.core.search.word_lists import MAX_READINGS, WordIndex

MAX_CANDIDATES = 300  # entries of a kind that are ranked
MAX_RECENT_CANDIDATES = 120  # the same for kinds with many entries, and for long texts
_MAX_COMPLETIONS = 400  # words searched for individually as completions of a prefix
_INDEXED_PREFIX_LETTERS = 3  # the longest beginnings of words that the index stores
_ENOUGH_RESULTS, _SURE_COST = 5, 0.15  # 5 results, one of them as near as this, end a search
_COMMON_WORD_ENTRIES = 500  # entries: a word found in more of them says little by itself
# The cost of a word that is not in an entry's names, by the step that found the entry.
_TEXT_MATCH_COST = 0.6  # the word is in the text
_NEAR_TEXT_MATCH_COST = 2.6  # a similar word may be in the text
_MISSING_WORD_COST = 2.8  # the word may be missing
_ANY_ERRORS = 3  # a number of errors that no similar word exceeds (Word.max_errors)
_MAX_WEIGHED_ENTRIES = 200  # entries up to which a text's share of the typed words is weighed
# Kinds with many entries: of equally near ones, the newest is first.
_NEWEST_FIRST_KINDS = ("appeal",)
_ROW_PLACEHOLDER = "found_row"  # in a condition, represents the row of an entry
_WEIGHT_ORDER = "bm25(search_text, 10.0, 1.0)"  # a word in the names weighs ten times as much

# A function that limits a search to some records: it gets the SQL of a record's integer id and
# returns peewee's condition on it.
type Narrowing = Callable[[Any], Any]
type _SqlCondition = tuple[str, tuple[Any, ...]]  # SQL to add to the conditions, and its values


@dataclass(frozen=True)
class SearchResult:
    """An entry of the search index that a query found; the lower its cost, the nearer it is."""

    kind: str  # one of index.KINDS, such as "appeal"
    ref: str  # the key of its record in the table of its kind, as text
    row: int  # the integer id of that record, see SearchItem
    title: str
    cost: float
    has_every_word: bool = True  # it contains every word, as typed or with another ending
    candidate_rank: int = 0  # its position among the candidates, before they were ranked


class _Candidate(NamedTuple):
    """An entry that a step of the search found: columns of SearchEntry, described there."""

    id: int
    kind: str
    ref: str
    title: str
    names: str
    about: str


_index_words = WordIndex()


def preload_words() -> None:
    """Load the words of the search index into memory, so that no user has to wait for it.

    Each search then loads only the words added since. Call it when a process starts: it also
    excludes all objects of the process from later garbage collections, because with this many
    objects a collection would take a third of a second.
    """
    _index_words.load_new_words()
    gc.freeze()


def find_entries(
    query: SearchQuery, kind: str, limit: int, narrowing: Narrowing | None = None
) -> list[SearchResult]:
    """Return at most `limit` entries that match a query, the nearest first; [] if it has no word.

    Only entries of `kind` (one of index.KINDS) are searched. `narrowing`, if any, limits them to
    some records: it receives, as SQL, the integer id of a record, and returns a condition on it.
    """
    if not query.words:
        return []
    results: dict[int, SearchResult] = {}
    is_short = all(len(word.sound) < 4 for word in query.words)
    condition = _narrowing_sql(narrowing)
    for step in _search_steps(query, kind):
        candidates = _find_candidates(step, kind, condition, results)
        query.cache_word_costs([c.names for c in candidates], [c.about for c in candidates])
        for candidate in candidates:
            results[candidate.id] = _search_result(query, candidate, step, len(results))
        # If the list is full, misspellings are considered only to find nearer names: not among many
        # entries, not after other misspellings, and not of short words, which could be any word.
        if len(results) >= limit and (
            kind in _NEWEST_FIRST_KINDS or not step.has_every_word or is_short
        ):
            break
        enough = (
            limit if kind in index.LONG_TEXT_KINDS and not step.in_text_rows else _ENOUGH_RESULTS
        )
        # Otherwise a few results are enough if one is near. Of long texts the list must be full,
        # until they were searched themselves.
        if len(results) >= enough and min(result.cost for result in results.values()) < _SURE_COST:
            break
    return sorted(results.values(), key=_result_sort_key)[:limit]


def likely_results(results: list[SearchResult]) -> list[SearchResult]:
    """Return the results to show: those with every typed word, or else those as near as the first.

    The latter cost about as much as the first one. `results` are from `find_entries`, the nearest
    first. It is for entries with long texts (articles, scripts): there a word found in the text
    costs as much as a typing error, so the cost does not show whether every word was found.
    """
    near = (result for result in results if ranking.is_likely_match(result.cost, results[0].cost))
    return [result for result in results if result.has_every_word] or list(near)


def matching_ids_query(typed: str, kind: str) -> ModelSelect:
    """Return a query for the ids of all records that contain every typed word, to filter a list.

    It selects one column, `row`: the integer ids of records of `kind`, one of index.KINDS. If no
    record contains every word, it selects those that contain a similar word for each. It selects
    nothing if no word was typed; of appeals, words of one or two letters do not count. It is not
    for index.LONG_TEXT_KINDS, because it does not select from the rows that contain long texts.
    """
    query = ranking.parse_query(typed)
    first = index.kind_id_range(kind)[0]
    selected = SearchText.select((SearchText.rowid - first).alias("row")).where(
        index.kind_condition(kind)
    )
    steps = (
        step for step in _search_steps(query, kind) if step.text_word_cost < _MISSING_WORD_COST
    )
    match = next((step.match for step in steps if _count_matches(step, kind, 1)), "")
    return selected.where(SearchText.match(match) if match else SearchText.rowid < 0)


@dataclass(frozen=True)
class _SearchStep:
    """One step of a search: it finds the entries that match an expression of FTS5 (full text).

    A search takes the next step only if the earlier ones found too little.
    """

    match: str  # the FTS5 expression
    # The cost of a typed word that is not in an entry's names: _TEXT_MATCH_COST, …
    text_word_cost: float
    in_text_rows: bool = False  # search the rows that also contain the long texts

    @property
    def has_every_word(self) -> bool:
        """True if the step's entries contain every typed word, as typed or with another ending."""
        return self.text_word_cost <= _TEXT_MATCH_COST


def _search_steps(query: SearchQuery, kind: str) -> Iterator[_SearchStep]:
    """Yield the steps of a search: each allows more differences from the typed words than before.

    1. Names that begin with a single word of one or two sounds. 2. All words as typed (see
    `_typed_match`), then the same in long texts. 3. For each word a similar one, or all words
    written as one. 4. One word may be missing (see `_missing_word_step`).

    Of _NEWEST_FIRST_KINDS only the newest matches are ranked: a step that many entries match would
    hide the nearest ones. Therefore 1 and 4 are left out, and 3 first allows one error only.
    """
    words = _significant_words(query, kind)
    if not words:
        return
    _index_words.load_new_words()
    typed_matches = [_typed_match(word, kind) for word in words]
    if len(words) == 1 and len(words[0].sound) < 3 and kind not in _NEWEST_FIRST_KINDS:
        beginnings = " OR ".join(f'^ "{prefix}" *' for prefix in words[0].sound_prefixes)
        yield _SearchStep(f"names : ({beginnings})", _TEXT_MATCH_COST)
    yield _SearchStep(fts5.all_of(typed_matches), _TEXT_MATCH_COST)
    if kind in index.LONG_TEXT_KINDS:  # as typed only: a long text contains any similar word
        yield _SearchStep(fts5.all_of(typed_matches), _TEXT_MATCH_COST, in_text_rows=True)
    similar_sounds = [_similar_sounds(word, kind) for word in words]
    completions = _similar_completions(words[-1], kind)  # the last word may be unfinished
    match, similar_matches = fts5.all_of(typed_matches), typed_matches
    for max_errors in (1, _ANY_ERRORS) if kind in _NEWEST_FIRST_KINDS else (_ANY_ERRORS,):
        sounds_by_word = [
            [sound for errors, sound in sounds if errors <= max_errors] for sounds in similar_sounds
        ]
        sounds_by_word[-1] += completions
        similar_matches = [
            fts5.any_of([typed_match, *fts5.quote_words(sounds)])
            for typed_match, sounds in zip(typed_matches, sounds_by_word, strict=True)
        ]
        previous_match, match = match, fts5.all_of(similar_matches)
        if joined := query.joined:
            sounds = [
                sound for errors, sound in _similar_sounds(joined, kind) if errors <= max_errors
            ]
            joined_match = fts5.any_of([_typed_match(joined, kind), *fts5.quote_words(sounds)])
            match = f"({match}) OR {joined_match}"
        if match != previous_match:
            yield _SearchStep(match, _NEAR_TEXT_MATCH_COST)
    can_miss_word = len(words) > 1 and kind not in _NEWEST_FIRST_KINDS
    if can_miss_word and (step := _missing_word_step(words, typed_matches, similar_matches, kind)):
        yield step


def _missing_word_step(
    words: Sequence[Word],
    typed_matches: Sequence[str],
    similar_matches: Sequence[str],
    kind: str,
) -> _SearchStep | None:
    """Return the step in which typed words may be missing; None if the others say too little.

    In kinds with long texts, where people type complete questions, an entry needs only one of the
    longer words, as typed. In other kinds one word may be missing, and the remaining ones may be
    misspelt, unless too many entries contain them. `typed_matches` and `similar_matches` are the
    FTS5 expressions for each of `words`.
    """
    if kind in index.LONG_TEXT_KINDS:
        matches = [
            typed_match
            for typed_match, word in zip(typed_matches, words, strict=True)
            if len(word.spelling) > _INDEXED_PREFIX_LETTERS
        ]
        return _SearchStep(fts5.any_of(matches), _MISSING_WORD_COST) if matches else None
    shorter_matches = [
        fts5.all_of([*similar_matches[:n], *similar_matches[n + 1 :]])
        for n in range(len(similar_matches))
    ]
    rare_matches = [
        match
        for match in shorter_matches
        if not _is_common_match(_SearchStep(match, _MISSING_WORD_COST), kind)
    ]
    if not rare_matches:
        return None
    return _SearchStep(" OR ".join(f"({match})" for match in rare_matches), _MISSING_WORD_COST)


def _significant_words(query: SearchQuery, kind: str) -> list[Word]:
    """Return the words of the query that an entry must contain to be found.

    Of _NEWEST_FIRST_KINDS, which have many entries, words of one or two letters would find too
    much: they are left out, and only affect the order of the results.
    """
    if kind not in _NEWEST_FIRST_KINDS:
        return list(query.words)
    return [word for word in query.words if len(word.spelling) >= _INDEXED_PREFIX_LETTERS]


def _similar_sounds(word: Word, kind: str) -> list[tuple[int, str]]:
    """Return (errors, sound key) for each indexed word that a typed word may be meant to be.

    Only words of entries of this `kind` are considered. `errors` is the number of typing errors by
    which the two words differ. A word that is not only letters has no similar ones.
    """
    if not word.spelling.isalpha():
        return []
    similar = _index_words.similar_sounds(kind, word)
    if (
        len(word.uzbek_stem) > 3  # a shorter stem is similar to too many words
        and word.uzbek_stem != word.spelling
        and len(similar) < MAX_READINGS
    ):
        similar += _index_words.similar_sounds(kind, keys.word_from_spelling(word.uzbek_stem))
    return similar


def _similar_completions(word: Word, kind: str) -> list[str]:
    """Return the sound keys of a kind's indexed words that begin similarly to an unfinished word.

    Returns an empty list for a word that is not only letters.
    """
    return _index_words.sounds_beginning_like(kind, word.sound) if word.spelling.isalpha() else []


def _typed_match(word: Word, kind: str) -> str:
    """Return the FTS5 expression for words that begin with `word`, or differ by the ending only.

    The index stores only short beginnings. Instead of a longer one, the expression lists the words
    of this `kind` that begin so; if they are over _MAX_COMPLETIONS, it contains the beginning.
    """
    terms: list[str] = []
    for prefix in dict.fromkeys(word.sound_prefixes):
        is_long = len(prefix) > _INDEXED_PREFIX_LETTERS and word.spelling.isalpha()
        completions = (
            _index_words.sounds_with_prefix(kind, prefix, _MAX_COMPLETIONS) if is_long else None
        )
        terms += [f'"{prefix}" *'] if completions is None else fts5.quote_words(completions)
    return fts5.any_of([*dict.fromkeys([*terms, *fts5.quote_words((word.sound, *word.stems))])])


def _is_common_match(step: _SearchStep, kind: str) -> bool:
    """Return True if too many entries of a kind match the step: over _COMMON_WORD_ENTRIES."""
    return _count_matches(step, kind, _COMMON_WORD_ENTRIES + 1) > _COMMON_WORD_ENTRIES


def _count_matches(step: _SearchStep, kind: str, limit: int) -> int:
    """Return the number of entries of a kind that match a step; counting stops at `limit`."""
    subquery = (
        "SELECT 1 FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?"
    )
    parameters = (step.match, *index.kind_id_range(kind, step.in_text_rows), limit)
    return int(database.execute_sql(f"SELECT count(*) FROM ({subquery})", parameters).fetchone()[0])  # noqa: S608


def _narrowing_sql(narrowing: Narrowing | None) -> _SqlCondition:
    """Return SQL, " AND …", and its values, that limit a search to the records of `narrowing`.

    Returns ("", ()) if it is None. The caller replaces _ROW_PLACEHOLDER in the SQL by the id of an
    entry's record. Call it once for a search, not for each step: it takes as long as a query.
    """
    if not narrowing:
        return "", ()
    context = database.get_sql_context(parentheses=True, subquery=True)
    condition, values = context.sql(narrowing(SQL(_ROW_PLACEHOLDER))).query()
    return f" AND {condition}", tuple(values)


def _find_candidates(
    step: _SearchStep, kind: str, extra_condition: _SqlCondition, known_ids: Container[int]
) -> list[_Candidate]:
    """Return the entries that match `step`, except those found earlier (`known_ids`).

    `extra_condition` is from `_narrowing_sql`. If too many match, the newest are returned for
    _NEWEST_FIRST_KINDS, otherwise the first in the index; of long texts the best by _WEIGHT_ORDER,
    unless these are too many to be weighed. The query is written as SQL, because it runs for each
    typed letter.
    """
    first, end = index.kind_id_range(kind, step.in_text_rows)
    limit = (
        MAX_RECENT_CANDIDATES
        if kind in _NEWEST_FIRST_KINDS or step.in_text_rows
        else MAX_CANDIDATES
    )
    order = f"rowid {'DESC' if kind in _NEWEST_FIRST_KINDS else 'ASC'}"
    if (
        step.in_text_rows
        and _count_matches(step, kind, _MAX_WEIGHED_ENTRIES + 1) <= _MAX_WEIGHED_ENTRIES
    ):
        order = _WEIGHT_ORDER
    condition, values = extra_condition
    row_condition = condition.replace(_ROW_PLACEHOLDER, f"(search_text.rowid - {first})")
    numbers = database.execute_sql(
        "SELECT rowid - ? FROM search_text WHERE search_text MATCH ? "  # noqa: S608
        f"AND rowid BETWEEN ? AND ?{row_condition} ORDER BY {order} LIMIT {limit}",
        (first, step.match, first, end, *values),
    )
    begin = index.kind_id_range(kind)[0]  # of entries; rows of long texts have higher ids
    ids = [begin + number for (number,) in numbers if begin + number not in known_ids]
    marks = ", ".join("?" * len(ids))
    rows = database.execute_sql(
        f"SELECT id, kind, ref, title, names, about FROM search_entry WHERE id IN ({marks})",  # noqa: S608
        ids,
    )
    candidates_by_id = {row[0]: _Candidate(*row) for row in rows.fetchall()}
    return [candidates_by_id[id] for id in ids if id in candidates_by_id]


def _search_result(
    query: SearchQuery, candidate: _Candidate, step: _SearchStep, candidate_rank: int
) -> SearchResult:
    """Build the result, with its cost, for an entry that `step` found.

    `candidate_rank` is the number of entries that were found before it.
    """
    text_word_cost = step.text_word_cost
    if candidate.about and text_word_cost < _MISSING_WORD_COST:
        # An entry with context words has no text, and `match_cost` looks for words in `about`.
        text_word_cost = ranking.NO_MATCH_COST
    cost = ranking.match_cost(query, candidate.names, candidate.about, text_word_cost)
    return SearchResult(
        candidate.kind,
        candidate.ref,
        candidate.id - index.kind_id_range(candidate.kind)[0],
        candidate.title,
        cost,
        step.has_every_word,
        candidate_rank,
    )


def _result_sort_key(result: SearchResult) -> tuple[Any, ...]:
    """Return the key by which results are sorted: the cost, then what decides if it is equal.

    Costs are rounded, so that nearly equal ones count as equal.
    """
    if result.kind in _NEWEST_FIRST_KINDS:
        return round(result.cost, 1), -result.row
    if result.kind in index.LONG_TEXT_KINDS:
        return round(result.cost, 2), result.candidate_rank
    return round(result.cost, 2), result.title, result.row
