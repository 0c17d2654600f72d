"""Counts the figures of report form №1."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from peewee import fn

from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.clock import WorkingCalendar, microseconds_since_epoch
from appliance.core.intervals import Interval
from appliance.core.settings import Calls, Settings
from appliance.models import Call
from appliance.people import staff_records
from appliance.people.staff_records import Qualification, StaffedHours
from appliance.reports import inbound, kpi, periods
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.reports.quarterly.activity import Activity, count_activity
from appliance.reports.recovery import MissedCall, Recovery, missed_calls, summarize_recovery
from appliance.reports.sums import ANSWERED, count_where
from appliance.reports.tables import is_any_observed
from appliance.telephony import calls, routing
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class CallFigures:
    """The figures of table 1; all are None (unknown) if Asterisk was not observed at all."""

    incoming: int | None
    accepted: int | None
    missed: int | None
    talk_seconds: float | None  # of all accepted calls
    average_seconds: float | None  # of talk per accepted call; also None if no call was accepted
    outgoing: int | None  # outgoing calls, answered or not
    outgoing_answered: int | None


@dataclass(frozen=True)
class MenuOnlyCalls:
    """The numbers of missed calls that the menu alone served, as table 1's note names them."""

    self_served: int  # the menu answered the caller's question
    closed: int  # the caller heard only the announcement of the closed line


@dataclass(frozen=True)
class IntervalRow:
    """The calls that arrived in the hours of one shift.

    `opens` and `closes` are as "08:00"; None in the row of the calls outside all shifts. `staff` is
    None if nobody was assigned; `incoming` and `accepted` are None if they are unknown.
    """

    opens: str | None
    closes: str | None
    staff: int | None
    incoming: int | None
    accepted: int | None


@dataclass(frozen=True)
class MonthRow:
    """The numbers of calls of one month, for the annex."""

    first: dt.date  # the first day of the month
    incoming: int
    accepted: int
    recovery: Recovery  # of the missed calls


@dataclass(frozen=True)
class QuarterlyReport:
    """Everything that the printed report, the page and the exports contain."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str  # version of the definitions of the figures
    balance: Balance
    calls: CallFigures
    recovery: Recovery
    menu_only: MenuOnlyCalls
    numbers: tuple[str, ...]  # phone numbers of the hotline
    qualification: Qualification
    intervals: tuple[IntervalRow, ...]  # a row for each shift, then the hours outside all shifts
    has_disjoint_intervals: bool  # no time of the day is in two intervals, so their calls add up
    activity: Activity
    months: tuple[MonthRow, ...]
    inbound: Arrivals
    rules: Calls  # thresholds of the service level and of short abandons
    site_url: str  # for links to the explanation of a figure

    @property
    def quarter(self) -> str:
        """The quarter, such as 2026-Q3."""
        return periods.quarter_name(self.period.first)

    @property
    def is_whole_quarter(self) -> bool:
        """True if the period ends with the quarter, not on a date before."""
        next_day = self.period.last + dt.timedelta(days=1)
        return periods.quarter_name(next_day) != self.quarter

    @property
    def staff_total(self) -> int | None:
        """The number of people in all shifts together, if any shift has staff assigned."""
        staff_counts = [row.staff for row in self.intervals if row.staff is not None]
        return sum(staff_counts) if staff_counts else None

    @property
    def is_observed(self) -> bool:
        """True if Asterisk was observed in at least a part of the period.

        Otherwise the number of calls is unknown, not zero.
        """
        return self.calls.incoming is not None


def build_quarterly_report(
    settings: Settings, period: Period, locale: str = "uz_Cyrl"
) -> QuarterlyReport:
    """Count the figures of a quarter, or of its days up to a date; see periods.parse_quarter()."""
    balance = calls.ledger_balance(period.begin, period.end)
    shifts = staff_records.staffed_hours(period.last)
    arrivals = inbound.count_arrivals(period, settings.calls.service_level, _shift_edges(shifts))
    missed_list = missed_calls(period)
    answer = staff_records.quarter_answer(periods.quarter_name(period.first))
    interval_list, is_disjoint = interval_rows(arrivals, shifts, period, balance.unobserved)
    hotline_numbers = [plan_number.number for plan_number in routing.current_plan(settings).numbers]
    further_numbers = (answer.numbers if answer else "").split(",")
    return QuarterlyReport(
        locale=locale,
        period=period,
        calendar=catalogs.working_calendar(settings),
        made_at=clock.now(),
        formulas=kpi.FORMULAS_VERSION,
        balance=balance,
        calls=call_figures(arrivals, _count_outgoing(period), period, balance.unobserved),
        recovery=summarize_recovery(missed_list),
        menu_only=_count_menu_only(period),
        numbers=_distinct_numbers(
            settings.calls.hotline_number, *hotline_numbers, *further_numbers
        ),
        qualification=staff_records.qualification_counts(
            period.first, period.last, complete=bool(answer and answer.complete)
        ),
        intervals=interval_list,
        has_disjoint_intervals=is_disjoint,
        activity=count_activity(settings, period, balance, answer),
        months=tuple(_month_rows(period, arrivals, missed_list)),
        inbound=arrivals,
        rules=settings.calls,
        site_url=settings.web.url,
    )


def call_figures(
    arrivals: Arrivals,
    outgoing: tuple[int, int],
    period: Period,
    gaps: Sequence[Interval],
) -> CallFigures:
    """Return the figures of table 1.

    `outgoing` is a pair: the number of outgoing calls, and how many of them were answered. `gaps`
    are the intervals in which Asterisk was not observed. If they cover the whole period and no call
    is recorded, all figures are None (unknown).
    """
    placed, answered = outgoing
    is_observed = bool(arrivals.calls or placed) or is_any_observed(
        [(period.begin, period.end)], gaps
    )
    if not is_observed:
        return CallFigures(None, None, None, None, None, None, None)
    tally = arrivals.tally
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
    arrivals: Arrivals,
    shifts: Sequence[StaffedHours],
    period: Period,
    gaps: Sequence[Interval],
) -> tuple[tuple[IntervalRow, ...], bool]:
    """Return a row of counts for each shift, and whether the counts of all rows add up.

    A row counts the calls that arrived in the hours of the shift. The counts do not add up if
    shifts overlap. If the shifts do not cover the whole day, a last row has
    the calls outside all shifts. `gaps` are the intervals in which Asterisk was not observed: the
    counts of a shift without calls that lies within them on every day are None.
    """
    slot_times = [(slot, begin.time()) for begin, slot in arrivals.slots.items()]
    edges = {dt.time(), *_shift_edges(shifts)}
    # The number of shifts at each border; it is the same until the next one.
    coverage = [sum(shift.covers_time(edge) for shift in shifts) for edge in edges]
    rows = []
    for shift in shifts:
        shift_slots = [slot for slot, time in slot_times if shift.covers_time(time)]
        is_unknown = not shift_slots and not is_any_observed(_daily_intervals(shift, period), gaps)
        rows.append(
            IntervalRow(
                shift.opens,
                shift.closes,
                shift.staff,
                None if is_unknown else sum(slot.incoming for slot in shift_slots),
                None if is_unknown else sum(slot.accepted for slot in shift_slots),
            )
        )
    if 0 in coverage:
        other_slots = [
            slot
            for slot, time in slot_times
            if not any(shift.covers_time(time) for shift in shifts)
        ]
        is_unknown = not other_slots and not is_any_observed([(period.begin, period.end)], gaps)
        incoming = None if is_unknown else sum(slot.incoming for slot in other_slots)
        accepted = None if is_unknown else sum(slot.accepted for slot in other_slots)
        rows.append(IntervalRow(None, None, None, incoming, accepted))
    return tuple(rows), all(count <= 1 for count in coverage)


def _daily_intervals(shift: StaffedHours, period: Period) -> Iterator[Interval]:
    """Yield the intervals of a shift on each date of the period, in UTC.

    A shift that passes midnight is split there: both parts are yielded for the same date.
    """
    opens, closes = dt.time.fromisoformat(shift.opens), dt.time.fromisoformat(shift.closes)
    parts = [(opens, closes)] if opens < closes else [(dt.time(), closes), (opens, None)]
    for day in period.days:
        for begin, end in parts:
            end_day = day if end else day + dt.timedelta(days=1)
            yield (
                dt.datetime.combine(day, begin, period.tz).astimezone(dt.UTC),
                dt.datetime.combine(end_day, end or dt.time(), period.tz).astimezone(dt.UTC),
            )


def _distinct_numbers(*numbers: str) -> tuple[str, ...]:
    """Return each phone number once, in the given order, without empty ones."""
    return tuple(dict.fromkeys(number.strip() for number in numbers if number.strip()))


def _shift_edges(shifts: Iterable[StaffedHours]) -> list[dt.time]:
    """Return the times of the day at which shifts begin and end."""
    return [dt.time.fromisoformat(edge) for shift in shifts for edge in (shift.opens, shift.closes)]


def _count_outgoing(period: Period) -> tuple[int, int]:
    """Return the number of the period's outgoing calls, and how many of them were answered."""
    rows = Call.select(fn.COUNT(Call.id), count_where(ANSWERED.sql)).where(
        Call.direction == "outbound",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        ~Call.synthetic,
    )
    placed, answered = rows.tuples()[0]
    return placed, answered or 0


def _count_menu_only(period: Period) -> MenuOnlyCalls:
    """Count the period's missed calls that the menu alone served."""
    columns = count_where(Call.outcome == "self_served"), count_where(Call.outcome == "closed")
    rows = Call.select(*columns).where(
        Call.direction == "inbound",
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        ~Call.synthetic,
    )
    return MenuOnlyCalls(*(count or 0 for count in rows.tuples()[0]))


def _month_rows(
    period: Period, arrivals: Arrivals, missed: Sequence[MissedCall]
) -> Iterator[MonthRow]:
    """Yield a row for each month that overlaps the period.

    It has the numbers of the month's calls within the period: incoming and accepted ones from
    `arrivals`, missed and recovered ones from `missed`.
    """
    for first in sorted({day.replace(day=1) for day in period.days}):
        days = [day for day in period.days if day.replace(day=1) == first]
        month = Period(days[0], days[-1], period.tz)
        begin, end = microseconds_since_epoch(month.begin), microseconds_since_epoch(month.end)
        month_slots = [
            arrival_slot
            for slot_begin, arrival_slot in arrivals.slots.items()
            if slot_begin.date().replace(day=1) == first
        ]
        yield MonthRow(
            first,
            sum(slot.incoming for slot in month_slots),
            sum(slot.accepted for slot in month_slots),
            summarize_recovery([call for call in missed if begin <= call.arrived_at < end]),
        )
