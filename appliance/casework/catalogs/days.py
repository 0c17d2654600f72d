"""The days on which the ministry's calendar differs from Mon-Fri."""

import datetime as dt

from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Settings
from appliance.models import CalendarDay


def working_calendar(settings: Settings) -> WorkingCalendar:
    """The site's working hours with every holiday and swapped day on the list."""
    return WorkingCalendar(
        tz=settings.tz,
        opens=dt.time.fromisoformat(settings.work_opens),
        closes=dt.time.fromisoformat(settings.work_closes),
        exceptions={day.date: day.working for day in CalendarDay.select()},
    )


def calendar_ends() -> dt.date | None:
    """The last day that the list of holidays knows of; None when it is empty.

    A year counts when it has a day in its second half: a New Year that was entered ahead is no
    calendar yet.
    """
    days = CalendarDay.select(CalendarDay.date).order_by(CalendarDay.date.desc())
    last = next((day.date for day in days if day.date.month > 6), None)
    return last and dt.date(last.year, 12, 31)
