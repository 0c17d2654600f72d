"""Intervals of time, each a (begin, end): put together, and measured.

Moments have a zone, or are whole microseconds since 1970, as figures add them up.
"""

import datetime as dt
from collections.abc import Iterable

type Interval = tuple[dt.datetime, dt.datetime]  # the end is no part of it


def merged[T: (dt.datetime, int)](intervals: Iterable[tuple[T, T]]) -> list[tuple[T, T]]:
    """In order, those that touch or overlap made one; what is empty is left out."""
    made: list[tuple[T, T]] = []
    for begin, end in sorted(one for one in intervals if one[0] < one[1]):
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return made


def without[T: (dt.datetime, int)](
    wholes: Iterable[tuple[T, T]], holes: Iterable[tuple[T, T]]
) -> list[tuple[T, T]]:
    """What is left of intervals when others are taken out of them, in order."""
    pieces = merged(wholes)
    for begin, end in holes:
        cut = [((b, min(e, begin)), (max(b, end), e)) for b, e in pieces]
        pieces = [piece for pair in cut for piece in pair if piece[0] < piece[1]]
    return pieces


def total(intervals: Iterable[Interval]) -> float:
    """Seconds of all of them, those that overlap counted twice."""
    return sum((end - begin).total_seconds() for begin, end in intervals)
