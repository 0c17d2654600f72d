"""The names of something that a search compares with the typed words: as a text, and as words."""

import functools
from dataclasses import dataclass

from appliance.core.i18n import fold_text
from appliance.core.search import keys
from appliance.core.search.keys import Word


@functools.lru_cache(maxsize=20_000)
def fold_names(*names: str) -> str:
    """Return the names of one candidate as a text for `match_cost`: folded, separated by bars.

    Names that are empty when folded, and repeated ones, are left out.
    """
    return "|".join(dict.fromkeys(filter(None, map(fold_text, names))))


@dataclass(frozen=True, slots=True)
class ParsedNames:
    """The names of an item as words."""

    words: tuple[Word, ...]  # the distinct words of all names
    joined: tuple[Word, ...]  # each name of several words, written as one word
    first_words: tuple[Word, ...]  # the first word of each name
    first_name_size: int  # the number of words in the first name, which is the title


@functools.lru_cache(maxsize=20_000)
def parse_names(names: str) -> ParsedNames:
    """Parse names in the form that `fold_names` returns, which separates them by bars.

    It also parses a context (`about`, words without a bar), as a single name.
    """
    split_names = [
        [keys.word_from_spelling(word) for word in name.split()] for name in names.split("|")
    ]
    joined = [
        keys.word_from_spelling("".join(word.spelling for word in name))
        for name in split_names
        if len(name) > 1
    ]
    distinct_words = tuple(dict.fromkeys(word for name in split_names for word in name))
    return ParsedNames(
        distinct_words,
        tuple(joined),
        tuple(name[0] for name in split_names if name),
        len(split_names[0]),
    )
