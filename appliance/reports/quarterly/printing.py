"""Report form №1 on paper."""

import datetime as dt

from appliance.reports import annex, charts, figures, paper, words
from appliance.reports.charts import Chart
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.report import QuarterlyReport


def as_page(report: QuarterlyReport) -> str:
    """The paper as HTML, to be printed by pdf.write."""
    text = words.load(report.locale)
    calls = report.calls
    return paper.page(
        "quarterly.html",
        report,
        wording.title(report),
        form=text.quarterly,
        heading=wording.heading(report),
        quarter=text.quarterly.quarter.format(**wording.dates(report)),
        total_talk=figures.length(calls.talk_seconds, text.length),
        average_talk=figures.length(calls.average_seconds, text.length),
        call_notes=wording.call_notes(report),
        intervals=[(wording.interval(row, report), row) for row in report.intervals],
        staff_notes=wording.staff_notes(report),
        activity_cells=wording.activity_cells(report),
        activity_notes=wording.activity_notes(report),
        weeks=weeks(report),
        no_calls=text.annex.no_calls if report.observed else text.unknown,
        rows=annex.rows(report, text),
        explained=annex.explained(report, text),
    )


def weeks(report: QuarterlyReport) -> Chart | None:
    """Incoming calls of each week from Monday, the missed among them; None when there were none."""
    text, period = words.load(report.locale).quarterly, report.period
    mondays = sorted({day - dt.timedelta(days=day.weekday()) for day in period.days})
    place = {monday: number for number, monday in enumerate(mondays)}
    came, missed = [0] * len(mondays), [0] * len(mondays)
    for begin, slot in report.inbound.slots.items():
        day = begin.date()
        week = place[day - dt.timedelta(days=day.weekday())]
        came[week] += slot.incoming
        missed[week] += slot.missed
    if not any(came):
        return None
    labels = [f"{max(monday, period.first):%d.%m}" for monday in mondays]
    top = max(came) * 1.2  # room for the legend
    nothing, none = [""] * len(mondays), [False] * len(mondays)
    return Chart(
        title=text.weeks,
        bars=(
            *charts.bars(came, [figures.number(count) for count in came], labels, none, top),
            *charts.bars(missed, nothing, nothing, [True] * len(mondays), top),
        ),
        legend=((False, text.weeks_incoming), (True, text.weeks_missed)),
    )
