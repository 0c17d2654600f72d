"""The filter in the address of a page of the telephony report, and addresses with a filter."""

import datetime as dt
from typing import Any

from flask import request, url_for

from appliance.casework import catalogs
from appliance.people import rights
from appliance.reports import call_filters, periods
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.web.shell.context import me, site, today
from appliance.web.shell.requested_days import requested_days


def can_read_numbers() -> bool:
    """Return True if the user may read the numbers of callers."""
    return rights.has_right(me(), "number.read")


def requested_filter(*, allow_outgoing: bool = False) -> tuple[CallFilter, bool]:
    """Return the filter that the URL gives, and True if its days are invalid.

    Conditions on callers' numbers are ignored if the user may not read these. Conditions that
    select outgoing calls are ignored unless `allow_outgoing` is True: the report counts incoming
    calls, but a list or an export of calls may have both.
    """
    period, is_invalid = _requested_period()
    refused_names = {
        definition.name
        for definition in call_filters.FILTERS.values()
        if (definition.is_personal and not can_read_numbers())
        or (definition.selects_outgoing and not allow_outgoing)
    }
    args = [
        (name, value)
        for name, value in request.args.items()
        if name not in ("from", "to") and name not in refused_names
    ]
    calendar = catalogs.working_calendar(site())
    return call_filters.filter_from_query(period, args, calendar), is_invalid


def _requested_period() -> tuple[Period, bool]:
    """Return the period that the URL gives, and True if its days are invalid.

    If the days are missing or invalid, it is the current month until today.
    """
    current_day = today()

    def complete_days(first: dt.date | None, last: dt.date | None) -> tuple[dt.date, dt.date]:
        """Return both days, a missing one replaced: from the first of the month, until today."""
        first = first or (last or current_day).replace(day=1)
        return first, last or max(first, current_day)

    try:
        return requested_days(complete_days), False
    except periods.PeriodError:
        return Period(current_day.replace(day=1), current_day, site().tz), True


def filter_arguments(call_filter: CallFilter, **more: Any) -> dict[str, Any]:
    """Return the arguments of a URL that gives this filter, with the further arguments `more`."""
    days = {
        "from": f"{call_filter.period.first:%d.%m.%Y}",
        "to": f"{call_filter.period.last:%d.%m.%Y}",
    }
    return days | dict(call_filter.conditions) | more


def calls_url(call_filter: CallFilter, **conditions: Any) -> str:
    """Return the address of the list of the calls that a figure counts.

    They are the calls of the filter to which `conditions` apply as well.
    """
    return url_for(
        "analytics.list_figure_calls",
        **filter_arguments(call_filter.with_conditions(**conditions)),
    )
