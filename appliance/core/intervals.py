"""Intervals of time, each a (begin, end): put together, and measured."""

import datetime as dt
from collections.abc import Iterable

type Interval = tuple[dt.datetime, dt.datetime]  # the end is no part of it


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, those that touch or overlap made one; what is empty is left out."""
    made: list[Interval] = []
    for begin, end in sorted(one for one in intervals if one[0] < one[1]):
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return made


def without(wholes: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What is left of intervals when others are taken out of them, in order."""
    pieces = merged(wholes)
    for begin, end in holes:
        cut = [((b, min(e, begin)), (max(b, end), e)) for b, e in pieces]
        pieces = [piece for pair in cut for piece in pair if piece[0] < piece[1]]
    return pieces


def total(intervals: Iterable[Interval]) -> float:
    """Seconds of all of them, those that overlap counted twice."""
    return sum((end - begin).total_seconds() for begin, end in intervals)
