"""An article out of a Markdown file: a head of lines `name: value`, then the text.

The head stands between two lines of `---`: title_uz, title_ru, section, directions (with commas),
other_words (with commas), law, law_number, law_on, source, review, expires, owner. The text of each
language begins with a line `# uz` or `# ru`; without any the whole text is in the language in
which it is written.
"""

import datetime as dt
import re

from appliance.casework import catalogs, identity
from appliance.casework.knowledge.articles import SECTIONS, TOPICS, Place, Words
from appliance.casework.knowledge.errors import ArticleError

_HEAD = re.compile(r"\A\ufeff?\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_LANGUAGE = re.compile(r"^#[ \t]*(uz|ru)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_UZBEK = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC = re.compile("[а-яёА-ЯЁ]")
_KNOWN = {
    *("title_uz", "title_ru", "section", "directions", "law", "law_number", "law_on"),
    *("source", "review", "expires", "owner", "other_words"),
}
_OTHER = "other"  # the section of what names none


def read(text: str) -> tuple[Words, Place]:
    """What a file says, and where its article stands.

    Raises ArticleError: `head`, `section`, `topic`, `day`.
    """
    text = text.replace("\r\n", "\n")
    found = _HEAD.match(text)
    if not found:
        raise ArticleError("head")
    head = _head(found[1])
    texts = _texts(text[found.end() :])
    words = Words(
        title_uz=head.get("title_uz", ""),
        text_uz=texts.get("uz", ""),
        title_ru=head.get("title_ru", ""),
        text_ru=texts.get("ru", ""),
        source=head.get("source", ""),
        law=head.get("law", ""),
        law_number=head.get("law_number", ""),
        law_on=_day(head.get("law_on", "")),
        expires_on=_day(head.get("expires", "")),
    )
    section = catalogs.code_of(SECTIONS, head.get("section", "") or _OTHER)
    if not section:
        raise ArticleError("section")
    named = [one.strip() for one in head.get("directions", "").strip("[] ").split(",")]
    topics = [catalogs.code_of(TOPICS, one.strip("\"'")) for one in named if one]
    if None in topics:
        raise ArticleError("topic")
    review = _day(head.get("review", ""))
    owner, other_words = head.get("owner", ""), head.get("other_words", "")
    return words, Place(section, tuple(filter(None, topics)), owner, review, other_words)


def _head(text: str) -> dict[str, str]:
    lines = [line.partition(":") for line in text.split("\n") if line.strip()]
    head = {name.strip().lower(): value.strip() for name, _colon, value in lines}
    if not all(colon for _name, colon, _value in lines) or not head.keys() <= _KNOWN:
        raise ArticleError("head")
    return {n: v[1:-1] if v[:1] == v[-1:] and v[:1] in ('"', "'") else v for n, v in head.items()}


def _texts(body: str) -> dict[str, str]:
    first, *rest = _LANGUAGE.split(body)
    if rest:
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return {language.lower(): text.strip() for language, text in pairs}
    russian = _CYRILLIC.search(first) and not _UZBEK.search(first)
    return {"ru" if russian else "uz": first.strip()}


def _day(text: str) -> dt.date | None:
    found = identity.day(text) if text else None
    if text and not found:
        raise ArticleError("day")
    return found
