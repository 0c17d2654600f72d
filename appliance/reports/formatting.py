"""The format of figures and dates on paper, identical in all three languages."""

import datetime as dt
from decimal import Decimal

NO_BREAK_SPACE = "\u00a0"
NO_VALUE = "–"


def format_number(value: int) -> str:
    """Return 20379 as "20 379", with no-break spaces."""
    return f"{value:,}".replace(",", NO_BREAK_SPACE)


def format_decimal(value: float | Decimal | None) -> str:
    """Return 13.84 as "13,8"; None as "–"."""
    return (
        NO_VALUE
        if value is None
        else f"{value:,.1f}".translate({ord(","): NO_BREAK_SPACE, ord("."): ","})
    )


def format_money(tiyin: int | None) -> str:
    """Return an amount in soʻm, 1234567 tiyin as "12 345,67"; None as "–"."""
    if tiyin is None:
        return NO_VALUE
    return f"{tiyin / 100:,.2f}".translate({ord(","): NO_BREAK_SPACE, ord("."): ","})


def format_clock(seconds: float | None) -> str:
    """Return 222 seconds as "3:42", 3822 seconds as "1:03:42", None as "–"."""
    if seconds is None:
        return NO_VALUE
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_date(value: dt.date) -> str:
    """Return a date as "24.11.2026"."""
    return f"{value:%d.%m.%Y}"


def format_datetime(value: dt.datetime) -> str:
    """Return a datetime as "24.11.2026, 18:00", in its own time zone."""
    return f"{value:%d.%m.%Y},{NO_BREAK_SPACE}{value:%H:%M}"


def format_interval(begin: dt.datetime, end: dt.datetime) -> str:
    """Return an interval as "24.11.2026, 18:00–18:20"; the end has a date only if it differs."""
    until = f"{end:%H:%M}" if begin.date() == end.date() else f" {format_datetime(end)}"
    return f"{format_datetime(begin)}{' –' if until.startswith(' ') else '–'}{until}"


def format_duration(seconds: float | None, template: str) -> str:
    """Return 218.4 seconds as "3 min. 38 sec.", None as "–".

    `template` is a text with {minutes} and {seconds}, such as "{minutes} min. {seconds} sec.".
    """
    if seconds is None:
        return NO_VALUE
    minutes, rest = divmod(round(seconds), 60)
    return template.format(minutes=format_number(minutes), seconds=rest)
