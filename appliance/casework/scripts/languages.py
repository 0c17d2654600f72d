"""The language and script of a text, detected by its letters."""

import re

import alifbo

from appliance.casework.scripts.definition import RUSSIAN, UZBEK

_UZBEK_LETTERS = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC_LETTERS = re.compile("[а-яёА-ЯЁ]")


def detect_language(text: str) -> str:
    """Return the language of a text by its letters: Russian for Cyrillic without Uzbek letters."""
    return RUSSIAN if _CYRILLIC_LETTERS.search(text) and not _UZBEK_LETTERS.search(text) else UZBEK


def latin_text(text: str) -> str:
    """Return an Uzbek text in Latin letters, as scripts are written."""
    return alifbo.from_cyrillic(text).text if _UZBEK_LETTERS.search(text) else text
