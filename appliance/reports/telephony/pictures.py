"""The telephony report's charts, laid out for page and paper alike."""

from collections.abc import Callable, Iterable
from typing import Any

from appliance.core.i18n import N_
from appliance.reports import charts, figures, kpi
from appliance.reports.charts import Chart
from appliance.reports.counting import Counted
from appliance.reports.periods import Period
from appliance.reports.telephony.hours import Hours
from appliance.reports.telephony.waits import Waits
from appliance.reports.telephony.words import FIGURES

DAYS = 62  # more are told by month
HEAT = 7  # shades


def by_day(period: Period) -> bool:
    """Whether so few days are told one by one; else they are by month."""
    return len(period.days) <= DAYS


def days(period: Period, hours: Hours, _: Any, width: float = charts.WIDTH) -> Chart | None:
    """Calls by day, or by month; None when there were none. `_`: gettext."""
    daily = by_day(period)
    found = hours.days if daily else hours.months
    if not found:
        return None
    counts = [tally.incoming for tally in found.values()]
    few = len(counts) <= width // 32  # then each has room for its value
    return Chart(
        title=_(N_("Calls by day")) if daily else _(N_("Calls by month")),
        bars=charts.bars(
            counts,
            [figures.number(count) if few or n % 3 == 0 else "" for n, count in enumerate(counts)],
            [f"{day:%d.%m}" if few or n % 3 == 0 else "" for n, day in enumerate(found)]
            if daily
            else [f"{day:%m.%y}" for day in found],
            [not daily or day.weekday() < 5 for day in found],
            across=width,
        ),
        width=width,
    )


def answers(waits: Waits, level: float, _: Any) -> Chart | None:
    """Accepted calls by wait, parted at the service level; None when there were none."""
    if not waits.answered:
        return None
    longest = max(kpi.WAIT_EDGES)
    shown = [b for b in waits.buckets if b.high is not None and b.high <= longest]
    counts = [b.answered for b in shown]
    counts.append(waits.answered - sum(counts))
    within = [b.high is not None and b.high <= level for b in shown]
    return Chart(
        title=_(N_("Accepted calls by seconds of wait")),
        bars=charts.bars(
            counts,
            [figures.number(count) for count in counts],
            [*(between(b.low, b.high) for b in shown), between(longest, None)],
            [*within, False],
        ),
        border=charts.border_before(sum(within), len(counts)),
    )


def abandons(waits: Waits, _: Any) -> Chart | None:
    """The abandon curve: per cent of those who joined that had hung up by then."""
    if not waits.abandoned:
        return None
    curve_title = FIGURES["curve"]
    curve = [(seconds, rate.value or 0.0) for seconds, rate in waits.abandon_curve()]
    return Chart(
        title=_(curve_title),
        bars=charts.bars(
            [share for _seconds, share in curve],
            [figures.decimal(share) for _seconds, share in curve],
            [f"{seconds:g}" for seconds, _share in curve],
            [False for _point in curve],
        ),
    )


def between(low: float | None, high: float | None) -> str:
    """5–10, 90+"""
    return f"{low or 0:g}–{high:g}" if high is not None else f"{low or 0:g}+"


def shading(tallies: Iterable[Counted]) -> Callable[[int], int]:
    """How dark a number of calls is shown, 0 to HEAT - 1."""
    most = max((tally.incoming for tally in tallies), default=0)
    return lambda calls: min(HEAT - 1, calls * HEAT // (most + 1))
