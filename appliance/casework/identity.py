"""PINFL, passport, STIR and birth date: how they are written, and what looks doubtful.

Nothing here refuses anything: refusing to register an appeal is forbidden (law OʻRQ-445,
article 23), so a doubtful value earns a code that is shown and kept.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.core.phone_numbers import canonical, digits

# Sums to the check digit of a PINFL modulo 10 (Cabinet of Ministers' resolution 200 of 1996).
_PINFL_WEIGHTS = (7, 3, 1) * 5
_CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
_OLDEST = 120  # years
_FIRST, _LAST = dt.date(1950, 1, 1), dt.date(2199, 12, 31)
_CYRILLIC_CAPITALS = str.maketrans("АВСЕНКМОРТХ", "ABCEHKMOPTX")


@dataclass(frozen=True)
class Doubt:
    """Why a value of a field looks wrong; `code` is worded by the page."""

    field: str
    code: str

    def __str__(self) -> str:
        return f"{self.field}:{self.code}"


@dataclass(frozen=True)
class Pinfl:
    """What a PINFL (JSHSHIR) says of its holder."""

    sex: str  # m | f
    born: dt.date


def pinfl(text: str) -> Pinfl | None:
    """What the PINFL says, or None when it is not one: 14 digits, a date, a check digit."""
    number = digits(text)
    if not re.fullmatch(r"[1-6]\d{13}", number, re.ASCII) or not _adds_up(number):
        return None
    try:
        born = dt.date(_CENTURIES[number[0]] + int(number[5:7]), int(number[3:5]), int(number[1:3]))
    except ValueError:
        return None
    return Pinfl("m" if int(number[0]) % 2 else "f", born)


def passport(text: str) -> str | None:
    """The passport or identity card as AA1234567, look-alike Cyrillic letters put right."""
    plain = _plain(text)
    return plain if re.fullmatch(r"[A-Z]{2}\d{7}", plain, re.ASCII) else None


def document(text: str) -> str:
    """A passport as it is written, also one with too few digits; other words as they were typed."""
    plain = _plain(text)
    return plain if re.fullmatch(r"[A-Z]{1,2}\d+", plain, re.ASCII) else text


def stir(text: str) -> str | None:
    """The tax number of a legal entity: nine digits (its check digit is not published)."""
    plain = digits(text)
    return plain if re.fullmatch(r"[1-9]\d{8}", plain, re.ASCII) else None


def born(text: str) -> dt.date | None:
    """The date of dd.MM.yyyy, also with other marks, none at all, or written 1978-03-14."""
    day_first = re.fullmatch(r"(\d{1,2})[./\s-](\d{1,2})[./\s-](\d{4})", text.strip(), re.ASCII)
    run = re.fullmatch(r"(\d\d)(\d\d)(\d{4})", text.strip(), re.ASCII)
    year_first = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text.strip(), re.ASCII)
    if match := day_first or run:
        day, month, year = map(int, match.groups())
    elif year_first:
        year, month, day = map(int, year_first.groups())
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def day(text: str) -> dt.date | None:
    """A date of these times, written as in born(): one that is reckoned with, from 1950 to 2199."""
    date = born(text)
    return date if date and _FIRST <= date <= _LAST else None


def doubts(values: dict[str, str], today: dt.date) -> list[Doubt]:
    """What looks wrong in the fields pinfl, passport, stir, phone, phone_at_hand, born and sex.

    Empty and absent fields raise no doubt. `sex` is m or f; `today` is the site's date.
    """
    found = [
        Doubt(field, "form")
        for field, reader in _READERS.items()
        if values.get(field, "").strip() and reader(values[field]) is None
    ]
    birthday = born(values.get("born", ""))
    if birthday and birthday > today:
        found.append(Doubt("born", "future"))
    elif birthday and today.year - birthday.year > _OLDEST:
        found.append(Doubt("born", "old"))
    return found + _pinfl_doubts(values, birthday)


def _plain(text: str) -> str:
    return re.sub(r"[\s№-]", "", text).upper().translate(_CYRILLIC_CAPITALS)


def _pinfl_doubts(values: dict[str, str], birthday: dt.date | None) -> list[Doubt]:
    number = digits(values.get("pinfl", ""))
    if not number:
        return []
    if not re.fullmatch(r"\d{14}", number, re.ASCII):
        return [Doubt("pinfl", "length")]
    facts = pinfl(number)
    if not facts:
        return [Doubt("pinfl", "check")]
    found = []
    if birthday and facts.born != birthday:
        found.append(Doubt("pinfl", "born"))
    if values.get("sex") in ("m", "f") and facts.sex != values["sex"]:
        found.append(Doubt("pinfl", "sex"))
    return found


def _adds_up(number: str) -> bool:
    total = sum(int(d) * w for d, w in zip(number[:13], _PINFL_WEIGHTS, strict=False))
    return total % 10 == int(number[13])


_READERS: Mapping[str, Callable[[str], object]] = {
    "passport": passport,
    "stir": stir,
    "phone": canonical,
    "phone_at_hand": canonical,
    "born": born,
}
