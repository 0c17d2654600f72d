"""The charts of the telephony report, for page and paper. The parameter `_` is gettext."""

from collections.abc import Callable, Iterable
from typing import Any

from appliance.core.i18n import N_
from appliance.reports import charts, formatting, kpi
from appliance.reports.charts import Chart
from appliance.reports.counting import CallTally
from appliance.reports.periods import Period
from appliance.reports.telephony.hours import HourlyTallies
from appliance.reports.telephony.labels import FIGURES
from appliance.reports.telephony.waits import WaitCounts

MAX_DAYS_SHOWN_DAILY = 62  # longer periods are shown by month
HEAT_SHADES = 7  # number of shades in the table of weekdays and hours


def is_shown_daily(period: Period) -> bool:
    """Return True if the period is short enough to be shown by day instead of by month."""
    return len(period.days) <= MAX_DAYS_SHOWN_DAILY


def calls_chart(
    period: Period, hours: HourlyTallies, _: Any, width: float = charts.CHART_WIDTH
) -> Chart | None:
    """Return the chart of incoming calls, if there were any, by day, or by month for long periods.

    Bars of weekends are light. If the bars are narrow for the chart's `width`, only every third one
    has its texts.
    """
    is_daily = is_shown_daily(period)
    tallies = hours.by_day if is_daily else hours.by_month
    if not tallies:
        return None
    counts = [tally.incoming for tally in tallies.values()]
    has_room = len(counts) <= width // 32  # then each bar has room for its value
    return Chart(
        title=_(N_("Calls by day")) if is_daily else _(N_("Calls by month")),
        bars=charts.lay_out_bars(
            counts,
            [
                formatting.format_number(count) if has_room or n % 3 == 0 else ""
                for n, count in enumerate(counts)
            ],
            [f"{day:%d.%m}" if has_room or n % 3 == 0 else "" for n, day in enumerate(tallies)]
            if is_daily
            else [f"{day:%m.%y}" for day in tallies],
            [not is_daily or day.weekday() < 5 for day in tallies],
            chart_width=width,
        ),
        width=width,
    )


def accepted_waits_chart(waits: WaitCounts, service_level_seconds: float, _: Any) -> Chart | None:
    """Return the chart of accepted calls by waiting time.

    A dashed line at the service level's threshold separates the dark bars (answered within it) from
    the light ones. None if no call was accepted after a wait.
    """
    if not waits.answered_total:
        return None
    longest = max(kpi.WAIT_EDGES_SECONDS)
    buckets = [
        bucket for bucket in waits.buckets if bucket.high is not None and bucket.high <= longest
    ]
    counts = [bucket.answered for bucket in buckets]
    counts.append(waits.answered_total - sum(counts))
    within = [
        bucket.high is not None and bucket.high <= service_level_seconds for bucket in buckets
    ]
    return Chart(
        title=_(N_("Accepted calls by seconds of wait")),
        bars=charts.lay_out_bars(
            counts,
            [formatting.format_number(count) for count in counts],
            [
                *(range_label(bucket.low, bucket.high) for bucket in buckets),
                range_label(longest, None),
            ],
            [*within, False],
        ),
        border=charts.x_before_bar(sum(within), len(counts)),
    )


def abandon_chart(waits: WaitCounts, _: Any) -> Chart | None:
    """Return the chart of the abandon curve, if any caller hung up in a queue.

    For each waiting time it shows the percentage of the callers who joined a queue that had hung up
    by then.
    """
    if not waits.abandoned_total:
        return None
    curve_title = FIGURES["curve"]
    curve = [(seconds, rate.value or 0.0) for seconds, rate in waits.abandon_curve()]
    return Chart(
        title=_(curve_title),
        bars=charts.lay_out_bars(
            [share for _seconds, share in curve],
            [formatting.format_decimal(share) for _seconds, share in curve],
            [f"{seconds:g}" for seconds, _share in curve],
            [False for _point in curve],
        ),
    )


def range_label(low: float | None, high: float | None) -> str:
    """Return a range as text, such as "5–10" or "90+".

    Either bound may be missing; a missing lower one is shown as 0.
    """
    return f"{low or 0:g}–{high:g}" if high is not None else f"{low or 0:g}+"


def heat_shading(tallies: Iterable[CallTally]) -> Callable[[int], int]:
    """Return the function from a number of calls to its shade, 0 to HEAT_SHADES - 1.

    The shade is relative to the highest number of calls among `tallies`.
    """
    max_calls = max((tally.incoming for tally in tallies), default=0)
    return lambda calls: min(HEAT_SHADES - 1, calls * HEAT_SHADES // (max_calls + 1))
