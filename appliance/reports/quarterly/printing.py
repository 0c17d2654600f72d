"""Report form №1 on paper."""

import datetime as dt

from appliance.reports import annex, charts, formatting, paper, report_texts
from appliance.reports.charts import Chart
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.report import QuarterlyReport


def as_page(report: QuarterlyReport) -> str:
    """Return the printed report as HTML for pdf.write_pdf."""
    texts = report_texts.load_texts(report.locale)
    calls = report.calls
    return paper.render_page(
        "quarterly.html",
        report,
        wording.report_title(report),
        form=texts.quarterly,
        heading=wording.heading_lines(report),
        quarter=texts.quarterly.quarter.format(**wording.title_dates(report)),
        total_talk=formatting.format_duration(calls.talk_seconds, texts.length),
        average_talk=formatting.format_duration(calls.average_seconds, texts.length),
        call_notes=wording.call_notes(report),
        intervals=[(wording.interval_label(row, report), row) for row in report.intervals],
        staff_notes=wording.staff_notes(report),
        activity_cells=wording.activity_cells(report),
        activity_notes=wording.activity_notes(report),
        weeks=weeks_chart(report),
        no_calls=texts.annex.no_calls if report.is_observed else texts.unknown,
        rows=annex.figure_rows(report, texts),
        explained=annex.explanatory_notes(report, texts),
    )


def weeks_chart(report: QuarterlyReport) -> Chart | None:
    """Return the chart of incoming and missed calls by week, if there were calls.

    Weeks begin on Monday.
    """
    texts, period = report_texts.load_texts(report.locale).quarterly, report.period
    mondays = sorted({day - dt.timedelta(days=day.weekday()) for day in period.days})
    week_of_monday = {monday: number for number, monday in enumerate(mondays)}
    incoming, missed = [0] * len(mondays), [0] * len(mondays)
    for begin, slot in report.inbound.slots.items():
        day = begin.date()
        week = week_of_monday[day - dt.timedelta(days=day.weekday())]
        incoming[week] += slot.incoming
        missed[week] += slot.missed
    if not any(incoming):
        return None
    labels = [f"{max(monday, period.first):%d.%m}" for monday in mondays]
    chart_top = max(incoming) * 1.2  # leaves space for the legend
    # Dark bars of missed calls are drawn over the light bars of all incoming calls.
    empty_labels, not_dark = [""] * len(mondays), [False] * len(mondays)
    return Chart(
        title=texts.weeks,
        bars=(
            *charts.lay_out_bars(
                incoming,
                [formatting.format_number(count) for count in incoming],
                labels,
                not_dark,
                chart_top,
            ),
            *charts.lay_out_bars(
                missed, empty_labels, empty_labels, [True] * len(mondays), chart_top
            ),
        ),
        legend=((False, texts.weeks_incoming), (True, texts.weeks_missed)),
    )
