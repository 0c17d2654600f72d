"""A script's texts for display: in the caller's language, with placeholders filled in.

Uzbek is written once, in Latin letters. A Cyrillic text is a transliteration, and marked as one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from appliance.casework.scripts.definition import LANGUAGES, UZBEK, LocalizedTexts
from appliance.core import script
from appliance.core.i18n import N_, base_language

# the names that a text may contain in braces, with their labels
PLACEHOLDERS = {
    "name": N_("The caller's name"),
    "number": N_("Number of the appeal"),
    "due": N_("Deadline of the appeal"),
    "operator": N_("The operator's name"),
    "hotline": N_("Number of the hotline"),
}
_BRACES_PATTERN = re.compile(r"\{([^{}]*)\}|[{}]")
_CYRILLIC_LOCALE = "uz_Cyrl"


class TextSegment(NamedTuple):
    """A segment of a text: plain text, or the value of the placeholder with this name.

    `placeholder` is "" for plain text. `text` is "" for a placeholder whose value is unknown.
    """

    text: str
    placeholder: str = ""


def unknown_placeholders(text: str) -> list[str]:
    """Return the texts in braces that are not placeholders, and braces without a partner."""
    matches = ((match[0], match[1]) for match in _BRACES_PATTERN.finditer(text))
    return [matched_text for matched_text, name in matches if name not in PLACEHOLDERS]


def available_language(texts: LocalizedTexts, preferred: str) -> str:
    """Return the preferred language if the text exists in it, else the other one.

    Return "" if the text is empty in both.
    """
    order = [preferred, *(candidate for candidate in LANGUAGES if candidate != preferred)]
    return next((candidate for candidate in order if texts.get(candidate)), "")


def localized_segments(
    texts: LocalizedTexts, preferred: str, locale: str, values: Mapping[str, str]
) -> list[TextSegment]:
    """Return the segments of a text in the language `preferred`, else in the other language.

    `preferred` is the caller's language; `locale` is the reader's, which decides whether Uzbek is
    shown in Latin or Cyrillic letters. `values` are the known values of PLACEHOLDERS, by name.
    """
    text_language = available_language(texts, preferred)
    return [
        _localize_segment(segment, text_language, locale)
        for segment in text_segments(texts.get(text_language, ""), values)
    ]


def text_segments(text: str, values: Mapping[str, str]) -> Iterator[TextSegment]:
    """Yield a text split at its placeholders; other braces stay as plain text.

    `values` are the known values of PLACEHOLDERS, by name. Segments of plain text may be empty.
    """
    end = 0
    for match in _BRACES_PATTERN.finditer(text):
        if match[1] in PLACEHOLDERS:
            yield TextSegment(text[end : match.start()])
            yield TextSegment(values.get(match[1], ""), match[1])
            end = match.end()
    yield TextSegment(text[end:])


def plain_text(texts: LocalizedTexts, preferred: str, locale: str) -> str:
    """Return a text in the language `preferred`, else in the other; placeholders stay in braces.

    `preferred` is the caller's language; `locale` is the reader's, which decides whether Uzbek is
    returned in Latin or Cyrillic letters.
    """
    text_language = available_language(texts, preferred)
    text = texts.get(text_language, "")
    return (
        script.transliterate_for_locale(text, locale, include_quotes=True)
        if is_transliterated(text_language, locale)
        else text
    )


def localized_text(texts: LocalizedTexts, locale: str) -> str:
    """Return a text, e.g. a title, in the reader's language, else in the other language.

    Uzbek is in the script of the reader's `locale`.
    """
    return plain_text(texts, base_language(locale), locale)


def is_transliterated(text_language: str, locale: str) -> bool:
    """Return True if a text in this language is transliterated for a reader with this locale.

    Only Uzbek is, for readers of Cyrillic: scripts are written in Latin letters.
    """
    return text_language == UZBEK and locale == _CYRILLIC_LOCALE


def _localize_segment(segment: TextSegment, text_language: str, locale: str) -> TextSegment:
    """Return the segment in the script of the reader's locale."""
    if not is_transliterated(text_language, locale):
        return segment
    return segment._replace(
        text=script.transliterate_for_locale(segment.text, locale, include_quotes=True)
    )
