"""Parses an article from a Markdown file: a head of lines `name: value`, then the text.

The head is between two lines of `---`: title_uz, title_ru, section, directions (with commas),
other_words (with commas), law, law_number, law_on, source, review, expires, owner. The text of each
language begins with a line `# uz` or `# ru`; without these lines the whole text is in the language
in which it is written.
"""

import datetime as dt
import re

from appliance.casework import catalogs, identity
from appliance.casework.knowledge.articles import (
    DIRECTION_LIST,
    SECTION_LIST,
    ArticleContent,
    ArticlePlacement,
)
from appliance.core.refusals import Refused

_HEAD_PATTERN = re.compile(r"\A\ufeff?\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_LANGUAGE_PATTERN = re.compile(r"^#[ \t]*(uz|ru)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_UZBEK_LETTERS = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC_LETTERS = re.compile("[а-яёА-ЯЁ]")
_HEAD_NAMES = {
    *("title_uz", "title_ru", "section", "directions", "law", "law_number", "law_on"),
    *("source", "review", "expires", "owner", "other_words"),
}
_DEFAULT_SECTION = "other"  # the section of an article whose file has no section


def parse_article(text: str) -> tuple[ArticleContent, ArticlePlacement]:
    """Return the content and the placement of the article in a file with this text.

    The section and the directions are given in it by code or by name.

    Raises Refused with the code `head` if the head is missing or invalid, `section` or `topic` if
    there is no such section or direction, `day` if a date is invalid.
    """
    text = text.replace("\r\n", "\n")
    match = _HEAD_PATTERN.match(text)
    if not match:
        raise Refused("head")
    head = _parse_head(match[1])
    texts = _texts_by_language(text[match.end() :])
    content = ArticleContent(
        title_uz=head.get("title_uz", ""),
        text_uz=texts.get("uz", ""),
        title_ru=head.get("title_ru", ""),
        text_ru=texts.get("ru", ""),
        source=head.get("source", ""),
        law=head.get("law", ""),
        law_number=head.get("law_number", ""),
        law_on=_parse_day(head.get("law_on", "")),
        expires_on=_parse_day(head.get("expires", "")),
    )
    section = catalogs.code_by_name(SECTION_LIST, head.get("section", "") or _DEFAULT_SECTION)
    if not section:
        raise Refused("section")
    directions = [
        direction.strip() for direction in head.get("directions", "").strip("[] ").split(",")
    ]
    topics = [
        catalogs.code_by_name(DIRECTION_LIST, direction.strip("\"'"))
        for direction in directions
        if direction
    ]
    if None in topics:
        raise Refused("topic")
    review = _parse_day(head.get("review", ""))
    owner, other_words = head.get("owner", ""), head.get("other_words", "")
    return content, ArticlePlacement(
        section, tuple(filter(None, topics)), owner, review, other_words
    )


def _parse_head(text: str) -> dict[str, str]:
    """Return the values of the head's lines by name, without quotes around them.

    Raises Refused with the code `head` for a line without a colon or an unknown name.
    """
    lines = [line.partition(":") for line in text.split("\n") if line.strip()]
    head = {name.strip().lower(): value.strip() for name, _colon, value in lines}
    if not all(colon for _name, colon, _value in lines) or not head.keys() <= _HEAD_NAMES:
        raise Refused("head")
    return {
        head_name: raw_value[1:-1]
        if raw_value[:1] == raw_value[-1:] and raw_value[:1] in ('"', "'")
        else raw_value
        for head_name, raw_value in head.items()
    }


def _texts_by_language(body: str) -> dict[str, str]:
    """Return the article's texts by language, "uz" or "ru".

    Without lines `# uz` or `# ru`, the whole text is Russian if it is in Cyrillic without letters
    that only Uzbek has, else Uzbek. A text before the first such line is ignored.
    """
    first, *sections = _LANGUAGE_PATTERN.split(body)
    if sections:
        pairs = zip(sections[::2], sections[1::2], strict=True)
        return {language.lower(): text.strip() for language, text in pairs}
    russian = _CYRILLIC_LETTERS.search(first) and not _UZBEK_LETTERS.search(first)
    return {"ru" if russian else "uz": first.strip()}


def _parse_day(text: str) -> dt.date | None:
    """Return the date that is written in a text; None for an empty text.

    Raises Refused with the code `day` if the text is not a plausible date.
    """
    day = identity.parse_plausible_date(text) if text else None
    if text and not day:
        raise Refused("day")
    return day
