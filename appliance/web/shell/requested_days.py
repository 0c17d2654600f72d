"""The period that a URL requests by two days: `from=01.10.2026&to=31.10.2026`."""

import datetime as dt
from collections.abc import Callable

from flask import request

from appliance.casework import identity
from appliance.reports.periods import Period, PeriodError
from appliance.web.shell.context import site

type DayCompletion = Callable[[dt.date | None, dt.date | None], tuple[dt.date, dt.date]]


def requested_days(complete_days: DayCompletion) -> Period:
    """Return the period from the day `from` to the day `to` of the address.

    `complete_days` gets the two days, each of which may be missing, and returns the first and last
    day of the period. Raises PeriodError if a day is invalid or the first one is after the last.
    """
    texts = [request.args.get(name, "").strip() for name in ("from", "to")]
    first, last = dates = [identity.parse_plausible_date(text) if text else None for text in texts]
    if any(text and not date for text, date in zip(texts, dates, strict=True)):
        raise PeriodError(f"no days: {texts}")
    first, last = complete_days(first, last)
    if first > last:
        raise PeriodError(f"{first} is after {last}")
    return Period(first, last, site().tz)
