"""Keeping the index: an entry is put and dropped in the transaction that changes what it tells of.

Each kind has a range of ids of its own, so that one index serves all and a search of one kind
reads that range only. What there is little of (places but mahallas, lists, employees) is in no
index: `ranking.best` reads all of it.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.core.db import database
from appliance.core.i18n import fold
from appliance.core.search import keys
from appliance.core.search.tables import SearchEntry, SearchText, SearchWord

KINDS = ("mahalla", "article", "script", "appeal")  # in this order for good: ids tell the place
BY_TEXT = ("article", "script")  # whose texts are long: they stand apart from the names
_RANGE = 1 << 40
_APART = 1 << 50  # from the row with the names of an entry to that with all its words
_LONG_NUMBER = re.compile(r"\d{5,}")
_SHORTEST_PART = 3  # digits of a long number that find it
_AT_ONCE = 500  # words put by one statement
_PAGES = 100  # of the index that are merged in one step


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


def put(entry: Entry, listed: set[str] | None = None) -> None:
    """Let something be found, in place of what was put for it before; inside a transaction.

    `listed`: words of its kind that are known to be in the list of words, to be gone on with.
    """
    names = list(dict.fromkeys(filter(None, map(fold, (entry.title, *entry.names)))))
    texts = fold(entry.about), fold(entry.text)
    joined = [name.replace(" ", "") for name in names if 1 < len(name.split()) <= 3]
    id = _id_of(entry)
    kept = entry.text if entry.kept else ""
    database.execute_sql(
        "REPLACE INTO search_entry (id, kind, ref, title, names, about, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, entry.kind, entry.ref, entry.title, "|".join(names), texts[0], kept),
    )
    named, told = _tokens((*names, *joined)), _tokens(texts)
    apart = entry.kind in BY_TEXT
    rows = [(id, named, "" if apart else told)]
    rows += [(id + _APART, named, told)] if apart else []
    for row in rows:
        database.execute_sql("REPLACE INTO search_text (rowid, names, text) VALUES (?, ?, ?)", row)
    words = sorted(_words((*names, *joined, *texts)).difference(listed or ()))
    if listed is not None:
        listed.update(words)
    for begin in range(0, len(words), _AT_ONCE):
        some = words[begin : begin + _AT_ONCE]
        marks = ", ".join(["(?, ?)"] * len(some))
        database.execute_sql(
            f"INSERT OR IGNORE INTO search_word (kind, word) VALUES {marks}",  # noqa: S608
            [value for word in some for value in (entry.kind, word)],
        )


def texts(kind: str, rows: Collection[int]) -> dict[int, str]:
    """Row → text that was kept of it, to make a snippet of."""
    first = range_of(kind)[0]
    found = SearchEntry.select(SearchEntry.id, SearchEntry.text)
    found = found.where(SearchEntry.id.in_([first + row for row in rows]))
    return {id - first: text for id, text in found.tuples()}


def drop(kind: str, ref: str) -> None:
    """Let something be found no more; inside a transaction. Nothing happens when it is not there.

    Its words stay in the list of words until `forget` or `clear`: they lead to nothing.
    """
    known = SearchEntry.get_or_none(SearchEntry.kind == kind, SearchEntry.ref == ref)
    if known:
        SearchText.delete().where(SearchText.rowid.in_((known.id, known.id + _APART))).execute()
        known.delete_instance()


def forget(kind: str, *texts: str) -> None:
    """Take the words of texts out of the list of words, but those that something still has."""
    for word in sorted(_words(map(fold, texts))):
        found = f'"{keys.sound(word)}"'
        if not SearchText.select().where(within(kind), SearchText.match(found)).exists():
            SearchWord.delete().where(SearchWord.kind == kind, SearchWord.word == word).execute()


def merge(begin: bool = False) -> bool:
    """Do a step of making the index one piece, as it is read the quickest; inside a transaction.

    Returns whether there may be more to do.
    """
    before = database.connection().total_changes
    step = "INSERT INTO search_text (search_text, rank) VALUES ('merge', ?)"
    database.execute_sql(step, (-_PAGES if begin else _PAGES,))
    return bool(database.connection().total_changes - before > 1)


def clear(kind: str) -> None:
    """Drop everything of a kind and its words; inside a transaction."""
    for apart in (False, True):
        there = range_of(kind, apart)
        database.execute_sql("DELETE FROM search_text WHERE rowid BETWEEN ? AND ?", there)
    SearchEntry.delete().where(SearchEntry.kind == kind).execute()
    SearchWord.delete().where(SearchWord.kind == kind).execute()


def is_empty(kind: str) -> bool:
    """Whether nothing of a kind can be found."""
    return not SearchEntry.select().where(SearchEntry.kind == kind).exists()


def within(kind: str) -> Expression:
    """The condition that a row of the index is of a kind."""
    begin, end = range_of(kind)
    return SearchText.rowid.between(begin, end)


def range_of(kind: str, apart: bool = False) -> tuple[int, int]:
    """The first and the last id that an entry of a kind may have; the first is that of row 0.

    `apart`: those of the rows with all words, of a kind whose texts are long.
    """
    first = (KINDS.index(kind) + 1) * _RANGE + (_APART if apart else 0)
    return first, first + _RANGE - 1


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
        for word in text.split():
            if _LONG_NUMBER.fullmatch(word):
                parts = range(len(word) - _SHORTEST_PART + 1)
                found += [word[begin:] for begin in parts]
            else:
                found += keys.key(word).tokens
    return " ".join(found)


def _words(texts: Iterable[str]) -> set[str]:
    """The words that may be misspelt, as written and without Uzbek endings."""
    told = (keys.key(word) for text in texts for word in text.split() if word.isalpha())
    both = {one for word in told for one in (word.written, word.plain)}
    return {word for word in both if len(word) > 2 and word.isalpha()}
