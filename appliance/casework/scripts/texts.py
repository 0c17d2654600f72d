"""A script's texts as they are said: in the caller's language, with what is known of the call.

Uzbek is written once, in Latin letters; in Cyrillic ones it is a transliteration, and marked so.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from appliance.casework.scripts.definition import LANGUAGES, RUSSIAN, UZBEK, Words
from appliance.core import script
from appliance.core.i18n import N_

# what may stand in braces → what it is called
PLACEHOLDERS = {
    "name": N_("The caller's name"),
    "number": N_("Number of the appeal"),
    "due": N_("Deadline of the appeal"),
    "operator": N_("The operator's name"),
    "hotline": N_("Number of the hotline"),
}
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_CYRILLIC = "uz_Cyrl"


class Part(NamedTuple):
    """A piece of a text; `word`: the placeholder that it stands for, "" for what is written.

    `text` of a placeholder is empty while nobody knows it.
    """

    text: str
    word: str = ""


def unknown(text: str) -> list[str]:
    """What stands in braces and is no placeholder; a single brace too."""
    found = ((one[0], one[1]) for one in _BRACES.finditer(text))
    return [whole for whole, word in found if word not in PLACEHOLDERS]


def language(words: Words, wanted: str) -> str:
    """The language in which a text is there: the one wanted, else the other; "" for none."""
    order = [wanted, *(one for one in LANGUAGES if one != wanted)]
    return next((one for one in order if words.get(one)), "")


def parts_of(words: Words, wanted: str, locale: str, values: Mapping[str, str]) -> list[Part]:
    """A text in a language, for a reader of a locale; values by the names of PLACEHOLDERS."""
    spoken = language(words, wanted)
    return [_written(part, spoken, locale) for part in parts(words.get(spoken, ""), values)]


def parts(text: str, values: Mapping[str, str]) -> Iterator[Part]:
    """A text cut at its placeholders; other braces stay as they are written."""
    end = 0
    for found in _BRACES.finditer(text):
        if found[1] in PLACEHOLDERS:
            yield Part(text[end : found.start()])
            yield Part(values.get(found[1], ""), found[1])
            end = found.end()
    yield Part(text[end:])


def plain(words: Words, wanted: str, locale: str) -> str:
    """A text in one line of words, placeholders in their braces."""
    spoken = language(words, wanted)
    text = words.get(spoken, "")
    return script.written(text, locale, quotes=True) if is_made(spoken, locale) else text


def read(words: Words, locale: str) -> str:
    """A text in the language of its reader, as titles and names are."""
    return plain(words, RUSSIAN if locale == "ru" else UZBEK, locale)


def is_made(spoken: str, locale: str) -> bool:
    """Whether a text of a language is a transliteration for a reader of a locale."""
    return spoken == UZBEK and locale == _CYRILLIC


def _written(part: Part, spoken: str, locale: str) -> Part:
    if not is_made(spoken, locale):
        return part
    return part._replace(text=script.written(part.text, locale, quotes=True))
