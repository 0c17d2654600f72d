"""The language of a script's text, by its letters."""

import re

import alifbo

from appliance.casework.scripts.definition import RUSSIAN, UZBEK

_UZBEK = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC = re.compile("[а-яёА-ЯЁ]")


def language_of(text: str) -> str:
    """The language of a text by its letters: Russian for Cyrillic without Uzbek letters."""
    return RUSSIAN if _CYRILLIC.search(text) and not _UZBEK.search(text) else UZBEK


def in_latin(text: str) -> str:
    """Uzbek as scripts are written, in Latin letters."""
    return alifbo.from_cyrillic(text).text if _UZBEK.search(text) else text
