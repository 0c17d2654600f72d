"""Maintaining the index: an entry changes in the same transaction as the record it represents.

Each kind has its own range of ids, so that one index serves all kinds and a search of one kind
reads only that range. Small sets (places except mahallas, lists, employees) are not indexed:
`ranking.best_matches` compares each of their items.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.core.db import database
from appliance.core.i18n import fold_text
from appliance.core.search import keys
from appliance.core.search.tables import SearchEntry, SearchText, SearchWord

KINDS = ("mahalla", "article", "script", "appeal")  # the order is permanent: ids depend on it
LONG_TEXT_KINDS = ("article", "script")  # their texts are stored separately from the names
_IDS_PER_KIND = 1 << 40
_TEXT_ROW_OFFSET = 1 << 50  # from the id of an entry's row of names to that of its row of text
_LONG_NUMBER = re.compile(r"\d{5,}")
_MIN_NUMBER_PART_DIGITS = 3  # the fewest digits of a long number by which it can be found
_WORDS_PER_STATEMENT = 500  # words inserted by one statement
_PAGES_PER_STEP = 100  # pages of the index that are merged in one step


@dataclass(frozen=True)
class SearchItem:
    """An item to be indexed: it is found by its title, other names, context (`about`) and text.

    `kind` is one of KINDS, and `ref` the item's key in the table of its kind, as text. `about`
    holds a few words that distinguish it from others of its name, such as the district of a
    mahalla. The snippet, an extract for the list of results, is taken from `text`; `stores_text` is
    False if the owning table stores the text itself, as with a citizen's appeal. `row` is its
    integer id in the owning table; an item without one gets the next free number.
    """

    kind: str
    ref: str
    title: str
    text: str = ""
    names: tuple[str, ...] = ()
    about: str = ""
    row: int | None = None
    stores_text: bool = True


def index_item(item: SearchItem, listed_words: set[str] | None = None) -> None:
    """Add an item to the search index, or replace its entry; call it inside a transaction.

    `listed_words` saves time if many items of a kind are indexed: pass an empty set, and the same
    one again with each further item. It collects the words that the table SearchWord contains
    already, which are not inserted again.
    """
    names = list(dict.fromkeys(filter(None, map(fold_text, (item.title, *item.names)))))
    texts = fold_text(item.about), fold_text(item.text)
    # Names of two or three words also as one word, because people omit the blank.
    joined = [name.replace(" ", "") for name in names if 1 < len(name.split()) <= 3]
    entry_id = _entry_id(item)
    stored_text = item.text if item.stores_text else ""
    database.execute_sql(
        "REPLACE INTO search_entry (id, kind, ref, title, names, about, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (entry_id, item.kind, item.ref, item.title, "|".join(names), texts[0], stored_text),
    )
    name_tokens, text_tokens = _index_tokens((*names, *joined)), _index_tokens(texts)
    has_text_row = item.kind in LONG_TEXT_KINDS
    rows = [(entry_id, name_tokens, "" if has_text_row else text_tokens)]
    rows += [(entry_id + _TEXT_ROW_OFFSET, name_tokens, text_tokens)] if has_text_row else []
    for row in rows:
        database.execute_sql("REPLACE INTO search_text (rowid, names, text) VALUES (?, ?, ?)", row)
    words = sorted(_correctable_words((*names, *joined, *texts)).difference(listed_words or ()))
    if listed_words is not None:
        listed_words.update(words)
    for start in range(0, len(words), _WORDS_PER_STATEMENT):
        batch = words[start : start + _WORDS_PER_STATEMENT]
        marks = ", ".join(["(?, ?)"] * len(batch))
        database.execute_sql(
            f"INSERT OR IGNORE INTO search_word (kind, word) VALUES {marks}",  # noqa: S608
            [value for word in batch for value in (item.kind, word)],
        )


def stored_texts(kind: str, rows: Collection[int]) -> dict[int, str]:
    """Return the texts whose extracts (snippets) a list of results shows, by their records' ids.

    `rows` are ids of records of this `kind`; one without an entry in the index is left out. A text
    is "" if the owning table stores it instead (see SearchItem).
    """
    first = kind_id_range(kind)[0]
    entries = SearchEntry.select(SearchEntry.id, SearchEntry.text)
    entries = entries.where(SearchEntry.id.in_([first + row for row in rows]))
    return {id - first: text for id, text in entries.tuples()}


def drop_entry(kind: str, ref: str) -> None:
    """Remove the entry of the item `ref` from the search index, if any; call it in a transaction.

    The entry's words stay in the table SearchWord, without effect, until `forget_words` or
    `clear_kind` is called.
    """
    entry = SearchEntry.get_or_none(SearchEntry.kind == kind, SearchEntry.ref == ref)
    if entry:
        SearchText.delete().where(
            SearchText.rowid.in_((entry.id, entry.id + _TEXT_ROW_OFFSET))
        ).execute()
        entry.delete_instance()


def forget_words(kind: str, *texts: str) -> None:
    """Remove the words of `texts` from the table SearchWord, unless an entry still contains them.

    Call it for texts of a `kind` (one of KINDS) that were replaced or deleted, so that a person's
    data is not kept there. It is not for LONG_TEXT_KINDS, because it does not search the rows that
    contain long texts.
    """
    for word in sorted(_correctable_words(map(fold_text, texts))):
        query = f'"{keys.sound_key(word)}"'
        if not SearchText.select().where(kind_condition(kind), SearchText.match(query)).exists():
            SearchWord.delete().where(SearchWord.kind == kind, SearchWord.word == word).execute()


def merge_index_step(is_first: bool = False) -> bool:
    """Do one step of merging the segments of the full-text index into one, so that it is fastest.

    Call it inside a transaction. `is_first`: this step begins a merge, the later ones continue it.
    Returns True if more steps may be needed.
    """
    changes_before = database.connection().total_changes
    # FTS5's own command: with a negative number of pages it begins a merge of all segments.
    step = "INSERT INTO search_text (search_text, rank) VALUES ('merge', ?)"
    database.execute_sql(step, (-_PAGES_PER_STEP if is_first else _PAGES_PER_STEP,))
    return bool(database.connection().total_changes - changes_before > 1)  # 1: nothing was merged


def clear_kind(kind: str) -> None:
    """Remove all entries of a kind (one of KINDS), and its words; call it inside a transaction."""
    for in_text_rows in (False, True):
        id_range = kind_id_range(kind, in_text_rows)
        database.execute_sql("DELETE FROM search_text WHERE rowid BETWEEN ? AND ?", id_range)
    SearchEntry.delete().where(SearchEntry.kind == kind).execute()
    SearchWord.delete().where(SearchWord.kind == kind).execute()


def is_kind_empty(kind: str) -> bool:
    """Return True if the search index has no entries of a kind (one of KINDS)."""
    return not SearchEntry.select().where(SearchEntry.kind == kind).exists()


def kind_condition(kind: str) -> Expression:
    """Return the condition, for a query of SearchText, that a row is of an entry of this kind.

    It excludes the additional rows that contain long texts (see `kind_id_range`).
    """
    begin, end = kind_id_range(kind)
    return SearchText.rowid.between(begin, end)


def kind_id_range(kind: str, in_text_rows: bool = False) -> tuple[int, int]:
    """Return the first and the last id that the index has for entries of a kind (one of KINDS).

    The first id plus a record's own id is the id of its entry. With `in_text_rows`, it is the range
    of the additional rows of SearchText that contain the long text too; only the entries of
    LONG_TEXT_KINDS have them.
    """
    first = (KINDS.index(kind) + 1) * _IDS_PER_KIND + (_TEXT_ROW_OFFSET if in_text_rows else 0)
    return first, first + _IDS_PER_KIND - 1


def _entry_id(item: SearchItem) -> int:
    """Return the id of an item's entry: its `row`, counted from the first id of its kind.

    Without a `row`, returns the id of its present entry, or the next free one of its kind.
    """
    first = kind_id_range(item.kind)[0]
    if item.row is not None:
        return first + item.row
    of_kind = SearchEntry.kind == item.kind
    existing = SearchEntry.get_or_none(of_kind, SearchEntry.ref == item.ref)
    if existing:
        return int(existing.id)
    return int(SearchEntry.select(fn.MAX(SearchEntry.id)).where(of_kind).scalar() or first) + 1


def _index_tokens(texts: Iterable[str]) -> str:
    """Return the tokens that the index stores for folded texts, separated by blanks.

    The tokens of a word are its sound key and those of its stems (Word.tokens). A long number also
    gives each of its endings, so that any part of it is the beginning of a token.
    """
    tokens: list[str] = []
    for text in texts:
        for word in text.split():
            if _LONG_NUMBER.fullmatch(word):
                parts = range(len(word) - _MIN_NUMBER_PART_DIGITS + 1)
                tokens += [word[start:] for start in parts]
            else:
                tokens += keys.word_from_spelling(word).tokens
    return " ".join(tokens)


def _correctable_words(texts: Iterable[str]) -> set[str]:
    """Return the words of folded texts that are found even if a user misspells them.

    These are the words of at least three letters, each as written, and without its Uzbek endings.
    """
    keyed_words = (
        keys.word_from_spelling(word) for text in texts for word in text.split() if word.isalpha()
    )
    spellings = {spelling for word in keyed_words for spelling in (word.spelling, word.uzbek_stem)}
    return {word for word in spellings if len(word) > 2 and word.isalpha()}
