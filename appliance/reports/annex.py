"""The annex of reports: two charts and the answering figures beside what is demanded."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from appliance import clock
from appliance.clock import WorkingCalendar
from appliance.reports import figures, kpi
from appliance.reports.charts import Chart, bars, border_before
from appliance.reports.kpi import Inbound
from appliance.reports.periods import Period
from appliance.reports.shares import shares
from appliance.reports.words import AnnexWords, Words

_ROOM = 1.2  # of the highest bar, so that legend and notes stand over the bars


@dataclass(frozen=True)
class FigureRow:
    """One line of the table; `few` marks a figure over too few cases."""

    label: str
    value: str
    target: str = figures.NONE
    few: bool = False


class Answered(Protocol):
    """What the annex needs of a report."""

    @property
    def period(self) -> Period: ...
    @property
    def calendar(self) -> WorkingCalendar: ...
    @property
    def inbound(self) -> tuple[Inbound, ...]: ...
    @property
    def observed(self) -> bool: ...
    @property
    def short_abandon(self) -> float: ...
    @property
    def service_level(self) -> float: ...


def hours(report: Answered, words: AnnexWords) -> Chart | None:
    """Average calls in each hour of a day; None when there were none."""
    counts = kpi.by_hour(report.inbound, report.period.tz)
    if not any(counts):
        return None
    today = clock.now().astimezone(report.period.tz).date()
    days = max(1, sum(day <= today for day in report.period.days))
    averages = [count / days for count in counts]
    opens, closes = report.calendar.opens, report.calendar.closes
    return Chart(
        title=words.hours,
        bars=bars(
            averages,
            _short(averages),
            [f"{hour:02}" for hour in range(24)],
            [opens <= dt.time(hour) < closes for hour in range(24)],
            max(averages) * _ROOM,
        ),
        legend=(
            (True, words.hours_inside.format(opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")),
            (False, words.hours_outside),
        ),
    )


def waits(report: Answered, words: AnnexWords) -> Chart | None:
    """Accepted calls by how long they waited, parted at the service level's seconds."""
    level = report.service_level
    edges = sorted({*kpi.WAIT_EDGES, level})
    counts = kpi.by_wait(report.inbound, edges)
    if not any(counts):
        return None
    parted = edges.index(level) + 1
    within, beyond = shares([sum(counts[:parted]), sum(counts[parted:])])
    labels = [f"{low:g}–{high:g}" for low, high in zip([0.0, *edges], edges, strict=False)]
    return Chart(
        title=words.waits,
        bars=bars(
            counts,
            [figures.number(count) for count in counts],
            [*labels, f"{edges[-1]:g}+"],
            [n < parted for n in range(len(counts))],
            max(counts) * _ROOM,
        ),
        border=border_before(parted, len(counts)),
        note=words.threshold.format(
            seconds=f"{level:g}",
            within=figures.decimal(within),
            beyond=figures.decimal(beyond),
        ),
    )


def rows(report: Answered, words: Words) -> list[FigureRow]:
    """The table's lines. Counts of a period in which nothing was observed are unknown."""
    text, calls, level = words.annex, report.inbound, report.service_level
    unknown = "" if report.observed else words.unknown
    response = kpi.rating_response(calls)
    mark = kpi.rating(calls)
    marks = " / ".join(figures.decimal(share) for share in shares(kpi.rating_marks(calls)))
    return [
        FigureRow(text.incoming, unknown or figures.number(len(kpi.incoming(calls)))),
        FigureRow(text.accepted, unknown or figures.number(len(kpi.accepted(calls)))),
        FigureRow(text.missed, unknown or figures.number(kpi.missed(calls))),
        _seconds(
            text.answer_speed,
            kpi.answer_speed(calls),
            text,
            text.at_most_seconds.format(value=f"{kpi.ASA_TARGET:g}"),
        ),
        _seconds(text.answer_speed_from_arrival, kpi.answer_speed_from_arrival(calls), text),
        _per_cent(
            text.service_level.format(target=f"{kpi.SERVICE_TARGET:g}", seconds=f"{level:g}"),
            kpi.service_level(calls, level),
            text.at_least.format(value=figures.decimal(kpi.SERVICE_TARGET)),
        ),
        _per_cent(
            text.abandon_rate.format(seconds=f"{report.short_abandon:g}"),
            kpi.abandon_rate(calls),
        ),
        FigureRow(
            text.rating.format(response=_with_sign(response)),
            figures.NONE if mark.value is None else f"{figures.decimal(mark.value)} / 5",
            few=mark.few or response.few,
        ),
        FigureRow(text.marks, marks if mark.cases else figures.NONE, few=mark.few),
    ]


def _short(averages: list[float]) -> list[str]:
    """Averages with as few decimals as tell the bars apart; a plain 0 for no call at all."""
    if all(average == int(average) for average in averages):  # a single day's
        return [figures.number(int(average)) for average in averages]
    places = next((n for n, least in ((0, 10), (1, 1)) if max(averages) >= least), 2)
    return [f"{a:.{places}f}".replace(".", ",") if a else "0" for a in averages]


def _seconds(
    label: str, rate: kpi.Rate, words: AnnexWords, target: str = figures.NONE
) -> FigureRow:
    value = figures.decimal(rate.value)
    shown = value if rate.value is None else words.seconds.format(value=value)
    return FigureRow(label, shown, target, rate.few)


def _per_cent(label: str, rate: kpi.Rate, target: str = figures.NONE) -> FigureRow:
    return FigureRow(label, _with_sign(rate), target, rate.few)


def _with_sign(rate: kpi.Rate) -> str:
    value = figures.decimal(rate.value)
    return value if rate.value is None else f"{value}{figures.NO_BREAK}%"
