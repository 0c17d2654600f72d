"""Operators and channels that the calls need, next to those who were there."""

import datetime as dt

from flask import Blueprint, render_template, request

from appliance import capacity, clock, identity
from appliance.capacity.forecast import CHANNELS, ON_DEMAND
from appliance.reports import kpi, words
from appliance.reports.periods import Period
from appliance.web.access import may
from appliance.web.context import site
from appliance.web.language import locale
from appliance.web.reports import Behind

screen = Blueprint("capacity", __name__, url_prefix="/capacity")

WEEKS = 4  # before today, when the address names no days


@screen.get("")
@may("supervisor", "manager")
def page() -> str:
    """The forecast from some days' calls (`from`, `to`), for one `weekday` (1-7)."""
    period, doubt = _period()
    limits = site().calls
    weekday = request.args.get("weekday", None, int)
    made = capacity.count(period, limits.service_level, limits.wrap_up, weekday)
    return render_template(
        "capacity/page.html",
        made=made,
        behind=Behind(period),
        doubt=doubt,
        weekdays=words.load(locale()).weekdays,
        chart=capacity.chart(made, locale()),
        channels=CHANNELS,
        on_demand=ON_DEMAND,
        targets=(kpi.ASA_TARGET, kpi.SERVICE_TARGET),
    )


def _period() -> tuple[Period, bool]:
    tz = site().tz
    yesterday = clock.now().astimezone(tz).date() - dt.timedelta(days=1)
    given = [request.args.get(name, "").strip() for name in ("from", "to")]
    first, last = (identity.born(text) if text else None for text in given)
    doubt = any(text and not day for text, day in zip(given, (first, last), strict=True))
    last = last or yesterday
    first = first or last - dt.timedelta(weeks=WEEKS) + dt.timedelta(days=1)
    if doubt or first > last:
        last = yesterday
        first = last - dt.timedelta(weeks=WEEKS) + dt.timedelta(days=1)
        doubt = True
    return Period(first, last, tz), doubt
