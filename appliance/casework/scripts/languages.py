"""The language and script of a text, detected by its letters."""

import re

import alifbo

from appliance.casework.scripts.definition import RUSSIAN, UZBEK

_UZBEK_LETTERS = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC_LETTERS = re.compile("[а-яёА-ЯЁ]")


def detect_language(text: str) -> str:
    """Return RUSSIAN for a text in Cyrillic without letters that only Uzbek has, else UZBEK."""
    return RUSSIAN if _CYRILLIC_LETTERS.search(text) and not _UZBEK_LETTERS.search(text) else UZBEK


def latin_text(text: str) -> str:
    """Return an Uzbek text in Latin letters, as scripts are written.

    A text without Cyrillic letters that only Uzbek has counts as Russian or Latin: it is unchanged.
    """
    return alifbo.from_cyrillic(text).text if _UZBEK_LETTERS.search(text) else text
