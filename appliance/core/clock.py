"""The current time, conversions for the database, and the ministry's working hours."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core.intervals import Interval

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def now() -> dt.datetime:
    """Return the current time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def start_of_day(time: dt.datetime, tz: ZoneInfo) -> dt.datetime:
    """Return the midnight before an aware datetime, in the time zone `tz`."""
    return dt.datetime.combine(time.astimezone(tz).date(), dt.time(), tz)


def microseconds_since_epoch(time: dt.datetime) -> int:
    """Return the microseconds from 1970 UTC to an aware datetime: the form that tables store."""
    return (time - _EPOCH) // _MICROSECOND


def datetime_from_microseconds(microseconds: int) -> dt.datetime:
    """Return the UTC datetime that is `microseconds` after the start of 1970."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


@dataclass(frozen=True)
class WorkingCalendar:
    """The ministry's working hours: Mon-Fri 09:00-18:00 by default (docs/figures.md).

    `opens` and `closes` are in the time zone `tz`. `exceptions` maps a date to True (a working
    Saturday) or False (a holiday); other dates are working days from Monday to Friday.
    """

    tz: ZoneInfo
    opens: dt.time
    closes: dt.time
    exceptions: Mapping[dt.date, bool]

    def is_working_day(self, day: dt.date) -> bool:
        """Return True if the date is a working day of the ministry."""
        return self.exceptions.get(day, day.weekday() < 5)  # 0 is Monday, 5 Saturday

    def is_working_time(self, time: dt.datetime) -> bool:
        """Return True if an aware datetime falls into working hours."""
        local = time.astimezone(self.tz)
        return self.is_working_day(local.date()) and self.opens <= local.time() < self.closes

    def list_intervals(
        self, first: dt.date, last: dt.date, weekday: int | None, inside: bool | None
    ) -> list[Interval]:
        """Return the intervals inside, or outside, working hours in the days `first` to `last`.

        Both days are included, and the intervals in the order of time. A working day is split where
        its working hours begin and end; another day is one interval. `inside` True returns only the
        intervals inside working hours, False only those outside, and None returns both. `weekday`
        keeps one day of the week (1 is Monday), None every day.
        """
        intervals = []
        for offset in range((last - first).days + 1):
            day = first + dt.timedelta(days=offset)
            if weekday not in (None, day.isoweekday()):
                continue
            # The times of day at which an interval begins: midnight, and on a working day two more.
            is_open = self.is_working_day(day)
            edges = [dt.time(), *([self.opens, self.closes] if is_open else [])]
            begins = [dt.datetime.combine(day, edge, self.tz) for edge in edges]
            midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self.tz)
            for begin, end in zip(begins, [*begins[1:], midnight], strict=True):
                # Without the empty ones: working hours may begin or end at midnight.
                if begin < end and inside in (None, self.is_working_time(begin)):
                    intervals.append((begin, end))
        return intervals
