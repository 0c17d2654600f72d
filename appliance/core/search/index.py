"""Keeping the index: an entry is put and dropped in the transaction that changes what it tells of.

Each kind has a range of ids of its own, so that one index serves all and a search of one kind
reads that range only. What there is little of (places but mahallas, lists, employees) is in no
index: `ranking.best` reads all of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.core.db import database
from appliance.core.i18n import fold
from appliance.core.search import keys
from appliance.core.search.tables import SearchEntry, SearchText, SearchWord

KINDS = ("mahalla", "article", "script", "appeal")  # in this order for good: ids tell the place
_RANGE = 1 << 40
_LONG_NUMBER = re.compile(r"\d{5,}")
_SHORTEST_PART = 3  # digits of a long number that find it
_AT_ONCE = 500  # words put by one statement


@dataclass(frozen=True)
class Entry:
    """What can be found by its title and other names, what it is beside, and its text.

    `about` are few words that tell it from others of its name, as the district of a mahalla. The
    snippet is made of `text`; it is not `kept` when its owner has it, as a citizen's appeal.
    `row`: the whole number by which its owner's table knows it, else the next free one.
    """

    kind: str
    ref: str
    title: str
    text: str = ""
    names: tuple[str, ...] = ()
    about: str = ""
    row: int | None = None
    kept: bool = True


def put(entry: Entry) -> None:
    """Let something be found, in place of what was put for it before; inside a transaction."""
    names, joined, texts = _folded(entry)
    id = _id_of(entry)
    kept = entry.text if entry.kept else ""
    database.execute_sql(
        "REPLACE INTO search_entry (id, kind, ref, title, names, about, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, entry.kind, entry.ref, entry.title, "|".join(names), texts[0], kept),
    )
    database.execute_sql(
        "REPLACE INTO search_text (rowid, names, text) VALUES (?, ?, ?)",
        (id, _tokens((*names, *joined)), _tokens(texts)),
    )
    words = sorted(_words((*names, *joined, *texts)))
    for begin in range(0, len(words), _AT_ONCE):
        some = words[begin : begin + _AT_ONCE]
        marks = ", ".join(["(?, ?)"] * len(some))
        database.execute_sql(
            f"INSERT OR IGNORE INTO search_word (kind, word) VALUES {marks}",  # noqa: S608
            [value for word in some for value in (entry.kind, word)],
        )


def drop(kind: str, ref: str) -> None:
    """Let something be found no more; inside a transaction. Nothing happens when it is not there.

    Its words stay in the list of words until `clear`: they lead to nothing.
    """
    known = SearchEntry.get_or_none(SearchEntry.kind == kind, SearchEntry.ref == ref)
    if known:
        SearchText.delete().where(SearchText.rowid == known.id).execute()
        known.delete_instance()


def forget(before: Entry) -> None:
    """Take words out of the list of words that nothing of a kind is found by any more, of those
    by which an entry was found before; inside a transaction."""
    begin, end = range_of(before.kind)
    names, joined, texts = _folded(before)
    for word in _words((*names, *joined, *texts)):
        sounds = f'"{keys.key(word).sound}"'
        still = database.execute_sql(
            "SELECT 1 FROM search_text WHERE search_text MATCH ? AND rowid BETWEEN ? AND ? LIMIT 1",
            (sounds, begin, end),
        ).fetchone()
        if not still:
            theirs = (SearchWord.kind == before.kind, SearchWord.word == word)
            SearchWord.delete().where(*theirs).execute()


def clear(kind: str) -> None:
    """Drop everything of a kind and its words; inside a transaction."""
    begin, end = range_of(kind)
    database.execute_sql("DELETE FROM search_text WHERE rowid BETWEEN ? AND ?", (begin, end))
    SearchEntry.delete().where(SearchEntry.kind == kind).execute()
    SearchWord.delete().where(SearchWord.kind == kind).execute()


def is_empty(kind: str) -> bool:
    """Whether nothing of a kind can be found."""
    return not SearchEntry.select().where(SearchEntry.kind == kind).exists()


def within(kind: str) -> Expression:
    """The condition that a row of the index is of a kind."""
    begin, end = range_of(kind)
    return SearchText.rowid.between(begin, end)


def range_of(kind: str) -> tuple[int, int]:
    """The first and the last id that an entry of a kind may have; the first is that of row 0."""
    first = (KINDS.index(kind) + 1) * _RANGE
    return first, first + _RANGE - 1


def _folded(entry: Entry) -> tuple[list[str], list[str], tuple[str, str]]:
    """The names of an entry, those that people also write as one word, and its texts."""
    names = list(dict.fromkeys(filter(None, map(fold, (entry.title, *entry.names)))))
    joined = [name.replace(" ", "") for name in names if 1 < len(name.split()) <= 3]
    return names, joined, (fold(entry.about), fold(entry.text))


def _id_of(entry: Entry) -> int:
    first = range_of(entry.kind)[0]
    if entry.row is not None:
        return first + entry.row
    of_kind = SearchEntry.kind == entry.kind
    known = SearchEntry.get_or_none(of_kind, SearchEntry.ref == entry.ref)
    if known:
        return int(known.id)
    return int(SearchEntry.select(fn.MAX(SearchEntry.id)).where(of_kind).scalar() or first) + 1


def _tokens(texts: Iterable[str]) -> str:
    """The tokens of folded texts.

    Of a long number also each part that ends it: so any part of it begins a token.
    """
    found: list[str] = []
    for text in texts:
        for word in map(keys.key, text.split()):
            found += word.tokens
            if _LONG_NUMBER.fullmatch(word.written):
                parts = range(1, len(word.written) - _SHORTEST_PART + 1)
                found += [word.written[begin:] for begin in parts]
    return " ".join(found)


def _words(texts: Iterable[str]) -> set[str]:
    """The words that may be misspelt, as written and without Uzbek endings."""
    told = (keys.key(word) for text in texts for word in text.split())
    both = {one for word in told for one in (word.written, word.plain)}
    return {word for word in both if len(word) > 2 and word.isalpha()}
