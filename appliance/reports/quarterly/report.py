"""The figures of report form №1, counted."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from peewee import fn

from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.clock import WorkingCalendar, microseconds
from appliance.core.intervals import Interval
from appliance.core.settings import Calls, Settings
from appliance.models import Call
from appliance.people import staff_records
from appliance.people.staff_records import Qualification, StaffedHours
from appliance.reports import inbound, kpi, periods
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.reports.quarterly.activity import Activity, activity
from appliance.reports.recovery import MissedCall, Recovery, missed_calls, recovery
from appliance.reports.sums import ANSWERED, count
from appliance.reports.tables import ever_observed
from appliance.telephony import calls, routing
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class CallFigures:
    """Table 1; None: unknown, because nothing was observed. Seconds."""

    incoming: int | None
    accepted: int | None
    missed: int | None
    talk_seconds: float | None
    average_seconds: float | None
    outgoing: int | None
    outgoing_answered: int | None


@dataclass(frozen=True)
class IntervalRow:
    """Calls in one shift's hours. `opens` None: what falls into no shift."""

    opens: str | None
    closes: str | None
    staff: int | None
    incoming: int | None
    accepted: int | None


@dataclass(frozen=True)
class MonthRow:
    """A month of the annex."""

    first: dt.date
    incoming: int
    accepted: int
    recovery: Recovery


@dataclass(frozen=True)
class QuarterlyReport:
    """Everything that the paper, the page and the exports print."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str
    balance: Balance
    calls: CallFigures
    recovery: Recovery
    numbers: tuple[str, ...]
    qualification: Qualification
    intervals: tuple[IntervalRow, ...]
    parted: bool  # each moment of the day is in exactly one interval, so that the rows add up
    activity: Activity
    months: tuple[MonthRow, ...]
    inbound: Arrivals
    rules: Calls  # what counts as quick, as short
    site_url: str  # for links to what a figure means

    @property
    def quarter(self) -> str:
        """2026-Q3"""
        return periods.quarter_of(self.period.first)

    @property
    def whole(self) -> bool:
        """Whether it goes to the quarter's end."""
        after = self.period.last + dt.timedelta(days=1)
        return periods.quarter_of(after) != self.quarter

    @property
    def staff_total(self) -> int | None:
        """How many work in all shifts together; None: nobody was put into any."""
        known = [row.staff for row in self.intervals if row.staff is not None]
        return sum(known) if known else None

    @property
    def observed(self) -> bool:
        """Whether any of the period's calls are known."""
        return self.calls.incoming is not None


def build(settings: Settings, period: Period, locale: str = "uz_Cyrl") -> QuarterlyReport:
    """Count a quarter, or a quarter to a date (periods.quarter)."""
    balanced = calls.balance(period.begin, period.end)
    shifts = staff_records.staffed_hours(period.last)
    calls_in = inbound.of(period, settings.calls.service_level, _edges(shifts))
    missed = missed_calls(period)
    answer = staff_records.answer(periods.quarter_of(period.first))
    rows, parted = interval_rows(calls_in, shifts, period, balanced.unobserved)
    dialled = [one.number for one in routing.current(settings).numbers]
    further = (answer.numbers if answer else "").split(",")
    return QuarterlyReport(
        locale=locale,
        period=period,
        calendar=catalogs.working_calendar(settings),
        made_at=clock.now(),
        formulas=kpi.FORMULAS,
        balance=balanced,
        calls=call_figures(calls_in, _outgoing(period), period, balanced.unobserved),
        recovery=recovery(missed),
        numbers=_numbers(settings.calls.hotline_number, *dialled, *further),
        qualification=staff_records.qualification(
            period.first, period.last, complete=bool(answer and answer.complete)
        ),
        intervals=rows,
        parted=parted,
        activity=activity(settings, period, balanced, answer),
        months=tuple(_months(period, calls_in, missed)),
        inbound=calls_in,
        rules=settings.calls,
        site_url=settings.web.url,
    )


def call_figures(
    calls_in: Arrivals,
    outgoing: tuple[int, int],
    period: Period,
    gaps: Sequence[Interval],
) -> CallFigures:
    """Table 1 of inbound calls and of outgoing ones: how many, and how many were answered."""
    placed, answered = outgoing
    seen = bool(calls_in.calls or placed) or ever_observed([(period.begin, period.end)], gaps)
    if not seen:
        return CallFigures(None, None, None, None, None, None, None)
    tally = calls_in.tally
    return CallFigures(
        incoming=tally.incoming,
        accepted=tally.accepted,
        missed=tally.missed,
        talk_seconds=tally.talk_seconds,
        average_seconds=tally.talk.value,
        outgoing=placed,
        outgoing_answered=answered,
    )


def interval_rows(
    calls_in: Arrivals,
    intervals: Sequence[StaffedHours],
    period: Period,
    gaps: Sequence[Interval],
) -> tuple[tuple[IntervalRow, ...], bool]:
    """The calls of each interval, by the site's hour of arrival, and whether the rows add up.

    What falls into no interval gets a last row of its own.
    """
    arrived = [(slot, begin.time()) for begin, slot in calls_in.slots.items()]
    edges = {dt.time(), *_edges(intervals)}
    covered = [sum(one.covers(edge) for one in intervals) for edge in edges]
    rows = []
    for one in intervals:
        own = [slot for slot, time in arrived if one.covers(time)]
        unknown = not own and not ever_observed(_on_each_day(one, period), gaps)
        rows.append(
            IntervalRow(
                one.opens,
                one.closes,
                one.staff,
                None if unknown else sum(slot.incoming for slot in own),
                None if unknown else sum(slot.accepted for slot in own),
            )
        )
    if 0 in covered:
        rest = [slot for slot, time in arrived if not any(one.covers(time) for one in intervals)]
        unknown = not rest and not ever_observed([(period.begin, period.end)], gaps)
        incoming = None if unknown else sum(slot.incoming for slot in rest)
        accepted = None if unknown else sum(slot.accepted for slot in rest)
        rows.append(IntervalRow(None, None, None, incoming, accepted))
    return tuple(rows), all(count <= 1 for count in covered)


def _on_each_day(one: StaffedHours, period: Period) -> Iterator[Interval]:
    """The interval on each date of the period, in parts that stay within a date."""
    opens, closes = dt.time.fromisoformat(one.opens), dt.time.fromisoformat(one.closes)
    parts = [(opens, closes)] if opens < closes else [(dt.time(), closes), (opens, None)]
    for day in period.days:
        for begin, end in parts:
            until = day if end else day + dt.timedelta(days=1)
            yield (
                dt.datetime.combine(day, begin, period.tz).astimezone(dt.UTC),
                dt.datetime.combine(until, end or dt.time(), period.tz).astimezone(dt.UTC),
            )


def _numbers(*numbers: str) -> tuple[str, ...]:
    """Each number once, in this order."""
    return tuple(dict.fromkeys(number.strip() for number in numbers if number.strip()))


def _edges(intervals: Iterable[StaffedHours]) -> list[dt.time]:
    return [dt.time.fromisoformat(edge) for one in intervals for edge in (one.opens, one.closes)]


def _outgoing(period: Period) -> tuple[int, int]:
    """How many calls the site placed, and how many of them were answered."""
    rows = Call.select(fn.COUNT(Call.id), count(ANSWERED.sql)).where(
        Call.direction == "outbound",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        ~Call.synthetic,
    )
    placed, answered = rows.tuples()[0]
    return placed, answered or 0


def _months(period: Period, calls_in: Arrivals, missed: Sequence[MissedCall]) -> Iterator[MonthRow]:
    for first in sorted({day.replace(day=1) for day in period.days}):
        days = [day for day in period.days if day.replace(day=1) == first]
        month = Period(days[0], days[-1], period.tz)
        begin, end = microseconds(month.begin), microseconds(month.end)
        own = [s for at, s in calls_in.slots.items() if at.date().replace(day=1) == first]
        yield MonthRow(
            first,
            sum(slot.incoming for slot in own),
            sum(slot.accepted for slot in own),
            recovery([one for one in missed if begin <= one.arrived_at < end]),
        )
