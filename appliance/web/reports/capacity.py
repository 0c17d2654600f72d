"""Operators and channels that the calls need, next to those who were there."""

import datetime as dt

from flask import Blueprint, render_template, request

from appliance.casework import identity
from appliance.core import clock
from appliance.reports import capacity, charts, kpi, words
from appliance.reports.capacity.forecast import CHANNELS, ON_DEMAND
from appliance.reports.periods import Period, PeriodError
from appliance.telephony import routing
from appliance.web.reports.forms import Behind
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded

screen = Blueprint("capacity", __name__, url_prefix="/capacity")

WEEKS = 4  # before today, when the address names no days


@screen.get("")
@may("capacity.read")
@heavy
def page() -> str:
    """The forecast from some days' calls (`from`, `to`), for one `weekday` (1-7)."""
    period, doubt = _period()
    level, wrap_up = site().calls.service_level, routing.current(site()).queueing.wrap_up
    weekday = request.args.get("weekday", None, bounded)
    made = capacity.count(period, level, wrap_up, weekday)
    return render_template(
        "capacity/page.html",
        made=made,
        behind=Behind(period),
        doubt=doubt,
        weekdays=words.load(locale()).weekdays,
        chart=capacity.chart(made, locale(), charts.BROAD),
        channels=CHANNELS,
        on_demand=ON_DEMAND,
        targets=(kpi.ASA_TARGET, kpi.SERVICE_TARGET),
    )


def _period() -> tuple[Period, bool]:
    tz = site().tz
    yesterday = clock.now().astimezone(tz).date() - dt.timedelta(days=1)
    before = dt.timedelta(weeks=WEEKS) - dt.timedelta(days=1)
    usual = Period(yesterday - before, yesterday, tz)
    begins, ends = (request.args.get(name, "").strip() for name in ("from", "to"))
    first, last = identity.day(begins), identity.day(ends)
    if (begins and not first) or (ends and not last):
        return usual, True
    last = last or yesterday
    first = first or last - before
    if first > last:
        return usual, True
    try:
        return Period(first, last, tz), False
    except PeriodError:
        return usual, True
