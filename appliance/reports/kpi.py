"""What each figure means (docs/figures.md): over sums that the database or a list of calls gives.

Reports, tiles, exports and alarms all count here. FORMULAS changes whenever a figure would.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from appliance.reports.sums import ANSWERED, COUNTED, MARKS, Group, sums

FORMULAS = "3"
ASA_TARGET = 20.0  # seconds from joining the queue (terms of reference, T2)
SERVICE_TARGET = 80.0  # per cent answered within the service level's seconds
FEW = 5  # a rate over fewer cases is marked
WAIT_EDGES = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)  # seconds


@dataclass(frozen=True)
class Rate:
    """A figure and the number of cases it stands on; no cases, no value."""

    value: float | None
    cases: int

    @property
    def few(self) -> bool:
        """Whether it must be marked: so few cases say little."""
        return 0 < self.cases < FEW


@dataclass(frozen=True)
class Tally:
    """What inbound calls add up to; tallies of parts add up to that of the whole.

    All are counts of calls, or seconds where the name says so. `waited` are accepted calls that
    stood in a queue; `eligible` those whose caller was still there when the operator left.
    """

    incoming: int = 0
    accepted: int = 0
    open: int = 0
    joined: int = 0  # a queue; short abandons left out
    abandoned: int = 0  # in the queue; short ones left out
    short: int = 0
    waited: int = 0
    quick: int = 0  # of `waited`, within the service level's seconds
    wait_seconds: float = 0.0  # of `waited`
    menu_seconds: float = 0.0  # of `waited`, before they joined
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0
    eligible: int = 0
    responded: int = 0  # of `eligible`
    mark_1: int = 0
    mark_2: int = 0
    mark_3: int = 0
    mark_4: int = 0
    mark_5: int = 0

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def missed(self) -> int:
        """Incoming less accepted; a call that still goes on is neither yet."""
        return self.incoming - self.open - self.accepted

    @property
    def answer_speed(self) -> Rate:
        """Average seconds from joining the queue to an operator's answer (ASA)."""
        return _mean(self.wait_seconds, self.waited)

    @property
    def answer_speed_from_arrival(self) -> Rate:
        """Average seconds from the call's arrival to an operator's answer."""
        return _mean(self.menu_seconds + self.wait_seconds, self.waited)

    @property
    def service_level(self) -> Rate:
        """Per cent answered within the level's seconds of joining the queue, of the calls answered
        and those abandoned in the queue; short abandons are left out."""
        return _per_cent(self.quick, self.accepted + self.abandoned)

    @property
    def abandon_rate(self) -> Rate:
        """Per cent of those who joined a queue that hung up there; short ones left out."""
        return _per_cent(self.abandoned, self.joined)

    @property
    def talk(self) -> Rate:
        """Average seconds of talk of an accepted call."""
        return _mean(self.talk_seconds, self.accepted)

    @property
    def handling(self) -> Rate:
        """AHT: average seconds of talk and hold of an accepted call."""
        return _mean(self.talk_seconds + self.hold_seconds, self.accepted)

    @property
    def marks(self) -> list[int]:
        """How many gave each of the MARKS."""
        return [getattr(self, f"mark_{mark}") for mark in MARKS]

    @property
    def rating(self) -> Rate:
        """The mean mark, 1 to 5. Never printed without the response rate."""
        marks = self.marks
        total = sum(mark * count for mark, count in zip(MARKS, marks, strict=True))
        return _mean(float(total), sum(marks))

    @property
    def rating_response(self) -> Rate:
        """Per cent who rated, of the answered callers who were there when the operator left."""
        return _per_cent(self.responded, self.eligible)


def tally(groups: Iterable[Group], seconds: float = 0.0) -> Tally:
    """What calls at hand add up to; `seconds`: the service level's."""
    taken = incoming(groups)
    return Tally(**{name: one.over(taken) for name, one in sums(seconds).items()})


def incoming(groups: Iterable[Group]) -> list[Group]:
    """Calls that came in on the line: all but rejected ones and synthetic test calls."""
    return [one for one in groups if COUNTED.holds(one.like) and not one.like.synthetic]


def by_wait(groups: Iterable[Group], edges: Sequence[float]) -> list[int]:
    """Accepted calls by seconds of wait: to the first edge (included), …, beyond the last."""
    bounds = (float("-inf"), *edges, float("inf"))
    waited = [
        (one.like.wait_seconds, one.calls)
        for one in incoming(groups)
        if ANSWERED.holds(one.like) and one.like.wait_seconds is not None
    ]
    return [
        sum(calls for wait, calls in waited if low < wait <= high) for low, high in pairwise(bounds)
    ]


def _mean(total: float, cases: int) -> Rate:
    return Rate(total / cases if cases else None, cases)


def _per_cent(part: int, whole: int) -> Rate:
    return Rate(100 * part / whole if whole else None, whole)
