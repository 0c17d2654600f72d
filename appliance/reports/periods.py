"""The stretches of time that reports cover, from the site's calendar dates to UTC moments."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance import clock


class PeriodError(ValueError):
    """A month or date that cannot be reported on; the message says what was expected."""


@dataclass(frozen=True)
class Period:
    """Whole days of the site, both ends included."""

    first: dt.date
    last: dt.date
    tz: ZoneInfo

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
    if upto is None:
        return to_date(first, min(_last_day(first), max(first, _today(tz, first))), tz)
    return to_date(first, _date(upto, f"not a date: {upto!r}; written as 2026-10-20"), tz)


def to_date(first: dt.date, last: dt.date, tz: ZoneInfo) -> Period:
    """The month that begins on `first`, to `last` included.

    Raises PeriodError when `first` begins no month or `last` lies outside of it.
    """
    if first.day != 1:
        raise PeriodError(f"{first} is not the first day of a month")
    if not first <= last <= _last_day(first):
        raise PeriodError(f"{last} is not in {first:%Y-%m}")
    return Period(first, last, tz)


def _today(tz: ZoneInfo, first: dt.date) -> dt.date:
    """Today while the month runs; past it (or before it) there is nothing to cut off."""
    today = clock.now().astimezone(tz).date()
    return today if today >= first else _last_day(first)


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
