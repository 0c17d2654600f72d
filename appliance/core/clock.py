"""What time it is, here, and whether the ministry is at work."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.core.intervals import Interval

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def now() -> dt.datetime:
    """This moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def microseconds(moment: dt.datetime) -> int:
    """Since 1970 UTC, as tables keep moments."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since: int) -> dt.datetime:
    """So many microseconds after 1970 began, UTC."""
    return _EPOCH + dt.timedelta(microseconds=since)


@dataclass(frozen=True)
class WorkingCalendar:
    """The ministry's working hours: Mon-Fri 09:00-18:00 by default (docs/figures.md).

    `exceptions` maps a date to True (a working Saturday) or False (a holiday).
    """

    tz: ZoneInfo
    opens: dt.time
    closes: dt.time
    exceptions: Mapping[dt.date, bool]

    def works_on(self, day: dt.date) -> bool:
        """Whether the ministry works on that date at all."""
        return self.exceptions.get(day, day.weekday() < 5)

    def inside(self, moment: dt.datetime) -> bool:
        """Whether an aware moment falls into working hours."""
        local = moment.astimezone(self.tz)
        return self.works_on(local.date()) and self.opens <= local.time() < self.closes

    def intervals(
        self, first: dt.date, last: dt.date, weekday: int | None, inside: bool | None
    ) -> list[Interval]:
        """(begin, end) of what falls into, or out of, working hours from one date to another.

        `weekday` 1 is Monday; None for either of the last two leaves it open.
        """
        found = []
        for number in range((last - first).days + 1):
            day = first + dt.timedelta(days=number)
            if weekday not in (None, day.isoweekday()):
                continue
            works = self.works_on(day)
            edges = [dt.time(), *([self.opens, self.closes] if works else [])]
            begins = [dt.datetime.combine(day, edge, self.tz) for edge in edges]
            midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self.tz)
            for begin, end in zip(begins, [*begins[1:], midnight], strict=True):
                if begin < end and inside in (None, self.inside(begin)):
                    found.append((begin, end))
        return found
