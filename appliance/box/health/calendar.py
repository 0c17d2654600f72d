"""The working calendar: whether its list of holidays goes on."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

SOON = dt.timedelta(days=60)
_ADVICE = N_(
    "Have the next year confirmed by the project manager on the page Working calendar, or enter "
    "its days: `appliance calendar import FILE`. Without them deadlines and working hours count a "
    "holiday as a working day."
)


def working_days(settings: Settings) -> Iterator[Check]:
    """The list has days for the coming weeks."""
    code, name = "calendar", N_("Working calendar")
    ends = catalogs.calendar_ends()
    if not ends:
        yield Check(code, name, "fail", N_("it has no holidays"), _ADVICE)
        return
    today = clock.now().astimezone(settings.tz).date()
    values = {"date": f"{ends:%d.%m.%Y}"}
    if today > ends:
        yield Check(code, name, "fail", N_("its list ended on {date}"), _ADVICE, values)
    elif ends - today <= SOON:
        yield Check(code, name, "warn", N_("its list ends on {date}"), _ADVICE, values)
    else:
        yield Check(code, name, "ok", N_("its list goes to {date}"), values=values)
