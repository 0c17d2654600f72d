"""Other words by which an article is found: those of its manager, and those of the product's list.

The list is `data/synonyms.toml`, groups of words that mean the same to who calls.
"""

import functools
import tomllib
from dataclasses import dataclass

from appliance import PACKAGE
from appliance.core import search
from appliance.core.i18n import fold
from appliance.models import ArticleVersion

FILE = PACKAGE / "data" / "synonyms.toml"


@dataclass(frozen=True)
class Group:
    """Words that mean the same, and the directions whose own articles are about them."""

    words: tuple[str, ...]
    topics: frozenset[str]


@functools.cache
def groups() -> tuple[Group, ...]:
    """The product's list."""
    found = tomllib.loads(FILE.read_text("utf-8"))["group"]
    return tuple(Group(tuple(one["words"]), frozenset(one["topics"])) for one in found)


def of(row: ArticleVersion) -> tuple[str, ...]:
    """The words by which a version is found beside its titles, without those that stand there.

    An article that is proposed for many directions is about none of them.
    """
    article = row.article
    titles = _between_blanks(f"{row.title_uz} {row.title_ru}")
    about = set(article.topics) if len(article.topics) == 1 else set()
    found = [word.strip() for word in article.other_words.split(",")]
    for group in groups():
        if about & group.topics or any(_between_blanks(word) in titles for word in group.words):
            found += group.words
    return tuple(one for one in dict.fromkeys(found) if one and _between_blanks(one) not in titles)


def _between_blanks(text: str) -> str:
    """How the words of a text sound, each with a blank before and after it."""
    return f" {' '.join(search.sound(word) for word in fold(text).split())} "
