"""The days that reports cover, from the site's calendar dates to UTC moments."""

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core import clock

FIRST, LAST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
LONGEST = dt.timedelta(days=5 * 366)


class PeriodError(ValueError):
    """A month or date that cannot be reported on; the message says what was expected."""


@dataclass(frozen=True)
class Period:
    """Whole days of the site, both ends included."""

    first: dt.date
    last: dt.date
    tz: ZoneInfo

    def __post_init__(self) -> None:
        """Raise PeriodError for days that no hotline had, and for more than are worked out."""
        if not FIRST <= self.first <= LAST or not FIRST <= self.last <= LAST:
            raise PeriodError(f"not between {FIRST} and {LAST}: {self.first}, {self.last}")
        if self.last - self.first > LONGEST:
            raise PeriodError(f"longer than {LONGEST.days} days: {self.first}, {self.last}")

    @property
    def begin(self) -> dt.datetime:
        """The first moment, in UTC."""
        return _midnight(self.first, self.tz)

    @property
    def end(self) -> dt.datetime:
        """The moment after the last one, in UTC: a call that arrives then belongs to the next."""
        return _midnight(self.last + dt.timedelta(days=1), self.tz)

    @property
    def days(self) -> list[dt.date]:
        """Every date, in order."""
        return [self.first + dt.timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def month(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """The month "2026-10", to the date `upto` ("2026-10-20") included.

    Without a date: to the month's end, the running month to today. Raises PeriodError for what is
    no month, no date, or a date outside of the month.
    """
    if not re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        raise PeriodError(f"not a month: {text!r}; written as 2026-10")
    first = _date(f"{text}-01", f"not a month: {text!r}; written as 2026-10")
    return _to(first, _last_day(first), upto, text, tz)


def quarter(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """The quarter "2026-Q3", to a date as in month(). Raises PeriodError."""
    found = re.fullmatch(r"(\d{4})-Q([1-4])", text, re.ASCII)
    if not found or found[1] == "0000":
        raise PeriodError(f"not a quarter: {text!r}; written as 2026-Q3")
    first = dt.date(int(found[1]), int(found[2]) * 3 - 2, 1)
    return _to(first, _last_day(first.replace(month=first.month + 2)), upto, text, tz)


def day(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """The date "2026-10-20". Raises PeriodError."""
    date = _date(text, f"not a date: {text!r}; written as 2026-10-20")
    return _to(date, date, upto, text, tz)


def between(first: str, last: str, tz: ZoneInfo) -> Period:
    """From one date to another, as 2026-10-20. Raises PeriodError, also for no day at all."""
    begin, end = (_date(d, f"not a date: {d!r}; written as 2026-10-20") for d in (first, last))
    if begin > end:
        raise PeriodError(f"{first} is after {last}")
    return Period(begin, end, tz)


def quarter_of(date: dt.date) -> str:
    """The quarter that a date falls into: "2026-Q3"."""
    return f"{date.year}-Q{(date.month + 2) // 3}"


def _to(first: dt.date, last: dt.date, upto: str | None, text: str, tz: ZoneInfo) -> Period:
    if upto is None:
        today = clock.now().astimezone(tz).date()
        return Period(first, min(last, today) if today >= first else last, tz)
    until = _date(upto, f"not a date: {upto!r}; written as 2026-10-20")
    if not first <= until <= last:
        raise PeriodError(f"{until} is not in {text}")
    return Period(first, until, tz)


def _last_day(first: dt.date) -> dt.date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _date(text: str, complaint: str) -> dt.date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise PeriodError(complaint)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise PeriodError(complaint) from error


def _midnight(day: dt.date, tz: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tz).astimezone(dt.UTC)


def read(text: str, tz: ZoneInfo) -> list[Period]:
    """Of "01.10.2026-09.10.2026", several by commas. Raises ValueError."""
    edges = [[_day(day) for day in one.split("-")] for one in text.split(",")]
    return [Period(first, last, tz) for first, last in edges]


def written(days: Iterable[tuple[dt.date, dt.date]]) -> str:
    """Periods from one day to another, as `read` reads them."""
    return ",".join(f"{first:%d.%m.%Y}-{last:%d.%m.%Y}" for first, last in days)


def _day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007  a day has no zone
