"""The definition of each figure (docs/figures.md), computed from sums over calls.

The sums are counted by the database or from calls in memory. Reports, tiles, exports and alarms all
take their figures from here. FORMULAS_VERSION changes with every change that would change the value
of a figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from appliance.reports.shares import percentage
from appliance.reports.sums import ANSWERED, COUNTED, MARKS, CallGroup, tally_sums

FORMULAS_VERSION = "4"
ASA_TARGET_SECONDS = 20.0  # from joining the queue to the answer (terms of reference, T2)
SERVICE_LEVEL_TARGET_PERCENT = 80.0  # of calls answered within the service level's threshold
FEW_CASES = 5  # a figure based on fewer cases is marked
# the edges between the ranges of waiting times in charts and tables
WAIT_EDGES_SECONDS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)


@dataclass(frozen=True)
class Rate:
    """A figure and the number of cases that it is based on; `value` is None without any case."""

    value: float | None
    cases: int

    @property
    def few(self) -> bool:
        """True if the figure is based on too few cases to be reliable, and must be marked."""
        return 0 < self.cases < FEW_CASES


@dataclass(frozen=True)
class Tally:
    """Sums over inbound calls. Tallies of separate sets of calls can be added.

    All fields are counts of calls, or seconds where the name says so. `answered_from_queue` counts
    accepted calls that came from a queue; `eligible` counts accepted calls whose caller was still
    connected when the operator hung up, and so could give a mark. A short abandon is a call that
    was abandoned in the queue within settings.calls.short_abandon seconds.
    """

    incoming: int = 0  # all calls of the tally
    accepted: int = 0
    open: int = 0  # in progress
    joined: int = 0  # calls that joined a queue; short abandons are excluded
    abandoned: int = 0  # in the queue; short abandons are excluded
    short: int = 0  # short abandons
    answered_from_queue: int = 0
    quick: int = 0  # of `answered_from_queue`, within the service level's threshold
    wait_seconds: float = 0.0  # of `answered_from_queue`
    menu_seconds: float = 0.0  # of `answered_from_queue`, before they joined the queue
    talk_seconds: float = 0.0  # of `accepted`
    hold_seconds: float = 0.0  # of `accepted`
    eligible: int = 0
    responded: int = 0  # of `eligible`, calls whose caller gave a mark
    mark_1: int = 0
    mark_2: int = 0
    mark_3: int = 0
    mark_4: int = 0
    mark_5: int = 0

    def __add__(self, other: Self) -> Self:
        """Return the tally of the calls of this and the other tally; no call may be in both."""
        names = [field.name for field in fields(self)]
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def missed(self) -> int:
        """The number of incoming calls that ended without being accepted."""
        return self.incoming - self.open - self.accepted

    @property
    def answer_speed(self) -> Rate:
        """Average speed of answer (ASA): seconds from joining the queue to an operator's answer."""
        return mean_rate(self.wait_seconds, self.answered_from_queue)

    @property
    def answer_speed_from_arrival(self) -> Rate:
        """Average seconds from the call's arrival to an operator's answer."""
        return mean_rate(self.menu_seconds + self.wait_seconds, self.answered_from_queue)

    @property
    def service_level(self) -> Rate:
        """The percentage of calls answered within the threshold after joining the queue.

        It is a percentage of all answered calls and of those abandoned in the queue, except short
        abandons.
        """
        return percentage_rate(self.quick, self.accepted + self.abandoned)

    @property
    def abandon_rate(self) -> Rate:
        """The percentage of the calls that joined a queue that were abandoned there.

        Short abandons are left out of both counts.
        """
        return percentage_rate(self.abandoned, self.joined)

    @property
    def talk(self) -> Rate:
        """Average talk seconds of an accepted call."""
        return mean_rate(self.talk_seconds, self.accepted)

    @property
    def handling(self) -> Rate:
        """Average handling time (AHT): seconds of talk and hold of an accepted call."""
        return mean_rate(self.talk_seconds + self.hold_seconds, self.accepted)

    @property
    def marks(self) -> list[int]:
        """The number of callers who gave each mark, in the order of MARKS."""
        return [getattr(self, f"mark_{mark}") for mark in MARKS]

    @property
    def rating(self) -> Rate:
        """The mean mark, 1 to 5; never printed without `rating_response`."""
        marks = self.marks
        total = sum(mark * count for mark, count in zip(MARKS, marks, strict=True))
        return mean_rate(float(total), sum(marks))

    @property
    def rating_response(self) -> Rate:
        """The percentage of the callers who could give a mark (`eligible`) that gave one."""
        return percentage_rate(self.responded, self.eligible)


def tally_groups(groups: Iterable[CallGroup], service_level_seconds: float = 0.0) -> Tally:
    """Return the tally of the incoming calls in groups of calls in memory.

    `service_level_seconds` is the threshold of the service level; it may be omitted if that figure
    is not needed.
    """
    counted_groups = incoming_groups(groups)
    return Tally(
        **{
            name: tally_sum.add_up(counted_groups)
            for name, tally_sum in tally_sums(service_level_seconds).items()
        }
    )


def incoming_groups(groups: Iterable[CallGroup]) -> list[CallGroup]:
    """Return the groups of incoming calls: of all calls except rejected calls and test calls."""
    return [
        group
        for group in groups
        if COUNTED.holds(group.sample_call) and not group.sample_call.synthetic
    ]


def accepted_calls_by_wait(groups: Iterable[CallGroup], edges: Sequence[float]) -> list[int]:
    """Return the number of accepted calls in each range of waiting seconds.

    The first range ends at the first edge, the last one begins after the last edge. An edge belongs
    to the range below it. Calls that were accepted without joining a queue are left out.
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
    """Return the mean of a total over a number of cases; its value is None for 0 cases."""
    return Rate(total / cases if cases else None, cases)


def percentage_rate(part: float, cases: int) -> Rate:
    """Return a part as a percentage of a number of cases; its value is None for 0 cases."""
    return Rate(percentage(part, cases), cases)
