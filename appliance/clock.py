"""What time it is, here, and whether the ministry is at work."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo


def now() -> dt.datetime:
    """This moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class WorkingCalendar:
    """The ministry's working hours (KPI.md: default Mon-Fri 09:00-18:00, holidays, swapped days).

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
