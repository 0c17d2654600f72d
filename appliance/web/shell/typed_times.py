"""A date and time typed in a form, as a day and an hour in the site's time zone."""

import datetime as dt

from flask import request

from appliance.casework import identity
from appliance.web.shell.context import site


def entered_time() -> dt.datetime | str | None:
    """Return the time that the fields `day` (24.11.2026) and `hour` (14:30) of the form give.

    Without `hour`, that is midnight at the beginning of the day. Returns None, which means now, if
    both are empty, and "moment", the code of the form's refusal, if they are invalid.
    """
    day, hour = (request.form.get(name, "").strip() for name in ("day", "hour"))
    if not day and not hour:
        return None
    date = identity.parse_plausible_date(day)
    try:
        time = dt.time.fromisoformat(hour or "00:00")
    except ValueError:
        return "moment"
    if not date or time.tzinfo:
        return "moment"
    return dt.datetime.combine(date, time, site().tz)
