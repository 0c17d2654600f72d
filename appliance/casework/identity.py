"""PINFL, passport, STIR and birth date: normalising them, and detecting doubtful values.

Nothing here rejects a value: refusing to register an appeal is forbidden (law OʻRQ-445, article
23). A doubtful value gets a code that is shown and stored.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.core.phone_numbers import canonical_number, strip_separators

# Weights whose sum modulo 10 is a PINFL's check digit (Cabinet of Ministers' resolution 200, 1996).
_PINFL_WEIGHTS = (7, 3, 1) * 5
_CENTURY_BY_FIRST_DIGIT = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
_MAX_AGE_YEARS = 120
_FIRST_PLAUSIBLE_DATE, _LAST_PLAUSIBLE_DATE = dt.date(1950, 1, 1), dt.date(2199, 12, 31)
_CYRILLIC_CAPITALS = str.maketrans("АВСЕНКМОРТХ", "ABCEHKMOPTX")


@dataclass(frozen=True)
class Doubt:
    """Why the value of the field named `field` looks wrong; the page has a text for `code`.

    The codes are "form" (not a valid value of its kind), "length" and "check" (digits or check
    digit of a PINFL), "born" and "sex" (the PINFL contradicts that field), "future" and "old" (a
    birth date); casework.forms.reading adds "empty", "unlisted" (on no list) and "elsewhere" (a
    place outside the wider one).
    """

    field: str
    code: str

    def __str__(self) -> str:
        return f"{self.field}:{self.code}"


@dataclass(frozen=True)
class PinflFacts:
    """The sex and birth date that a PINFL (JSHSHIR) encodes."""

    sex: str  # m | f
    born: dt.date


def parse_pinfl(text: str) -> PinflFacts | None:
    """Return the sex and birth date that a PINFL encodes, if it is valid.

    A valid one has 14 digits, a real date and a correct check digit.
    """
    number = strip_separators(text)
    if not re.fullmatch(r"[1-6]\d{13}", number, re.ASCII) or not _has_valid_check_digit(number):
        return None
    try:
        born = dt.date(
            _CENTURY_BY_FIRST_DIGIT[number[0]] + int(number[5:7]),
            int(number[3:5]),
            int(number[1:3]),
        )
    except ValueError:
        return None
    return PinflFacts("m" if int(number[0]) % 2 else "f", born)


def normalise_passport(text: str) -> str | None:
    """Return a passport or identity card number as AA1234567, if it is valid.

    Blanks, hyphens and № are removed, letters become capitals, and Cyrillic letters that look like
    Latin ones are replaced.
    """
    compact = _compact_document(text)
    return compact if re.fullmatch(r"[A-Z]{2}\d{7}", compact, re.ASCII) else None


def normalise_document(text: str) -> str:
    """Return a passport number as normalise_passport() does, also an invalid or unfinished one.

    One or two letters and any number of digits are enough. Any other text is returned unchanged.
    """
    compact = _compact_document(text)
    return compact if re.fullmatch(r"[A-Z]{1,2}\d+", compact, re.ASCII) else text


def normalise_stir(text: str) -> str | None:
    """Return a legal entity's tax number (STIR) as nine digits, if it is valid.

    The check digit is not verified, because its rule is not published.
    """
    compact = strip_separators(text)
    return compact if re.fullmatch(r"[1-9]\d{8}", compact, re.ASCII) else None


def parse_date(text: str) -> dt.date | None:
    """Return the date that is written in a text, of any year; None if it is no date.

    A date is written as 14.03.1978 (also with "/", "-" or a blank), 14031978 or 1978-03-14.
    """
    day_first = re.fullmatch(r"(\d{1,2})[./\s-](\d{1,2})[./\s-](\d{4})", text.strip(), re.ASCII)
    digits_only = re.fullmatch(r"(\d\d)(\d\d)(\d{4})", text.strip(), re.ASCII)
    year_first = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text.strip(), re.ASCII)
    if match := day_first or digits_only:
        day, month, year = map(int, match.groups())
    elif year_first:
        year, month, day = map(int, year_first.groups())
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def parse_plausible_date(text: str) -> dt.date | None:
    """Return the date that is written in a text; None if it is no date, or not from 1950 to 2199.

    It is for all dates but birth dates, which may be earlier. A date is written as 24.11.2026 (also
    with "/", "-" or a blank), 24112026 or 2026-11-24.
    """
    date = parse_date(text)
    return date if date and _FIRST_PLAUSIBLE_DATE <= date <= _LAST_PLAUSIBLE_DATE else None


def identity_doubts(values: dict[str, str], today: dt.date) -> list[Doubt]:
    """Return the doubts about pinfl, passport, stir, phone, phone_at_hand, born and sex.

    `values` are the texts of a form by field name: `phone_at_hand` is the citizen's second phone,
    `sex` is m or f. Empty and absent fields raise no doubt. `today` is the site's date.
    """
    doubts = [
        Doubt(field, "form")
        for field, parser in _PARSERS_BY_FIELD.items()
        if values.get(field, "").strip() and parser(values[field]) is None
    ]
    birthday = parse_date(values.get("born", ""))
    if birthday and birthday > today:
        doubts.append(Doubt("born", "future"))
    elif birthday and today.year - birthday.year > _MAX_AGE_YEARS:
        doubts.append(Doubt("born", "old"))
    return doubts + _pinfl_doubts(values, birthday)


def _compact_document(text: str) -> str:
    """Return a document's number in Latin capitals, without spaces, hyphens and №."""
    return re.sub(r"[\s№-]", "", text).upper().translate(_CYRILLIC_CAPITALS)


def _pinfl_doubts(values: dict[str, str], birthday: dt.date | None) -> list[Doubt]:
    """Return the doubts about the PINFL: it is invalid, or contradicts the birthday or the sex.

    `birthday` is the one in the form, if it is valid.
    """
    number = strip_separators(values.get("pinfl", ""))
    if not number:
        return []
    if not re.fullmatch(r"\d{14}", number, re.ASCII):
        return [Doubt("pinfl", "length")]
    facts = parse_pinfl(number)
    if not facts:
        return [Doubt("pinfl", "check")]
    doubts = []
    if birthday and facts.born != birthday:
        doubts.append(Doubt("pinfl", "born"))
    if values.get("sex") in ("m", "f") and facts.sex != values["sex"]:
        doubts.append(Doubt("pinfl", "sex"))
    return doubts


def _has_valid_check_digit(number: str) -> bool:
    """Return True if the last of the 14 digits of a PINFL is the check digit of the others."""
    total = sum(
        int(digit) * weight for digit, weight in zip(number[:13], _PINFL_WEIGHTS, strict=False)
    )
    return total % 10 == int(number[13])


_PARSERS_BY_FIELD: Mapping[str, Callable[[str], object]] = {
    "passport": normalise_passport,
    "stir": normalise_stir,
    "phone": canonical_number,
    "phone_at_hand": canonical_number,
    "born": parse_date,
}
