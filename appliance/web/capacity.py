"""Operators and channels that the calls need, next to those who were there."""

import datetime as dt

from flask import Blueprint, render_template, request
from flask_babel import gettext

from appliance import capacity, clock, identity
from appliance.capacity.forecast import CHANNELS, ON_DEMAND
from appliance.reports import charts, kpi, words
from appliance.reports.charts import Chart
from appliance.reports.periods import Period
from appliance.web.access import may
from appliance.web.context import site
from appliance.web.language import locale

screen = Blueprint("capacity", __name__, url_prefix="/capacity")

WEEKS = 4  # before today, when the address names no days


@screen.get("")
@may("supervisor", "manager")
def page() -> str:
    """The forecast from some days' calls (`from`, `to`), for one `weekday` (1-7)."""
    period, doubt = _period()
    made = capacity.count(site(), period, request.args.get("weekday", None, int))
    return render_template(
        "capacity/page.html",
        made=made,
        doubt=doubt,
        weekdays=words.load(locale()).weekdays,
        chart=_chart(made),
        channels=CHANNELS,
        on_demand=ON_DEMAND,
        targets=(kpi.ASA_TARGET, kpi.SERVICE_TARGET),
    )


def _chart(made: capacity.Capacity) -> Chart:
    """Operators needed; light where fewer were there."""
    needed = [half.need.operators for half in made.half_hours]
    return Chart(
        title=gettext("Operators needed by half-hour"),
        bars=charts.bars(
            needed,
            ["" if n % 2 else str(number) for n, number in enumerate(needed)],
            ["" if n % 2 else f"{half.begins:%H}" for n, half in enumerate(made.half_hours)],
            [not half.short for half in made.half_hours],
        ),
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
