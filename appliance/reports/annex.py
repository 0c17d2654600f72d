"""The annex of reports: two charts, and a table of how calls were answered, with the targets."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls
from appliance.reports import formatting, kpi
from appliance.reports.charts import Chart, lay_out_bars, x_before_bar
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.reports.report_texts import AnnexTexts, ReportTexts
from appliance.reports.shares import percentage_shares

_HEADROOM_FACTOR = 1.2  # of the highest bar; leaves space for legend and notes above the bars


@dataclass(frozen=True)
class FigureRow:
    """One row of the table of figures."""

    code: str  # the anchor of its explanation in docs/figures.md; "" if it is not explained there
    label: str  # the name of the figure
    value: str
    target: str = formatting.NO_VALUE  # "–" if the figure has no target
    few: bool = False  # True if the figure is based on too few cases to be reliable


class AnnexReport(Protocol):
    """The properties of a report that the annex needs."""

    @property
    def period(self) -> Period: ...
    @property
    def calendar(self) -> WorkingCalendar: ...
    @property
    def inbound(self) -> Arrivals: ...
    @property
    def is_observed(self) -> bool: ...  # False: the numbers of calls are unknown
    @property
    def rules(self) -> Calls: ...  # thresholds of the service level and of short abandons
    @property
    def site_url(self) -> str: ...  # for links to the explanation of a figure


def hours_chart(report: AnnexReport, texts: AnnexTexts) -> Chart | None:
    """Return the chart of the average number of calls in each hour of the day, if there were any.

    The average is over the days of the period up to today. Bars within working hours are dark.
    """
    counts = report.inbound.calls_by_hour_of_day
    if not any(counts):
        return None
    today = clock.now().astimezone(report.period.tz).date()
    days = max(1, sum(day <= today for day in report.period.days))
    averages = [count / days for count in counts]
    opens, closes = report.calendar.opens, report.calendar.closes
    return Chart(
        title=texts.hours,
        bars=lay_out_bars(
            averages,
            _average_labels(averages),
            [f"{hour:02}" for hour in range(24)],
            [opens <= dt.time(hour) < closes for hour in range(24)],
            max(averages) * _HEADROOM_FACTOR,
        ),
        legend=(
            (True, texts.hours_inside.format(opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")),
            (False, texts.hours_outside),
        ),
    )


def accepted_waits_chart(report: AnnexReport, texts: AnnexTexts) -> Chart | None:
    """Return the chart of accepted calls by waiting time, if there were such calls.

    A dashed line at the service level's threshold separates the dark bars (answered within it) from
    the light ones.
    """
    level = report.rules.service_level
    edges = sorted({*kpi.WAIT_EDGES_SECONDS, level})
    counts = kpi.accepted_calls_by_wait(report.inbound.groups, edges)
    if not any(counts):
        return None
    bars_within_level = edges.index(level) + 1
    within, beyond = percentage_shares(
        [sum(counts[:bars_within_level]), sum(counts[bars_within_level:])]
    )
    labels = [f"{low:g}–{high:g}" for low, high in zip([0.0, *edges], edges, strict=False)]
    return Chart(
        title=texts.waits,
        bars=lay_out_bars(
            counts,
            [formatting.format_number(count) for count in counts],
            [*labels, f"{edges[-1]:g}+"],
            [n < bars_within_level for n in range(len(counts))],
            max(counts) * _HEADROOM_FACTOR,
        ),
        border=x_before_bar(bars_within_level, len(counts)),
        note=texts.threshold.format(
            seconds=f"{level:g}",
            within=formatting.format_decimal(within),
            beyond=formatting.format_decimal(beyond),
        ),
    )


def figure_rows(report: AnnexReport, all_texts: ReportTexts) -> list[FigureRow]:
    """Return the rows of the table of figures: how calls were answered, with the targets.

    If nothing was observed in the period, the numbers of calls are shown as unknown.
    """
    texts, level = all_texts.annex, report.rules.service_level
    tally = report.inbound.tally
    unknown = "" if report.is_observed else all_texts.unknown
    response = tally.rating_response
    rating = tally.rating
    marks = " / ".join(formatting.format_decimal(share) for share in percentage_shares(tally.marks))
    return [
        FigureRow("incoming", texts.incoming, unknown or formatting.format_number(tally.incoming)),
        FigureRow("accepted", texts.accepted, unknown or formatting.format_number(tally.accepted)),
        FigureRow("missed", texts.missed, unknown or formatting.format_number(tally.missed)),
        _seconds_row(
            "answer_speed",
            texts.answer_speed,
            tally.answer_speed,
            texts,
            texts.at_most_seconds.format(value=f"{kpi.ASA_TARGET_SECONDS:g}"),
        ),
        _seconds_row(
            "answer_speed_from_arrival",
            texts.answer_speed_from_arrival,
            tally.answer_speed_from_arrival,
            texts,
        ),
        percentage_row(
            "service_level",
            texts.service_level.format(
                target=f"{kpi.SERVICE_LEVEL_TARGET_PERCENT:g}", seconds=f"{level:g}"
            ),
            tally.service_level,
            texts.at_least.format(
                value=formatting.format_decimal(kpi.SERVICE_LEVEL_TARGET_PERCENT)
            ),
        ),
        percentage_row(
            "abandon_rate",
            texts.abandon_rate.format(seconds=f"{report.rules.short_abandon:g}"),
            tally.abandon_rate,
        ),
        FigureRow(
            "rating",
            texts.rating.format(response=_percentage_text(response)),
            formatting.NO_VALUE
            if rating.value is None
            else f"{formatting.format_decimal(rating.value)} / 5",
            few=rating.few or response.few,
        ),
        FigureRow(
            "marks", texts.marks, marks if rating.cases else formatting.NO_VALUE, few=rating.few
        ),
    ]


def explanatory_notes(
    report: AnnexReport, all_texts: ReportTexts, *, has_waits_chart: bool = False
) -> list[str]:
    """Return the notes that say of which calls the service level is a percentage.

    The list is empty if there are no such calls. With `has_waits_chart`, which is for a report with
    the chart of waits, a further note explains why that chart shows another percentage for the same
    number of seconds.
    """
    texts, tally = all_texts.annex, report.inbound.tally
    if tally.service_level.value is None:
        return []
    notes = [
        texts.service_basis.format(
            seconds=f"{report.rules.service_level:g}",
            quick=formatting.format_number(tally.quick),
            accepted=formatting.format_number(tally.accepted),
            abandoned=formatting.format_number(tally.abandoned),
        )
    ]
    if has_waits_chart and tally.answered_from_queue:
        share, _ = percentage_shares([tally.quick, tally.answered_from_queue - tally.quick])
        waited = formatting.format_number(tally.answered_from_queue)
        notes.append(
            texts.waits_basis.format(within=formatting.format_decimal(share), waited=waited)
        )
    return notes


def _average_labels(averages: list[float]) -> list[str]:
    """Return the averages as texts.

    All have the same number of decimals: 0, 1 or 2, more if the highest average is low. An average
    of zero is "0". Whole averages have no decimals.
    """
    if all(average == int(average) for average in averages):  # the averages of a single day
        return [formatting.format_number(int(average)) for average in averages]
    places = next((n for n, minimum in ((0, 10), (1, 1)) if max(averages) >= minimum), 2)
    return [f"{a:.{places}f}".replace(".", ",") if a else "0" for a in averages]


def _seconds_row(
    code: str, label: str, rate: kpi.Rate, texts: AnnexTexts, target: str = formatting.NO_VALUE
) -> FigureRow:
    """Return a row of the table with a mean number of seconds; "–" if the rate has no value.

    The other parameters are as in percentage_row().
    """
    value = formatting.format_decimal(rate.value)
    value_text = value if rate.value is None else texts.seconds.format(value=value)
    return FigureRow(code, label, value_text, target, rate.few)


def percentage_row(
    code: str, label: str, rate: kpi.Rate, target: str = formatting.NO_VALUE
) -> FigureRow:
    """Return a row of the table with a percentage; "–" if the rate has no value.

    `code` is the anchor of the figure's explanation, "" if there is no explanation; `label` is the
    figure's name, and `target` the text of its target, by default "–" (no target).
    """
    return FigureRow(code, label, _percentage_text(rate), target, rate.few)


def _percentage_text(rate: kpi.Rate) -> str:
    """Return a percentage as text, such as "13,8 %"; "–" if the rate has no value."""
    value = formatting.format_decimal(rate.value)
    return value if rate.value is None else f"{value}{formatting.NO_BREAK_SPACE}%"
