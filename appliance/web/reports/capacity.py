"""The numbers of operators and channels that the calls require, and that were available."""

import datetime as dt

from flask import Blueprint, render_template, request

from appliance.reports import capacity, charts, kpi, report_texts
from appliance.reports.capacity.forecast import ON_DEMAND_CALLS_PER_DAY, TRUNK_CHANNELS
from appliance.reports.periods import Period, PeriodError
from appliance.telephony import routing
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import site, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count
from appliance.web.shell.requested_days import requested_days

screen = Blueprint("capacity", __name__, url_prefix="/capacity")

DEFAULT_WEEKS = 4  # weeks until yesterday that are used if the URL gives no days


@screen.get("")
@may("capacity.read")
@long_running
def show_capacity() -> str:
    """Show the forecast made from the calls of the days from `from` to `to`.

    With `weekday` (1 is Monday), only the days with this weekday are used.
    """
    period, is_invalid = _requested_period()
    level, wrap_up = site().calls.service_level, routing.current_plan(site()).queueing.wrap_up
    weekday = request.args.get("weekday", None, parse_count)
    forecast = capacity.forecast_capacity(period, level, wrap_up, weekday)
    return render_template(
        "capacity/page.html",
        made=forecast,
        behind=FigureLinks(period),
        doubt=is_invalid,
        weekdays=report_texts.load_texts(locale()).weekdays,
        chart=capacity.operators_chart(forecast, locale(), charts.WIDE_CHART_WIDTH),
        channels=TRUNK_CHANNELS,
        on_demand=ON_DEMAND_CALLS_PER_DAY,
        targets=(kpi.ASA_TARGET_SECONDS, kpi.SERVICE_LEVEL_TARGET_PERCENT),
    )


def _requested_period() -> tuple[Period, bool]:
    """Return the period that the URL requests, and True if its days are invalid.

    If the days are missing or invalid, it is the last DEFAULT_WEEKS until yesterday.
    """
    yesterday = today() - dt.timedelta(days=1)
    span = dt.timedelta(weeks=DEFAULT_WEEKS) - dt.timedelta(days=1)

    def complete_days(first: dt.date | None, last: dt.date | None) -> tuple[dt.date, dt.date]:
        """Return both days, a missing one replaced: until yesterday, over DEFAULT_WEEKS."""
        last = last or yesterday
        return first or last - span, last

    try:
        return requested_days(complete_days), False
    except PeriodError:
        return Period(yesterday - span, yesterday, site().tz), True
