"""The periods of reports: parsed from text, and converted from local dates to UTC datetimes."""

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core import clock

FIRST_DATE, LAST_DATE = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
MAX_PERIOD_LENGTH = dt.timedelta(days=5 * 366)


class PeriodError(ValueError):
    """A month, quarter, date or period is invalid; the message states the reason."""


@dataclass(frozen=True)
class Period:
    """Whole days in the site's time zone, both ends included."""

    first: dt.date
    last: dt.date
    tz: ZoneInfo

    def __post_init__(self) -> None:
        """Raise PeriodError for days out of range and for periods that are too long."""
        if not FIRST_DATE <= self.first <= LAST_DATE or not FIRST_DATE <= self.last <= LAST_DATE:
            raise PeriodError(
                f"not between {FIRST_DATE} and {LAST_DATE}: {self.first}, {self.last}"
            )
        if self.last - self.first > MAX_PERIOD_LENGTH:
            raise PeriodError(
                f"longer than {MAX_PERIOD_LENGTH.days} days: {self.first}, {self.last}"
            )

    @property
    def begin(self) -> dt.datetime:
        """The beginning of the first day, in UTC."""
        return _utc_midnight(self.first, self.tz)

    @property
    def end(self) -> dt.datetime:
        """The end of the last day, in UTC; a call at this very time is in the next period."""
        return _utc_midnight(self.last + dt.timedelta(days=1), self.tz)

    @property
    def days(self) -> list[dt.date]:
        """Every date of the period, in order."""
        return [self.first + dt.timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def parse_month(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """Parse a month "2026-10" as a period from its first day to the date `upto` ("2026-10-20").

    By default, the period ends with the month, or today in the current month. Raises PeriodError if
    the month or date is invalid, or the date is not in the month.
    """
    if not re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        raise PeriodError(f"not a month: {text!r}; written as 2026-10")
    first = _parse_iso_date(f"{text}-01", f"not a month: {text!r}; written as 2026-10")
    return _period_up_to(first, _last_day_of_month(first), upto, text, tz)


def parse_quarter(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """Parse a quarter "2026-Q3"; `upto` and the errors are as in parse_month()."""
    match = re.fullmatch(r"(\d{4})-Q([1-4])", text, re.ASCII)
    if not match or match[1] == "0000":
        raise PeriodError(f"not a quarter: {text!r}; written as 2026-Q3")
    first = dt.date(int(match[1]), int(match[2]) * 3 - 2, 1)
    return _period_up_to(
        first, _last_day_of_month(first.replace(month=first.month + 2)), upto, text, tz
    )


def parse_day(text: str, tz: ZoneInfo, upto: str | None = None) -> Period:
    """Parse a date "2026-10-20" as a period of one day.

    Raises PeriodError if the date is invalid, or `upto` is given and is not the same date.
    """
    date = _parse_iso_date(text, f"not a date: {text!r}; written as 2026-10-20")
    return _period_up_to(date, date, upto, text, tz)


def parse_range(first: str, last: str, tz: ZoneInfo) -> Period:
    """Parse a period given by two dates such as 2026-10-20, both included.

    Raises PeriodError if a date is invalid, or the first date is after the last one.
    """
    begin, end = (
        _parse_iso_date(text, f"not a date: {text!r}; written as 2026-10-20")
        for text in (first, last)
    )
    if begin > end:
        raise PeriodError(f"{first} is after {last}")
    return Period(begin, end, tz)


def quarter_name(date: dt.date) -> str:
    """Return the quarter that contains a date, such as "2026-Q3"."""
    return f"{date.year}-Q{(date.month + 2) // 3}"


def _period_up_to(
    first: dt.date, last: dt.date, upto: str | None, text: str, tz: ZoneInfo
) -> Period:
    """Return the period from `first` to the date `upto`; without it, to `last` or today.

    Raises PeriodError, which names the period by `text`, if `upto` is not between the two dates.
    """
    if upto is None:
        today = clock.now().astimezone(tz).date()
        return Period(first, min(last, today) if today >= first else last, tz)
    until = _parse_iso_date(upto, f"not a date: {upto!r}; written as 2026-10-20")
    if not first <= until <= last:
        raise PeriodError(f"{until} is not in {text}")
    return Period(first, until, tz)


def _last_day_of_month(first: dt.date) -> dt.date:
    """Return the last day of the month that begins with `first`."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _parse_iso_date(text: str, complaint: str) -> dt.date:
    """Parse a date such as 2026-10-20; raises PeriodError with the message `complaint`."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise PeriodError(complaint)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise PeriodError(complaint) from error


def _utc_midnight(day: dt.date, tz: ZoneInfo) -> dt.datetime:
    """Return the UTC time at which a local day begins."""
    return dt.datetime.combine(day, dt.time(), tz).astimezone(dt.UTC)


def parse_periods(text: str, tz: ZoneInfo) -> list[Period]:
    """Parse periods such as "01.10.2026-09.10.2026", separated by commas.

    Raises ValueError if one is invalid.
    """
    edges = [
        [_parse_dotted_date(day) for day in period_text.split("-")]
        for period_text in text.split(",")
    ]
    return [Period(first, last, tz) for first, last in edges]


def format_periods(days: Iterable[tuple[dt.date, dt.date]]) -> str:
    """Return periods, each given by its first and last day, in the format of `parse_periods`."""
    return ",".join(f"{first:%d.%m.%Y}-{last:%d.%m.%Y}" for first, last in days)


def _parse_dotted_date(text: str) -> dt.date:
    """Parse a date such as 20.10.2026; raises ValueError for any other text."""
    return dt.datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007  a day has no zone
