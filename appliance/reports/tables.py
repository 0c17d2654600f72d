"""The tables of report form №2: counts by weekday and working hours, or by the codes of a list."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.core.clock import WorkingCalendar
from appliance.core.intervals import Interval, merge_intervals
from appliance.reports.periods import Period
from appliance.reports.shares import percentage_shares, total_share

# a cell of the weekday table: weekday (1 is Monday), whether inside working hours
type Cell = tuple[int, bool]


@dataclass(frozen=True)
class HoursSplit:
    """One row: counts and shares (in per cent) inside and outside working hours.

    A count is None if it is unknown; a share is None if the count is, or all counts are zero.
    """

    inside: int | None
    inside_share: Decimal | None
    outside: int | None
    outside_share: Decimal | None

    @property
    def known_count(self) -> int:
        """The sum of the counts that are known."""
        return (self.inside or 0) + (self.outside or 0)


@dataclass(frozen=True)
class WeekdayTable:
    """Counts by weekday: seven rows from Monday, and the row of totals."""

    days: tuple[HoursSplit, ...]
    total: HoursSplit


@dataclass(frozen=True)
class CountRow:
    """One row of a CountTable: a code's name, its count, and its share in per cent."""

    code: str | None  # None for the row of all codes that are not on the list
    name: str
    count: int
    share: Decimal | None  # None if all counts of the table are zero


@dataclass(frozen=True)
class CountTable:
    """Counts by the codes of a list, in the order of the report form, and their total."""

    rows: tuple[CountRow, ...]
    total: int
    total_share: Decimal | None  # 100.0, unless the total is zero

    @property
    def counts_by_code(self) -> dict[str | None, int]:
        """The count of each row, by its code."""
        return {row.code: row.count for row in self.rows}


def count_by_weekday(
    arrivals: Mapping[dt.datetime, int],
    calendar: WorkingCalendar,
    unknown: Iterable[Cell] = (),
) -> WeekdayTable:
    """Count arrivals by weekday, inside and outside working hours.

    `arrivals` is the number of arrivals by local time. `unknown` are the cells that were not
    observed: their count is None, not zero, if there are no arrivals.
    """
    counts: Counter[Cell] = Counter()
    for local_time, count in arrivals.items():
        working = calendar.is_working_time(local_time.replace(tzinfo=calendar.tz))
        counts[local_time.isoweekday(), working] += count
    unknown = set(unknown)
    inside, outside = (
        _column_with_shares(
            [
                None
                if (day, is_inside) in unknown and not counts[day, is_inside]
                else counts[day, is_inside]
                for day in range(1, 8)
            ]
        )
        for is_inside in (True, False)
    )
    rows = [
        HoursSplit(*inside_cells, *outside_cells)
        for inside_cells, outside_cells in zip(inside, outside, strict=True)
    ]
    return WeekdayTable(tuple(rows[:-1]), rows[-1])


def count_by_list(
    counts_of: Mapping[str | None, int], names: Mapping[str, str], unlisted: str
) -> CountTable:
    """Return the table of the counts of a list's codes.

    `counts_of` are the counts by code, `names` the names by code in the order of the report form.
    Codes that are not on the list share a last row named `unlisted`, if they have counts, so that
    the total equals that of the other tables.
    """
    count_of_code: Counter[str | None] = Counter()
    for code, code_count in counts_of.items():
        count_of_code[code if code in names else None] += code_count
    rows: list[tuple[str | None, str]] = list(names.items())
    if count_of_code[None]:
        rows.append((None, unlisted))
    counts = [count_of_code[code] for code, _ in rows]
    total = sum(counts)
    return CountTable(
        tuple(
            CountRow(code, name, count, share)
            for (code, name), count, share in zip(
                rows, counts, percentage_shares(counts), strict=True
            )
        ),
        total,
        total_share(total),
    )


def is_any_observed(intervals: Iterable[Interval], gaps: Sequence[Interval]) -> bool:
    """Return True if any part of the intervals was observed, that is, outside all gaps."""
    merged_gaps = merge_intervals(gaps)
    return any(
        begin < end and not any(low <= begin and end <= high for low, high in merged_gaps)
        for begin, end in intervals
    )


def unobserved_cells(
    period: Period, calendar: WorkingCalendar, gaps: Sequence[Interval]
) -> set[Cell]:
    """Return the cells of the weekday table whose calls are unknown.

    These are the cells of which no part was observed in the period; `gaps` were not observed.
    """
    if not gaps:
        return set()
    cells: set[Cell] = set()
    observed_cells: set[Cell] = set()
    merged_gaps = merge_intervals(gaps)
    for day in period.days:
        for cell, begin, end in _half_day_intervals(day, calendar):
            cells.add(cell)
            if not any(low <= begin and end <= high for low, high in merged_gaps):
                observed_cells.add(cell)
    return cells - observed_cells


def _column_with_shares(counts: list[int | None]) -> list[tuple[int | None, Decimal | None]]:
    """Return (count, share) of each of seven counts and of their total.

    An unknown count is None. The total is None if it would be zero and a count is unknown.
    """
    known_counts = [count for count in counts if count is not None]
    known_shares = iter(percentage_shares(known_counts))
    rows = [(count, None if count is None else next(known_shares)) for count in counts]
    total = sum(known_counts) or (0 if None not in counts else None)
    return [*rows, (total, total_share(total or 0))]


def _half_day_intervals(
    day: dt.date, calendar: WorkingCalendar
) -> Iterable[tuple[Cell, dt.datetime, dt.datetime]]:
    """Yield (cell, begin, end) of a date's hours before, in and after working hours, in UTC.

    On a day off, all three are in the cell outside working hours.
    """
    edges = [
        dt.datetime.combine(date, time, calendar.tz).astimezone(dt.UTC)
        for date, time in (
            (day, dt.time()),
            (day, calendar.opens),
            (day, calendar.closes),
            (day + dt.timedelta(days=1), dt.time()),
        )
    ]
    for begin, end, is_working_time in zip(edges, edges[1:], (False, True, False), strict=False):
        if begin < end:
            yield (day.isoweekday(), is_working_time and calendar.is_working_day(day)), begin, end
