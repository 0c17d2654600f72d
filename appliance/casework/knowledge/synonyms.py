"""Additional words by which an article is found: those the manager added to it, and synonyms.

The product's list of synonyms is `data/synonyms.toml`: groups of words that callers use for the
same thing.
"""

import functools
import tomllib
from dataclasses import dataclass

from appliance import PACKAGE
from appliance.core import search
from appliance.core.i18n import fold_text
from appliance.models import ArticleVersion

SYNONYMS_FILE = PACKAGE / "data" / "synonyms.toml"


@dataclass(frozen=True)
class SynonymGroup:
    """Words with the same meaning, and the directions that are about this meaning.

    `topics` are codes of directions, which are subjects of appeals.
    """

    words: tuple[str, ...]
    topics: frozenset[str]


@functools.cache
def synonym_groups() -> tuple[SynonymGroup, ...]:
    """Return the groups of the product's list."""
    entries = tomllib.loads(SYNONYMS_FILE.read_text("utf-8"))["group"]
    return tuple(
        SynonymGroup(tuple(entry["words"]), frozenset(entry["topics"])) for entry in entries
    )


def additional_search_words(row: ArticleVersion) -> tuple[str, ...]:
    """Return further words by which a version is found, in addition to its titles and texts.

    These are the words that the manager added to the article, and all words of each group of
    synonyms that has a word in the titles. If the article is about one direction (subject of
    appeals) only, the words of that direction's groups are included; an article about several
    directions is too general for the words of each. Words that are in a title are left out.
    """
    article = row.article
    titles = _phonetic_words(f"{row.title_uz} {row.title_ru}")
    own_topics = set(article.topics) if len(article.topics) == 1 else set()
    candidates = [word.strip() for word in article.other_words.split(",")]
    for group in synonym_groups():
        if own_topics & group.topics or any(
            _phonetic_words(word) in titles for word in group.words
        ):
            candidates += group.words
    return tuple(
        candidate
        for candidate in dict.fromkeys(candidates)
        if candidate and _phonetic_words(candidate) not in titles
    )


def _phonetic_words(text: str) -> str:
    """Return the phonetic forms of a text's words, with a blank before and after each.

    So `in` tests whether a text contains the words of another one, in any spelling.
    """
    return f" {' '.join(search.sound_key(word) for word in fold_text(text).split())} "
