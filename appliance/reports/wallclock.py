"""The site's wall clock in the database: what it showed when a call arrived."""

import datetime as dt
import functools
import math
from collections.abc import Iterable, Iterator

from peewee import Case, Expression, Field, Node

from appliance.core.clock import microseconds
from appliance.models import Call
from appliance.reports.periods import Period

HOUR, DAY = 3600 * 10**6, 86_400 * 10**6  # microseconds
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  a wall clock's
_MONDAY = 3  # 1970-01-01 was a Thursday


def local(period: Period, at: Field = Call.arrived_at) -> Node:
    """The site's wall clock at a call's arrival, as microseconds since 1970.

    `at`: another column of moments than that of calls.

    A zone that puts its clock on within the period has an offset for each stretch.
    """
    edges = [day for day in _changes(period)]
    offset: Node | int = _offset(period.begin, period)
    if edges:
        stretches = [(at < edge, _offset(before, period)) for before, edge in edges]
        offset = Case(None, stretches, _offset(period.end, period))
    return at + offset


def shown(period: Period, stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What the wall clock showed meanwhile, each in one piece or parted where its clock is put on.

    Microseconds since 1970: of UTC, and on the wall clock.
    """
    known = _changes(period)
    edges = [microseconds(edge) for _, edge in known]
    offsets = [_offset(before, period) for before, _ in known] + [_offset(period.end, period)]
    for begin, end in stretches:
        for since, until, offset in zip([begin, *edges], [*edges, end], offsets, strict=True):
            first, last = max(begin, since), min(end, until)
            if first < last:
                yield first + offset, last + offset


@functools.lru_cache(maxsize=32)  # asked for by each figure of a report
def _changes(period: Period) -> list[tuple[dt.datetime, dt.datetime]]:
    """Moments at which the zone's offset changes, each with the day before."""
    found = []
    for day in period.days:
        one = Period(day, day, period.tz)
        begin, end = one.begin, one.end
        if _offset(begin, period) != _offset(end, period):
            moment = begin
            while _offset(moment, period) == _offset(begin, period):
                moment += dt.timedelta(minutes=15)
            found.append((begin, moment))
    return found


def _offset(moment: dt.datetime, period: Period) -> int:
    offset = moment.astimezone(period.tz).utcoffset() or dt.timedelta()
    return int(offset.total_seconds()) * 10**6


def width(times: Iterable[dt.time]) -> int:
    """Microseconds of stretches of the clock, an hour at most, none of which reaches over one of
    these times of the day."""
    seconds = (time.hour * 3600 + time.minute * 60 + time.second for time in times)
    return math.gcd(3600, *seconds) * 10**6


def moment(microseconds: int) -> dt.datetime:
    """What the wall clock shows so long after 1970 began on it."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def hour(period: Period) -> Node:
    """The hour of the day, 0 to 23."""
    return _rest(local(period) / HOUR, 24)


def weekday(period: Period) -> Node:
    """1 is Monday."""
    return _rest(local(period) / DAY + _MONDAY, 7) + 1


def of_the_day(period: Period) -> Node:
    """Microseconds since midnight."""
    return _rest(local(period), DAY)


def between(rest: Node, opens: dt.time, closes: dt.time) -> Expression:
    """Of microseconds of the day: from a time on, up to another, over midnight when it is later."""
    low, high = ((edge.hour * 60 + edge.minute) * 60 * 10**6 for edge in (opens, closes))
    if low < high:
        return (rest >= low) & (rest < high)
    return (rest >= low) | (rest < high)


def _rest(whole: Node, of: int) -> Node:
    """The rest of a division; peewee takes Python's own sign for LIKE."""
    return whole - whole / of * of
