"""A moment as it is typed: a day and an hour, of the site's time."""

import datetime as dt

from flask import request

from appliance.casework import identity
from appliance.web.shell.context import site


def typed() -> dt.datetime | str | None:
    """The moment of the fields `day` and `hour`; None for now, else the code of why it is none."""
    day, hour = (request.form.get(name, "").strip() for name in ("day", "hour"))
    if not day and not hour:
        return None
    date = identity.day(day)
    try:
        time = dt.time.fromisoformat(hour or "00:00")
    except ValueError:
        return "moment"
    if not date or time.tzinfo:
        return "moment"
    return dt.datetime.combine(date, time, site().tz)
