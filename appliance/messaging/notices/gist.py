"""The gist of an appeal without data that identifies a person, so that it may leave the country.

Required by law OʻRQ-547, article 27-1. The applicant's known data are found in any spelling.
Everything that only looks like a number, a document or a birth date is removed as well: it is
better to remove too much than too little.

The key of a word is a form in which all its Uzbek and Russian spellings are nearly equal.
"""

import datetime as dt
import functools
import re
from collections.abc import Collection, Iterable, Iterator

from appliance.casework import identity
from appliance.core import phone_numbers
from appliance.core.i18n import fold_text
from appliance.messaging.notices.alert_subjects import AlertSubject

REDACTED = "…"
_MAX_CHARS = 2_000  # the text is cut to this length; far less is shown
_RECENT_PERIOD = dt.timedelta(days=90)  # more recent dates are not removed: they are no birth dates
_SEPARATORS = r"[\W_]{0,3}"  # characters that people type between digits
_PASSPORT = re.compile(rf"\b[^\W\d_]{{2}}{_SEPARATORS}\d{{7}}(?!\d)")
_DATE_PATTERN = r"(?P<date>(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d\d-\d\d)(?![./-]?\d))"
_NUMBER = re.compile(rf"{_DATE_PATTERN}|\+?\d(?:{_SEPARATORS}\d){{4,}}")
# Used if phones remain: it ends at a comma, so a phone that follows a document remains, too.
_SINGLE_NUMBER = re.compile(rf"{_DATE_PATTERN}|\+?\d(?:[^\w,;:]{{0,3}}\d){{4,}}")
_WORDED_DATE = re.compile(  # 2-yanvar 1990; 2 января 1990; 1990-yil 2-yanvar
    rf"(?<!\d)(?:(?P<day>\d{{1,2}}){_SEPARATORS}(?P<month>[^\W\d_]{{3,}})[\W_]{{1,3}}(?P<year>\d{{4}})"
    rf"|(?P<year_first>\d{{4}}){_SEPARATORS}(?:yil|йил|г)\w{{0,6}}{_SEPARATORS}"
    rf"(?P<then_day>\d{{1,2}}){_SEPARATORS}(?P<then_month>[^\W\d_]{{3,}}))(?!\d)",
    re.IGNORECASE,
)
_MONTH_PREFIXES = (
    "yan",
    "fev",
    "mar",
    "apr",
    "may",
    "iyun",
    "iyul",
    "avg",
    "sen",
    "okt",
    "noy",
    "dek",
)
_WORD = re.compile(r"[^\s\d.,;:!?()\[\]{}\"«»“”„…/\\|_+=*–—-]+")  # apostrophes are part of a word
# Uzbek and Russian spellings of a name: Yoʻldosheva, Юлдашева; Qodirov, Кадиров; Jasur, Джасур.
_SPELLING_VARIANTS = (
    *(("kh", "h"), ("dzh", "j"), ("zh", "j")),
    *(("ya", "e"), ("ye", "e"), ("yo", "e"), ("yu", "e"), ("o", "a"), ("u", "a")),
    *(("x", "h"), ("q", "k"), ("dj", "j"), ("av", "ev")),
)
_FINAL_VOWELS = "aei"  # the only vowels that these replacements leave
_LONG_STEM_LETTERS = 5  # from this length on, any ending belongs to the name
_ENDEARMENT_SUFFIXES = "jan|bek|han"
_CASE_ENDINGS = "ning|ni|niki|ga|da|dan|a|e|i|am|em"


def redact_person(subject: AlertSubject, *, phones: bool) -> str:
    """Return the gist in one line, without names, documents and birth dates.

    Phone numbers are removed, too, unless `phones` is set.
    """
    text = " ".join(subject.gist[:_MAX_CHARS].split())
    text = _WORDED_DATE.sub(lambda match: _redact_worded_date(match, subject), text)
    text = _PASSPORT.sub(REDACTED, text)
    number = _SINGLE_NUMBER if phones else _NUMBER
    text = number.sub(lambda match: _redact_number(match, subject, phones), text)
    return _redact_names(text, subject)


def redact_known(text: str, subject: AlertSubject, phones: Collection[str]) -> str:
    """Return a text without a person's known names, documents, birth dates and `phones`.

    The names and numbers of other people are not removed. `phones` are the last nine digits of the
    person's numbers.
    """

    def redact_number(match: re.Match[str]) -> str:
        if match["date"]:
            return REDACTED if identity.parse_date(match["date"]) in subject.born else match[0]
        return REDACTED if _is_known_number(match[0], subject, phones) else match[0]

    def redact_document(match: re.Match[str]) -> str:
        return (
            REDACTED
            if _compact_document(match[0]) in map(_compact_document, subject.documents)
            else match[0]
        )

    text = _SINGLE_NUMBER.sub(redact_number, _PASSPORT.sub(redact_document, text))
    return _redact_names(text, subject, patronymics=False)


def find_names(text: str, names: Iterable[str]) -> set[str]:
    """Return those of `names` that occur in a text in any spelling; a name may have many words."""
    keys = [_comparison_key(word[0]) for word in _WORD.finditer(text)]
    return {name for name in names if any(_phrase_spans(keys, _word_keys(name)))}


def contains_number(text: str, subject: AlertSubject, phones: Collection[str]) -> bool:
    """Return True if a text contains one of a person's document numbers or of `phones`.

    `phones` are the last nine digits of numbers.
    """
    documents = {_compact_document(document) for document in subject.documents}
    return any(
        _compact_document(match[0]) in documents for match in _PASSPORT.finditer(text)
    ) or any(_is_known_number(match[0], subject, phones) for match in _SINGLE_NUMBER.finditer(text))


def _is_known_number(number: str, subject: AlertSubject, phones: Collection[str]) -> bool:
    digits = re.sub(r"\D", "", number)
    documents = {_compact_document(document) for document in subject.documents}
    return digits in documents or digits.endswith(tuple(phones) or ("\0",))


def _compact_document(document: str) -> str:
    return re.sub(r"[\W_]", "", document).upper()


def _redact_worded_date(match: re.Match[str], subject: AlertSubject) -> str:
    month = fold_text(match["month"] or match["then_month"])
    number = next(
        (
            month_number
            for month_number, name in enumerate(_MONTH_PREFIXES, 1)
            if month.startswith(name)
        ),
        0,
    )
    if not number:
        return match[0]
    day, year = match["day"] or match["then_day"], match["year"] or match["year_first"]
    return (
        match[0]
        if _is_harmless_date(identity.parse_date(f"{day}.{number}.{year}"), subject)
        else REDACTED
    )


def _redact_number(match: re.Match[str], subject: AlertSubject, phones: bool) -> str:
    if match["date"]:
        return (
            match[0] if _is_harmless_date(identity.parse_date(match["date"]), subject) else REDACTED
        )
    number = re.sub(r"[^\d+]", "", match[0])
    documents = (re.sub(r"\D", "", text) for text in subject.documents)
    is_document = number.startswith(tuple(filter(None, documents)))
    return (
        match[0]
        if phones and phone_numbers.canonical_number(number) and not is_document
        else REDACTED
    )


def _is_harmless_date(date: dt.date | None, subject: AlertSubject) -> bool:
    """Return True if this is a valid date of recent months that is not the person's birth date."""
    since = subject.registered_at.date() - _RECENT_PERIOD
    return bool(date and date >= since and date not in subject.born)


def _redact_names(text: str, subject: AlertSubject, *, patronymics: bool = True) -> str:
    people, phrases = _name_keys(subject)
    words = list(_WORD.finditer(text))
    keys = [_comparison_key(word[0]) for word in words]
    firm_spans = (span for phrase in phrases for span in _phrase_spans(keys, phrase))
    result, end = "", 0
    person_spans = _person_spans(keys, people, patronymics=patronymics)
    for first, last in sorted((*person_spans, *firm_spans)):
        if words[first].start() >= end:
            result += text[end : words[first].start()] + REDACTED
        end = max(end, words[last].end())
    return re.sub(rf"{REDACTED}(?:\s*{REDACTED})+", REDACTED, result + text[end:])


def _name_keys(subject: AlertSubject) -> tuple[list[str], list[list[str]]]:
    """Return the keys of all words of people's names, and the keys of each firm or phrase."""
    people, phrases = _word_keys(subject.person), [_word_keys(phrase) for phrase in subject.phrases]
    for firm in map(_word_keys, subject.firms):
        name = [key for key in firm if key not in _LEGAL_FORMS]
        if _SOLE_TRADER_FORMS & set(firm):  # a sole trader: the firm has its owner's name
            people += name
        else:
            phrases.append(name)
    return people, phrases


def _person_spans(
    keys: list[str], names: list[str], *, patronymics: bool
) -> Iterator[tuple[int, int]]:
    """Yield the indexes of the first and last word of each mention of these names.

    `patronymics`: also of every word that looks like a patronymic.
    """
    patterns = [
        _name_pattern(name) for name in names if len(name) > 1 and name not in _KINSHIP_WORDS
    ]
    person = re.compile("|".join((*patterns, *([_PATRONYMIC] if patronymics else []))) or "(?!)")
    is_name = False
    for position, (key, next_key) in enumerate(zip(keys, (*keys, "")[1:], strict=True)):
        was_name, is_name = is_name, bool(person.fullmatch(key))
        if is_name:
            yield position, position
        elif was_name and next_key in _KINSHIP_WORDS:  # Anvar qizi
            yield position, position + 1


def _phrase_spans(keys: list[str], phrase: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the indexes of the first and last word of each mention of a firm or phrase.

    A mention has all words of the phrase in order; the last one may have another ending.
    """
    if phrase:
        *leading, last = phrase
        for position in range(len(leading), len(keys)):
            first = position - len(leading)
            if keys[first:position] == leading and re.fullmatch(
                _name_pattern(last), keys[position]
            ):
                yield first, position


def _word_keys(text: str) -> list[str]:
    return [key for word in _WORD.findall(text) if (key := _comparison_key(word))]


@functools.lru_cache(maxsize=4096)
def _comparison_key(word: str) -> str:
    """Return a word's key, the same in both scripts and in Uzbek and Russian spelling."""
    key = fold_text(word).replace(" ", "")
    for spelling, replacement in _SPELLING_VARIANTS:
        key = key.replace(spelling, replacement)
    return key


def _name_pattern(name: str) -> str:
    """Return a regular expression for a name's key with any case ending of both languages."""
    if name.endswith("y") and len(name) >= _LONG_STEM_LETTERS:  # Андрей, Андрея
        return f"{name[:-1]}(?:y|e).*"
    stem = name.rstrip(_FINAL_VOWELS)
    if len(stem) >= _LONG_STEM_LETTERS:
        return f"{stem}.*"
    declined = f"|{stem}(?:i|e|ay|ey)" if len(stem) > 1 else ""
    declined += f"|{name[:-1]}(?:e|em)" if name.endswith("y") else ""
    return f"{name}(?:{_ENDEARMENT_SUFFIXES})?(?:{_CASE_ENDINGS})?{declined}"


_PATRONYMIC = "..+[ae]v(?:na|ich).{0,4}"
_KINSHIP_WORDS = frozenset(map(_comparison_key, ("qizi", "oʻgʻli", "kyzy", "ogly")))
_SOLE_TRADER_FORMS = frozenset(map(_comparison_key, ("YaTT", "YTT", "IP", "ChP")))
_LEGAL_FORMS = _SOLE_TRADER_FORMS | frozenset(
    map(
        _comparison_key,
        ("MChJ", "QK", "XK", "OK", "AJ", "OAJ", "DUK", "DUP", "NNT", "FX", "OOO", "AO"),
    )
)
