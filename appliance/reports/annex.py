"""The annex of reports: two charts and the answering figures beside what is demanded."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls
from appliance.reports import figures, kpi
from appliance.reports.charts import Chart, bars, border_before
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.reports.shares import shares
from appliance.reports.words import AnnexWords, Words

_ROOM = 1.2  # of the highest bar, so that legend and notes stand over the bars


@dataclass(frozen=True)
class FigureRow:
    """One line of the table; `few` marks a figure over too few cases."""

    code: str  # its anchor in docs/figures.md; "": not explained there
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
    def inbound(self) -> Arrivals: ...
    @property
    def observed(self) -> bool: ...
    @property
    def rules(self) -> Calls: ...
    @property
    def site_url(self) -> str: ...


def hours(report: Answered, words: AnnexWords) -> Chart | None:
    """Average calls in each hour of a day; None when there were none."""
    counts = report.inbound.hours
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
    level = report.rules.service_level
    edges = sorted({*kpi.WAIT_EDGES, level})
    counts = kpi.by_wait(report.inbound.groups, edges)
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
    text, level = words.annex, report.rules.service_level
    tally = report.inbound.tally
    unknown = "" if report.observed else words.unknown
    response = tally.rating_response
    mark = tally.rating
    marks = " / ".join(figures.decimal(share) for share in shares(tally.marks))
    return [
        FigureRow("incoming", text.incoming, unknown or figures.number(tally.incoming)),
        FigureRow("accepted", text.accepted, unknown or figures.number(tally.accepted)),
        FigureRow("missed", text.missed, unknown or figures.number(tally.missed)),
        _seconds(
            "answer_speed",
            text.answer_speed,
            tally.answer_speed,
            text,
            text.at_most_seconds.format(value=f"{kpi.ASA_TARGET:g}"),
        ),
        _seconds(
            "answer_speed_from_arrival",
            text.answer_speed_from_arrival,
            tally.answer_speed_from_arrival,
            text,
        ),
        per_cent(
            "service_level",
            text.service_level.format(target=f"{kpi.SERVICE_TARGET:g}", seconds=f"{level:g}"),
            tally.service_level,
            text.at_least.format(value=figures.decimal(kpi.SERVICE_TARGET)),
        ),
        per_cent(
            "abandon_rate",
            text.abandon_rate.format(seconds=f"{report.rules.short_abandon:g}"),
            tally.abandon_rate,
        ),
        FigureRow(
            "rating",
            text.rating.format(response=_with_sign(response)),
            figures.NONE if mark.value is None else f"{figures.decimal(mark.value)} / 5",
            few=mark.few or response.few,
        ),
        FigureRow("marks", text.marks, marks if mark.cases else figures.NONE, few=mark.few),
    ]


def explained(report: Answered, words: Words, *, distribution: bool = False) -> list[str]:
    """What the service level is a share of; with the `distribution` of waits, why that one's
    share within the same seconds is another. Nothing when no call stands behind it.
    """
    text, tally = words.annex, report.inbound.tally
    if tally.service_level.value is None:
        return []
    notes = [
        text.service_basis.format(
            seconds=f"{report.rules.service_level:g}",
            quick=figures.number(tally.quick),
            accepted=figures.number(tally.accepted),
            abandoned=figures.number(tally.abandoned),
        )
    ]
    if distribution and tally.waited:
        share, _ = shares([tally.quick, tally.waited - tally.quick])
        waited = figures.number(tally.waited)
        notes.append(text.waits_basis.format(within=figures.decimal(share), waited=waited))
    return notes


def _short(averages: list[float]) -> list[str]:
    """Averages with as few decimals as tell the bars apart; a plain 0 for no call at all."""
    if all(average == int(average) for average in averages):  # a single day's
        return [figures.number(int(average)) for average in averages]
    places = next((n for n, least in ((0, 10), (1, 1)) if max(averages) >= least), 2)
    return [f"{a:.{places}f}".replace(".", ",") if a else "0" for a in averages]


def _seconds(
    code: str, label: str, rate: kpi.Rate, words: AnnexWords, target: str = figures.NONE
) -> FigureRow:
    value = figures.decimal(rate.value)
    shown = value if rate.value is None else words.seconds.format(value=value)
    return FigureRow(code, label, shown, target, rate.few)


def per_cent(code: str, label: str, rate: kpi.Rate, target: str = figures.NONE) -> FigureRow:
    """A line of the table that tells a share."""
    return FigureRow(code, label, _with_sign(rate), target, rate.few)


def _with_sign(rate: kpi.Rate) -> str:
    value = figures.decimal(rate.value)
    return value if rate.value is None else f"{value}{figures.NO_BREAK}%"
