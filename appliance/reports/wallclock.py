"""The site's wall clock in SQL: the local time at which a call arrived."""

import datetime as dt
import functools
import math
from collections.abc import Iterable, Iterator

from peewee import Case, Expression, Field, Node

from appliance.core.clock import microseconds_since_epoch
from appliance.models import Call
from appliance.reports.periods import Period

HOUR_MICROSECONDS, DAY_MICROSECONDS = 3600 * 10**6, 86_400 * 10**6
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  a wall clock's
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def local_microseconds(period: Period, column: Field = Call.arrived_at) -> Node:
    """Return the SQL for a call's arrival in local time, in microseconds since 1970.

    `column` is the column of datetimes to convert; they must be in the period, whose time zone is
    the local one. If the zone's offset from UTC changes within the period, the SQL chooses the
    offset by the time of each row.
    """
    changes = _offset_changes(period)
    offset: Node | int = _utc_offset_microseconds(period.begin, period)
    if changes:
        offsets = [
            (column < edge, _utc_offset_microseconds(before, period)) for before, edge in changes
        ]
        offset = Case(None, offsets, _utc_offset_microseconds(period.end, period))
    return column + offset


def wall_clock_intervals(
    period: Period, intervals: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield each interval in local time, split where the zone's offset from UTC changes.

    `intervals` are in microseconds since 1970 in UTC, and lie within the period; the yielded ones
    are in microseconds since 1970 in local time.
    """
    changes = _offset_changes(period)
    edges = [microseconds_since_epoch(edge) for _, edge in changes]
    offsets = [_utc_offset_microseconds(before, period) for before, _ in changes] + [
        _utc_offset_microseconds(period.end, period)
    ]
    for begin, end in intervals:
        for since, until, offset in zip([begin, *edges], [*edges, end], offsets, strict=True):
            first, last = max(begin, since), min(end, until)
            if first < last:
                yield first + offset, last + offset


@functools.lru_cache(maxsize=32)  # called for each figure of a report
def _offset_changes(period: Period) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the changes of the zone's offset from UTC in the period, in order.

    Each is a pair of UTC times: the beginning of the day, when the old offset is still valid, and
    the time of the change.
    """
    changes = []
    for day in period.days:
        single_day = Period(day, day, period.tz)
        begin, end = single_day.begin, single_day.end
        if _utc_offset_microseconds(begin, period) != _utc_offset_microseconds(end, period):
            moment = begin
            while _utc_offset_microseconds(moment, period) == _utc_offset_microseconds(
                begin, period
            ):
                moment += dt.timedelta(minutes=15)  # offsets change at a quarter of an hour
            changes.append((begin, moment))
    return changes


def _utc_offset_microseconds(moment: dt.datetime, period: Period) -> int:
    """Return the offset of the period's time zone from UTC at a moment, in microseconds."""
    offset = moment.astimezone(period.tz).utcoffset() or dt.timedelta()
    return int(offset.total_seconds()) * 10**6


def slot_width(times: Iterable[dt.time]) -> int:
    """Return the width of time slots in microseconds, at most an hour.

    It is chosen so that each of `times` is a border between two slots.
    """
    seconds = (time.hour * 3600 + time.minute * 60 + time.second for time in times)
    return math.gcd(3600, *seconds) * 10**6


def wall_clock_datetime(microseconds: int) -> dt.datetime:
    """Return the naive local datetime for microseconds since 1970 in local time."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def hour_of_day(period: Period) -> Node:
    """Return the SQL for the local hour of the day, 0 to 23, at which a call arrived."""
    return _remainder(local_microseconds(period) / HOUR_MICROSECONDS, 24)


def weekday_number(period: Period) -> Node:
    """Return the SQL for the local weekday on which a call arrived; 1 is Monday."""
    return _remainder(local_microseconds(period) / DAY_MICROSECONDS + _EPOCH_WEEKDAY, 7) + 1


def microseconds_of_day(period: Period) -> Node:
    """Return the SQL for the microseconds from local midnight to the arrival of a call."""
    return _remainder(local_microseconds(period), DAY_MICROSECONDS)


def time_of_day_condition(time_of_day: Node, opens: dt.time, closes: dt.time) -> Expression:
    """Return the SQL condition that a time of day lies between two times, the second one excluded.

    `time_of_day` is in microseconds since midnight. The range extends over midnight if `opens` is
    later than `closes`, and is the whole day if they are equal.
    """
    low, high = ((edge.hour * 60 + edge.minute) * 60 * 10**6 for edge in (opens, closes))
    if low < high:
        return (time_of_day >= low) & (time_of_day < high)
    return (time_of_day >= low) | (time_of_day < high)


def _remainder(dividend: Node, divisor: int) -> Node:
    """Return the SQL for the remainder of a division, because peewee translates % into LIKE."""
    return dividend - dividend / divisor * divisor
