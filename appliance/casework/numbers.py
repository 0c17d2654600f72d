"""Numbers of what is registered, without gaps within a year: 2026-000001."""

import re

from appliance.core.db import database
from appliance.core.statements import insert
from appliance.models import CallNumberSeries, NumberSeries

_LIKE_DIGITS = str.maketrans("oOоОlI", "000011")  # letters that people take for digits
_WITH_YEAR = re.compile(
    r"(?:[QqКк][-\s]*)?(20\d\d)(?:[-/.,_\s\u2013]+0*(\d{1,6})|(\d{6}))", re.ASCII
)
_END = re.compile(r"\d{3,6}", re.ASCII)
_DIGITS = 6


def next_number(series: type[NumberSeries | CallNumberSeries], year: int) -> str:
    """The year's next number; call it inside the transaction that uses it up."""
    insert(series, [{"year": year, "last": 0}], ignore=True)
    ((last,),) = database.execute_sql(
        f'UPDATE "{series._meta.table_name}" SET last = last + 1 WHERE year = ? RETURNING last',  # noqa: S608
        (year,),
    ).fetchall()
    return _written(year, last)


def meant(typed: str) -> list[str]:
    """The numbers that a text may mean, the newest first: however parted, or the digits at its end.

    Three digits at least; zeros before them need not be typed.
    """
    text = typed.strip().lstrip("#№ ")
    if not any(char.isdigit() for char in text):
        return []
    text = text.translate(_LIKE_DIGITS)
    if found := _WITH_YEAR.fullmatch(text):
        number = int(found[2] or found[3])
        return [_written(int(found[1]), number)] if number else []
    if not _END.fullmatch(text) or not int(text):
        return []
    years = {row.year for series in (NumberSeries, CallNumberSeries) for row in series.select()}
    return [_written(year, int(text)) for year in sorted(years, reverse=True)]


def is_whole(typed: str) -> bool:
    """Whether a text can be nothing but a number: with its year, or all digits after it."""
    with_year = _WITH_YEAR.fullmatch(typed.strip().lstrip("#№ ").translate(_LIKE_DIGITS))
    return bool(meant(typed) and (with_year or (typed[0] == "0" and len(typed) == _DIGITS)))


def _written(year: int, number: int) -> str:
    return f"{year}-{number:0{_DIGITS}d}"
