"""Registration numbers, without gaps within a year: 2026-000001."""

import re

from appliance.core.db import database
from appliance.core.statements import insert_rows
from appliance.models import CallNumberSeries, NumberSeries

_LIKE_DIGITS = str.maketrans("oOоОlI", "000011")  # letters that people type instead of digits
# The year, and the digits after it: up to six after a separator, exactly six without one. A Q (of
# a call form's number), or a letter that resembles it, may come first.
_WITH_YEAR = re.compile(
    r"(?:[QqКк][-\s]*)?(20\d\d)(?:[-/.,_\s\u2013]+0*(\d{1,6})|(\d{6}))", re.ASCII
)
_TRAILING_DIGITS = re.compile(r"\d{3,6}", re.ASCII)
_SERIAL_DIGITS = 6


def next_number(series: type[NumberSeries | CallNumberSeries], year: int) -> str:
    """Count up the series, and return the next registration number of a year, as 2026-000001.

    `series`: the table that counts appeals, or call forms. Call it inside the transaction that
    uses the number.
    """
    insert_rows(series, [{"year": year, "last": 0}], ignore=True)
    ((last,),) = database.execute_sql(
        f'UPDATE "{series._meta.table_name}" SET last = last + 1 WHERE year = ? RETURNING last',  # noqa: S608
        (year,),
    ).fetchall()
    return _format_number(year, last)


def candidate_numbers(typed: str) -> list[str]:
    """Return the numbers that a typed text may mean, newest first; [] if it is no number.

    The text is a number with its year and any separator, or the digits after the year: at least
    three of them; other leading zeros may be left out. Without a year, it may mean the number of
    any year. The Q before the number of a call form is ignored, and is not in the result.
    """
    text = _normalized_number(typed)
    if match := _WITH_YEAR.fullmatch(text):
        number = int(match[2] or match[3])
        return [_format_number(int(match[1]), number)] if number else []
    if not _TRAILING_DIGITS.fullmatch(text) or not int(text):
        return []
    years = {row.year for series in (NumberSeries, CallNumberSeries) for row in series.select()}
    return [_format_number(year, int(text)) for year in sorted(years, reverse=True)]


def is_full_number(typed: str) -> bool:
    """Return True if a text can only be a registration number, not the beginning of a phone number.

    It has its year, or it is the six digits after the year and begins with 0.
    """
    text = _normalized_number(typed)
    is_serial = text.startswith("0") and len(text) == _SERIAL_DIGITS
    return bool(candidate_numbers(typed) and (is_serial or _WITH_YEAR.fullmatch(text)))


def _normalized_number(typed: str) -> str:
    """Return a typed number without "№" and with digits for letters that resemble them.

    A text without any digit is returned as "".
    """
    text = typed.strip().lstrip("#№ ")
    return text.translate(_LIKE_DIGITS) if any(char.isdigit() for char in text) else ""


def _format_number(year: int, number: int) -> str:
    """Return the registration number, as 2026-000001, of a year and the number within it."""
    return f"{year}-{number:0{_SERIAL_DIGITS}d}"
