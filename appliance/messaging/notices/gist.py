"""The gist of an appeal without what tells whose it is, as it may leave the country.

Law OʻRQ-547, article 27-1. What is known of the applicant is looked for however it is spelt; what
only looks like somebody's number, document or birth date is left out as well: rather too much.
"""

import datetime as dt
import functools
import re
from collections.abc import Collection, Iterable, Iterator

from appliance.casework import identity
from appliance.core import phone_numbers
from appliance.core.i18n import fold
from appliance.messaging.notices.alerted import Alerted

HIDDEN = "…"
_READ = 2_000  # characters looked at; far fewer are shown
_RECENT = dt.timedelta(days=90)  # later dates stay: deadlines, what has just happened
_APART = r"[\W_]{0,3}"  # what people put between digits
_PASSPORT = re.compile(rf"\b[^\W\d_]{{2}}{_APART}\d{{7}}(?!\d)")
_DATE = r"(?P<date>(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d\d-\d\d)(?![./-]?\d))"
_NUMBER = re.compile(rf"{_DATE}|\+?\d(?:{_APART}\d){{4,}}")
# Where phones are shown, one that follows a document after a comma is shown, too.
_ONE_NUMBER = re.compile(rf"{_DATE}|\+?\d(?:[^\w,;:]{{0,3}}\d){{4,}}")
_WORDED = re.compile(  # 2-yanvar 1990; 2 января 1990; 1990-yil 2-yanvar
    rf"(?<!\d)(?:(?P<day>\d{{1,2}}){_APART}(?P<month>[^\W\d_]{{3,}})[\W_]{{1,3}}(?P<year>\d{{4}})"
    rf"|(?P<year_first>\d{{4}}){_APART}(?:yil|йил|г)\w{{0,6}}{_APART}"
    rf"(?P<then_day>\d{{1,2}}){_APART}(?P<then_month>[^\W\d_]{{3,}}))(?!\d)",
    re.IGNORECASE,
)
_MONTHS = ("yan", "fev", "mar", "apr", "may", "iyun", "iyul", "avg", "sen", "okt", "noy", "dek")
_WORD = re.compile(r"[^\s\d.,;:!?()\[\]{}\"«»“”„…/\\|_+=*–—-]+")  # apostrophes belong to it
# Uzbek and Russian spelling of one name: Yoʻldosheva, Юлдашева; Qodirov, Кадиров; Jasur, Джасур.
_ALIKE = (
    *(("kh", "h"), ("dzh", "j"), ("zh", "j")),
    *(("ya", "e"), ("ye", "e"), ("yo", "e"), ("yu", "e"), ("o", "a"), ("u", "a")),
    *(("x", "h"), ("q", "k"), ("dj", "j"), ("av", "ev")),
)
_VOWELS = "aei"  # those that are left then
_LONG = 5  # letters after which any ending is one of the name's
_FOND = "jan|bek|han"
_CASES = "ning|ni|niki|ga|da|dan|a|e|i|am|em"


def without_person(told: Alerted, *, phones: bool) -> str:
    """The gist in one line: names and documents are never shown, phones only if asked for."""
    text = " ".join(told.gist[:_READ].split())
    text = _WORDED.sub(lambda found: _date_in_words(found, told), text)
    text = _PASSPORT.sub(HIDDEN, text)
    number = _ONE_NUMBER if phones else _NUMBER
    text = number.sub(lambda found: _number(found, told, phones), text)
    return _without_names(text, told)


def without_known(text: str, alert: Alerted, phones: Collection[str]) -> str:
    """A text without what is known of a person: names, documents, birth dates, some phones.

    Other people's names and numbers stay. `phones`: their last nine digits.
    """

    def hide(found: re.Match[str]) -> str:
        if found["date"]:
            return HIDDEN if identity.born(found["date"]) in alert.born else found[0]
        return HIDDEN if _is_known(found[0], alert, phones) else found[0]

    def hide_document(found: re.Match[str]) -> str:
        return HIDDEN if _plain(found[0]) in map(_plain, alert.documents) else found[0]

    text = _ONE_NUMBER.sub(hide, _PASSPORT.sub(hide_document, text))
    return _without_names(text, alert, patronymics=False)


def names_in(text: str, names: Iterable[str]) -> set[str]:
    """Which of some names, of one word or more, occur in a text, in any spelling."""
    keys = [_key(word[0]) for word in _WORD.finditer(text)]
    return {name for name in names if any(_firm(keys, _keys(name)))}


def has_number(text: str, alert: Alerted, phones: Collection[str]) -> bool:
    """Whether a text contains a document of a person, or one of some phones."""
    documents = {_plain(document) for document in alert.documents}
    return any(_plain(found[0]) in documents for found in _PASSPORT.finditer(text)) or any(
        _is_known(found[0], alert, phones) for found in _ONE_NUMBER.finditer(text)
    )


def _is_known(number: str, alert: Alerted, phones: Collection[str]) -> bool:
    digits = re.sub(r"\D", "", number)
    documents = {_plain(document) for document in alert.documents}
    return digits in documents or digits.endswith(tuple(phones) or ("\0",))


def _plain(document: str) -> str:
    return re.sub(r"[\W_]", "", document).upper()


def _date_in_words(found: re.Match[str], alert: Alerted) -> str:
    month = fold(found["month"] or found["then_month"])
    number = next((n for n, name in enumerate(_MONTHS, 1) if month.startswith(name)), 0)
    if not number:
        return found[0]
    day, year = found["day"] or found["then_day"], found["year"] or found["year_first"]
    return found[0] if _may_stay(identity.born(f"{day}.{number}.{year}"), alert) else HIDDEN


def _number(found: re.Match[str], alert: Alerted, phones: bool) -> str:
    if found["date"]:
        return found[0] if _may_stay(identity.born(found["date"]), alert) else HIDDEN
    plain = re.sub(r"[^\d+]", "", found[0])
    documents = (re.sub(r"\D", "", text) for text in alert.documents)
    known = plain.startswith(tuple(filter(None, documents)))
    return found[0] if phones and phone_numbers.canonical(plain) and not known else HIDDEN


def _may_stay(date: dt.date | None, alert: Alerted) -> bool:
    """Whether it is a date, and nobody's birthday but a newborn's."""
    since = alert.registered_at.date() - _RECENT
    return bool(date and date >= since and date not in alert.born)


def _without_names(text: str, alert: Alerted, *, patronymics: bool = True) -> str:
    people, called = _names_of(alert)
    words = list(_WORD.finditer(text))
    keys = [_key(word[0]) for word in words]
    firms = (found for one in called for found in _firm(keys, one))
    shown, end = "", 0
    named = _people(keys, people, patronymics=patronymics)
    for first, last in sorted((*named, *firms)):
        if words[first].start() >= end:
            shown += text[end : words[first].start()] + HIDDEN
        end = max(end, words[last].end())
    return re.sub(rf"{HIDDEN}(?:\s*{HIDDEN})+", HIDDEN, shown + text[end:])


def _names_of(alert: Alerted) -> tuple[list[str], list[list[str]]]:
    """(keys of the people's names, those of each firm and phrase)."""
    people, called = _keys(alert.person), [_keys(phrase) for phrase in alert.phrases]
    for firm in map(_keys, alert.firms):
        name = [key for key in firm if key not in _FORMS]
        if _TRADERS & set(firm):  # it is called as its owner is
            people += name
        else:
            called.append(name)
    return people, called


def _people(keys: list[str], names: list[str], *, patronymics: bool) -> Iterator[tuple[int, int]]:
    """The first and the last of the words that name one of these people, or any patronymic."""
    own = [_spelt(name) for name in names if len(name) > 1 and name not in _KIN]
    person = re.compile("|".join((*own, *([_PATRONYMIC] if patronymics else []))) or "(?!)")
    named = False
    for place, (key, following) in enumerate(zip(keys, (*keys, "")[1:], strict=True)):
        before, named = named, bool(person.fullmatch(key))
        if named:
            yield place, place
        elif before and following in _KIN:  # Anvar qizi
            yield place, place + 1


def _firm(keys: list[str], called: list[str]) -> Iterator[tuple[int, int]]:
    """The same of a firm: all words of its name, but for what kind of firm it is."""
    if called:
        *begins, last = called
        for place in range(len(begins), len(keys)):
            first = place - len(begins)
            if keys[first:place] == begins and re.fullmatch(_spelt(last), keys[place]):
                yield first, place


def _keys(text: str) -> list[str]:
    return [key for word in _WORD.findall(text) if (key := _key(word))]


@functools.lru_cache(maxsize=4096)
def _key(word: str) -> str:
    """A word as it is compared: the same in each script and in Uzbek and Russian spelling."""
    plain = fold(word).replace(" ", "")
    for spelt, key in _ALIKE:
        plain = plain.replace(spelt, key)
    return plain


def _spelt(name: str) -> str:
    """What becomes of a name's key with the endings of both languages, as a pattern."""
    if name.endswith("y") and len(name) >= _LONG:  # Андрей, Андрея
        return f"{name[:-1]}(?:y|e).*"
    stem = name.rstrip(_VOWELS)
    if len(stem) >= _LONG:
        return f"{stem}.*"
    declined = f"|{stem}(?:i|e|ay|ey)" if len(stem) > 1 else ""
    declined += f"|{name[:-1]}(?:e|em)" if name.endswith("y") else ""
    return f"{name}(?:{_FOND})?(?:{_CASES})?{declined}"


_PATRONYMIC = "..+[ae]v(?:na|ich).{0,4}"
_KIN = frozenset(map(_key, ("qizi", "oʻgʻli", "kyzy", "ogly")))
_TRADERS = frozenset(map(_key, ("YaTT", "YTT", "IP", "ChP")))
_FORMS = _TRADERS | frozenset(
    map(_key, ("MChJ", "QK", "XK", "OK", "AJ", "OAJ", "DUK", "DUP", "NNT", "FX", "OOO", "AO"))
)
