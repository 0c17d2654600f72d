"""The definition of each figure (docs/figures.md), over sums made in SQL or over calls in memory.

Reports, tiles, exports and alarms all take their figures from here. FORMULAS_VERSION changes
whenever the value of a figure would change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from appliance.reports.shares import percentage
from appliance.reports.sums import ANSWERED, COUNTED, MARKS, CallGroup, tally_sums

FORMULAS_VERSION = "3"
ASA_TARGET_SECONDS = 20.0  # from joining the queue to the answer (terms of reference, T2)
SERVICE_LEVEL_TARGET_PERCENT = 80.0  # of calls answered within the service level's seconds
FEW_CASES = 5  # a rate over fewer cases is marked
WAIT_EDGES_SECONDS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)


@dataclass(frozen=True)
class Rate:
    """A figure and the number of cases it is based on; without cases it has no value."""

    value: float | None
    cases: int

    @property
    def few(self) -> bool:
        """True if the figure is based on too few cases to be reliable, and must be marked."""
        return 0 < self.cases < FEW_CASES


@dataclass(frozen=True)
class Tally:
    """The sums over inbound calls; the tallies of parts add up to the tally of all calls.

    All fields are counts of calls, or seconds where the name says so. `waited` counts accepted
    calls that waited in a queue; `eligible` those whose caller was still connected when the
    operator hung up.
    """

    incoming: int = 0
    accepted: int = 0
    open: int = 0
    joined: int = 0  # calls that joined a queue; short abandons are excluded
    abandoned: int = 0  # in the queue; short abandons are excluded
    short: int = 0
    waited: int = 0
    quick: int = 0  # of `waited`, within the service level's seconds
    wait_seconds: float = 0.0  # of `waited`
    menu_seconds: float = 0.0  # of `waited`, before they joined the queue
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
        """Incoming calls that ended without being accepted; calls in progress are not counted."""
        return self.incoming - self.open - self.accepted

    @property
    def answer_speed(self) -> Rate:
        """Average seconds from joining the queue to an operator's answer (ASA)."""
        return mean_rate(self.wait_seconds, self.waited)

    @property
    def answer_speed_from_arrival(self) -> Rate:
        """Average seconds from the call's arrival to an operator's answer."""
        return mean_rate(self.menu_seconds + self.wait_seconds, self.waited)

    @property
    def service_level(self) -> Rate:
        """Per cent of calls answered within the service level's seconds of joining the queue.

        The base is the calls that were answered and those abandoned in the queue; short abandons
        are excluded.
        """
        return percentage_rate(self.quick, self.accepted + self.abandoned)

    @property
    def abandon_rate(self) -> Rate:
        """Per cent of calls that joined a queue and were abandoned there, without short ones."""
        return percentage_rate(self.abandoned, self.joined)

    @property
    def talk(self) -> Rate:
        """Average talk seconds of an accepted call."""
        return mean_rate(self.talk_seconds, self.accepted)

    @property
    def handling(self) -> Rate:
        """AHT: average seconds of talk and hold of an accepted call."""
        return mean_rate(self.talk_seconds + self.hold_seconds, self.accepted)

    @property
    def marks(self) -> list[int]:
        """The number of callers who gave each of the MARKS."""
        return [getattr(self, f"mark_{mark}") for mark in MARKS]

    @property
    def rating(self) -> Rate:
        """The mean mark, 1 to 5; never printed without the response rate."""
        marks = self.marks
        total = sum(mark * count for mark, count in zip(MARKS, marks, strict=True))
        return mean_rate(float(total), sum(marks))

    @property
    def rating_response(self) -> Rate:
        """Per cent of raters among answered callers still connected when the operator hung up."""
        return percentage_rate(self.responded, self.eligible)


def tally_groups(groups: Iterable[CallGroup], service_level_seconds: float = 0.0) -> Tally:
    """Return the tally of groups of calls in memory.

    `service_level_seconds` is the threshold of the service level.
    """
    counted_groups = incoming_groups(groups)
    return Tally(
        **{
            name: tally_sum.add_up(counted_groups)
            for name, tally_sum in tally_sums(service_level_seconds).items()
        }
    )


def incoming_groups(groups: Iterable[CallGroup]) -> list[CallGroup]:
    """Return the calls that count as incoming: all except rejected and synthetic test calls."""
    return [
        group
        for group in groups
        if COUNTED.holds(group.sample_call) and not group.sample_call.synthetic
    ]


def accepted_calls_by_wait(groups: Iterable[CallGroup], edges: Sequence[float]) -> list[int]:
    """Return the number of accepted calls in each range of waiting seconds.

    The first range ends at the first edge (included), the last one begins after the last edge.
    """
    bounds = (float("-inf"), *edges, float("inf"))
    waits = [
        (group.sample_call.wait_seconds, group.calls)
        for group in incoming_groups(groups)
        if ANSWERED.holds(group.sample_call) and group.sample_call.wait_seconds is not None
    ]
    return [
        sum(calls for wait, calls in waits if low < wait <= high) for low, high in pairwise(bounds)
    ]


def mean_rate(total: float, cases: int) -> Rate:
    """Return the mean of a total over a number of cases."""
    return Rate(total / cases if cases else None, cases)


def percentage_rate(part: float, cases: int) -> Rate:
    """Return a part in per cent of a number of cases."""
    return Rate(percentage(part, cases), cases)
