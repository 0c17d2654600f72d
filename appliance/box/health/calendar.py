"""The working calendar: whether its list of holidays covers the coming weeks."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

WARNING_PERIOD = dt.timedelta(days=60)
_ADVICE = N_(
    "Ask the project manager to confirm the next year on the page Working calendar, or import its "
    "days: `appliance calendar import FILE`. Without them, deadlines and working hours treat a "
    "holiday as a working day."
)


def check_working_calendar(settings: Settings) -> Iterator[Check]:
    """Check that the list of holidays covers the coming weeks."""
    code, name = "calendar", N_("Working calendar")
    last_day = catalogs.calendar_end()
    if not last_day:
        yield Check(code, name, "fail", N_("it has no holidays"), _ADVICE)
        return
    today = clock.now().astimezone(settings.tz).date()
    values = {"date": f"{last_day:%d.%m.%Y}"}
    if today > last_day:
        yield Check(code, name, "fail", N_("its list ended on {date}"), _ADVICE, values)
    elif last_day - today <= WARNING_PERIOD:
        yield Check(code, name, "warn", N_("its list ends on {date}"), _ADVICE, values)
    else:
        yield Check(code, name, "ok", N_("its list goes to {date}"), values=values)
