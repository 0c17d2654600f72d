"""The days on which the ministry's calendar differs from Mon-Fri."""

import datetime as dt

from appliance.clock import WorkingCalendar
from appliance.models import CalendarDay
from appliance.settings import Settings


def working_calendar(settings: Settings) -> WorkingCalendar:
    """The site's working hours with every holiday and swapped day on the list."""
    return WorkingCalendar(
        tz=settings.tz,
        opens=dt.time.fromisoformat(settings.work_opens),
        closes=dt.time.fromisoformat(settings.work_closes),
        exceptions={day.date: day.working for day in CalendarDay.select()},
    )
