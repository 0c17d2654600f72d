"""Intervals of time, each a (begin, end): merging, subtracting and measuring them.

The ends are aware datetimes, or integers in microseconds since 1970.
"""

import datetime as dt
from collections.abc import Iterable

type Interval = tuple[dt.datetime, dt.datetime]  # the end is exclusive


def merge_intervals[T: (dt.datetime, int)](intervals: Iterable[tuple[T, T]]) -> list[tuple[T, T]]:
    """Return the intervals in order, with touching or overlapping ones merged and no empty ones."""
    result: list[tuple[T, T]] = []
    for begin, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def subtract_intervals[T: (dt.datetime, int)](
    intervals: Iterable[tuple[T, T]], holes: Iterable[tuple[T, T]]
) -> list[tuple[T, T]]:
    """Return what remains of the intervals outside the intervals `holes`, merged and in order."""
    pieces = merge_intervals(intervals)
    for begin, end in holes:
        # Of each piece, what is before the hole and what is after it; both can be empty (the end
        # is not after the begin), and empty ones are dropped.
        remainders = [((b, min(e, begin)), (max(b, end), e)) for b, e in pieces]
        pieces = [piece for pair in remainders for piece in pair if piece[0] < piece[1]]
    return pieces


def total_seconds(intervals: Iterable[Interval]) -> float:
    """Return the sum of the intervals' lengths in seconds; overlapping parts are counted twice."""
    return sum((end - begin).total_seconds() for begin, end in intervals)
