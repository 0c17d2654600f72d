"""How figures and dates are written on paper: the same in all three languages."""

import datetime as dt
from decimal import Decimal

NO_BREAK = "\u00a0"
NONE = "–"


def number(value: int) -> str:
    """20379 → "20 379", held together by no-break spaces."""
    return f"{value:,}".replace(",", NO_BREAK)


def decimal(value: float | Decimal | None) -> str:
    """13.84 → "13,8"; "–" when there is no value."""
    return NONE if value is None else f"{value:,.1f}".translate({ord(","): NO_BREAK, ord("."): ","})


def money(tiyin: int | None) -> str:
    """1234567 tiyin → "12 345,67" soʻm."""
    if tiyin is None:
        return NONE
    return f"{tiyin / 100:,.2f}".translate({ord(","): NO_BREAK, ord("."): ","})


def clock(seconds: float | None) -> str:
    """222 → "3:42", 3822 → "1:03:42"."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def date(value: dt.date) -> str:
    """24.11.2026"""
    return f"{value:%d.%m.%Y}"


def moment(value: dt.datetime) -> str:
    """24.11.2026, 18:00, in the zone that the moment is given in."""
    return f"{value:%d.%m.%Y},{NO_BREAK}{value:%H:%M}"


def stretch(begin: dt.datetime, end: dt.datetime) -> str:
    """24.11.2026, 18:00–18:20; the second date only when it is another one."""
    until = f"{end:%H:%M}" if begin.date() == end.date() else f" {moment(end)}"
    return f"{moment(begin)}{' –' if until.startswith(' ') else '–'}{until}"


def length(seconds: float | None, wording: str) -> str:
    """218.4 → "3 min. 38 sec." as `wording` has it; "–" when there is no value."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(round(seconds), 60)
    return wording.format(minutes=number(minutes), seconds=rest)
