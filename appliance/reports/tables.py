"""The tables of report form №2: counts and shares by half of the day, and by the rows of a list."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.core.clock import WorkingCalendar
from appliance.core.intervals import Interval, merged
from appliance.reports.periods import Period
from appliance.reports.shares import shares, whole

type Cell = tuple[int, bool]  # weekday 1-7 from Monday, inside working hours


@dataclass(frozen=True)
class Split:
    """One row: what came inside and outside working hours. None: unknown, or no share."""

    inside: int | None
    inside_share: Decimal | None
    outside: int | None
    outside_share: Decimal | None


@dataclass(frozen=True)
class WeekdayTable:
    """Seven rows from Monday, and their sum."""

    days: tuple[Split, ...]
    total: Split


@dataclass(frozen=True)
class Count:
    """One row of a list: how many, and their share in per cent."""

    code: str | None  # None: what fits no row of the list
    name: str
    count: int
    share: Decimal | None


@dataclass(frozen=True)
class CountTable:
    """The rows of a list in the form's order, and their sum."""

    rows: tuple[Count, ...]
    total: int
    total_share: Decimal | None


def by_weekday(
    arrived: Mapping[dt.datetime, int],
    calendar: WorkingCalendar,
    unknown: Iterable[Cell] = (),
) -> WeekdayTable:
    """Count what arrived at moments of the site's clock (how many at each).

    A cell in `unknown` with nothing counted is None, not zero.
    """
    counted: Counter[Cell] = Counter()
    for moment, many in arrived.items():
        working = calendar.inside(moment.replace(tzinfo=calendar.tz))
        counted[moment.isoweekday(), working] += many
    unknown = set(unknown)
    inside, outside = (
        _column(
            [
                None if (d, half) in unknown and not counted[d, half] else counted[d, half]
                for d in range(1, 8)
            ]
        )
        for half in (True, False)
    )
    rows = [Split(*left, *right) for left, right in zip(inside, outside, strict=True)]
    return WeekdayTable(tuple(rows[:-1]), rows[-1])


def by_list(
    counts_of: Mapping[str | None, int], names: Mapping[str, str], unlisted: str
) -> CountTable:
    """Counts of codes against a list (code → name, in the form's order).

    What is not on the list gets a last row, `unlisted`, only when there is any: so the sum is that
    of the other tables.
    """
    counted: Counter[str | None] = Counter()
    for code, many in counts_of.items():
        counted[code if code in names else None] += many
    rows: list[tuple[str | None, str]] = list(names.items())
    if counted[None]:
        rows.append((None, unlisted))
    counts = [counted[code] for code, _ in rows]
    total = sum(counts)
    return CountTable(
        tuple(
            Count(code, name, count, share)
            for (code, name), count, share in zip(rows, counts, shares(counts), strict=True)
        ),
        total,
        whole(total),
    )


def ever_observed(intervals: Iterable[Interval], gaps: Sequence[Interval]) -> bool:
    """Whether any of these intervals was seen, at least for a moment."""
    joined = merged(gaps)
    return any(
        begin < end and not any(low <= begin and end <= high for low, high in joined)
        for begin, end in intervals
    )


def never_observed(
    period: Period, calendar: WorkingCalendar, gaps: Sequence[Interval]
) -> set[Cell]:
    """The cells of which no moment of the period was observed: their calls are unknown."""
    if not gaps:
        return set()
    cells: set[Cell] = set()
    observed: set[Cell] = set()
    joined = merged(gaps)
    for day in period.days:
        for cell, begin, end in _halves(day, calendar):
            cells.add(cell)
            if not any(low <= begin and end <= high for low, high in joined):
                observed.add(cell)
    return cells - observed


def _column(counts: list[int | None]) -> list[tuple[int | None, Decimal | None]]:
    """Seven counts with their shares, and the sum; unknown when it would be a doubtful zero."""
    known = [count for count in counts if count is not None]
    found = iter(shares(known))
    rows = [(count, None if count is None else next(found)) for count in counts]
    total = sum(known) or (0 if None not in counts else None)
    return [*rows, (total, whole(total or 0))]


def _halves(
    day: dt.date, calendar: WorkingCalendar
) -> Iterable[tuple[Cell, dt.datetime, dt.datetime]]:
    """The intervals of a date before, in and after working hours."""
    edges = [
        dt.datetime.combine(date, time, calendar.tz).astimezone(dt.UTC)
        for date, time in (
            (day, dt.time()),
            (day, calendar.opens),
            (day, calendar.closes),
            (day + dt.timedelta(days=1), dt.time()),
        )
    ]
    for begin, end, middle in zip(edges, edges[1:], (False, True, False), strict=False):
        if begin < end:
            yield (day.isoweekday(), middle and calendar.works_on(day)), begin, end
