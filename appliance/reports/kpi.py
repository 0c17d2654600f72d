"""What each figure means (KPI.md): pure functions over the inbound calls of a period.

Reports, tiles, exports and alarms all count here. FORMULAS changes whenever a figure would.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

FORMULAS = "1"
ASA_TARGET = 20.0  # seconds from joining the queue (terms of reference, T2)
SERVICE_TARGET = 80.0  # per cent answered within the service level's seconds
FEW = 5  # a rate over fewer cases is marked
MARKS = (1, 2, 3, 4, 5)
WAIT_EDGES = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)  # seconds


@dataclass(frozen=True, slots=True)
class Inbound:
    """One inbound call, as far as figures need it; seconds."""

    arrived_at: dt.datetime
    outcome: str | None  # calls.OUTCOMES; None while the call goes on
    short: bool = False
    synthetic: bool = False
    menu_seconds: float = 0.0
    wait_seconds: float | None = None  # None: never joined a queue
    ended_by: str | None = None
    rating: int | None = None
    talk_seconds: float = 0.0


@dataclass(frozen=True)
class Rate:
    """A figure and the number of cases it stands on; no cases, no value."""

    value: float | None
    cases: int

    @property
    def few(self) -> bool:
        """Whether it must be marked: so few cases say little."""
        return 0 < self.cases < FEW


def incoming(calls: Iterable[Inbound]) -> list[Inbound]:
    """Calls that came in on the line: all but rejected ones and synthetic test calls."""
    return [call for call in calls if call.outcome != "rejected" and not call.synthetic]


def accepted(calls: Iterable[Inbound]) -> list[Inbound]:
    """Incoming calls whose caller spoke with an operator or an employee."""
    return [call for call in incoming(calls) if call.outcome == "answered"]


def missed(calls: Iterable[Inbound]) -> int:
    """Incoming less accepted; a call that still goes on is neither yet."""
    ended = [call for call in incoming(calls) if call.outcome is not None]
    return len(ended) - len(accepted(ended))


def talk_seconds(calls: Iterable[Inbound]) -> float:
    """What the talks of accepted calls come to."""
    return sum(call.talk_seconds for call in accepted(calls))


def average_talk(calls: Iterable[Inbound]) -> Rate:
    """Average seconds of talk of an accepted call."""
    return _mean([call.talk_seconds for call in accepted(calls)])


def answer_speed(calls: Iterable[Inbound]) -> Rate:
    """Average seconds from joining the queue to an operator's answer (ASA)."""
    return _mean([c.wait_seconds for c in accepted(calls) if c.wait_seconds is not None])


def answer_speed_from_arrival(calls: Iterable[Inbound]) -> Rate:
    """Average seconds from the call's arrival to an operator's answer."""
    waited = [c for c in accepted(calls) if c.wait_seconds is not None]
    return _mean([c.menu_seconds + (c.wait_seconds or 0.0) for c in waited])


def service_level(calls: Iterable[Inbound], seconds: float) -> Rate:
    """Per cent answered within `seconds` of joining the queue.

    Of the calls answered and those abandoned in the queue; short abandons are left out.
    """
    calls = list(calls)
    answered = accepted(calls)
    quick = [c for c in answered if c.wait_seconds is not None and c.wait_seconds <= seconds]
    return _per_cent(len(quick), len(answered) + len(_abandoned(calls)))


def abandon_rate(calls: Iterable[Inbound]) -> Rate:
    """Per cent of the calls that joined a queue whose caller hung up there; short ones left out."""
    calls = list(calls)
    joined = [c for c in incoming(calls) if c.wait_seconds is not None and not c.short]
    return _per_cent(len(_abandoned(calls)), len(joined))


def rating(calls: Iterable[Inbound]) -> Rate:
    """The mean mark, 1 to 5. Never printed without the response rate."""
    return _mean([float(c.rating) for c in accepted(calls) if c.rating is not None])


def rating_marks(calls: Iterable[Inbound]) -> list[int]:
    """How many gave each of the MARKS."""
    given = [call.rating for call in accepted(calls)]
    return [given.count(mark) for mark in MARKS]


def rating_response(calls: Iterable[Inbound]) -> Rate:
    """Per cent who rated, of the answered callers who were still there when the operator left."""
    eligible = [call for call in accepted(calls) if call.ended_by == "operator"]
    return _per_cent(sum(call.rating is not None for call in eligible), len(eligible))


def by_hour(calls: Iterable[Inbound], tz: ZoneInfo) -> list[int]:
    """Incoming calls by the site's hour of arrival, 24 numbers."""
    counts = [0] * 24
    for call in incoming(calls):
        counts[call.arrived_at.astimezone(tz).hour] += 1
    return counts


def by_wait(calls: Iterable[Inbound], edges: Sequence[float]) -> list[int]:
    """Accepted calls by seconds of wait: to the first edge (included), …, beyond the last."""
    bounds = (float("-inf"), *edges, float("inf"))
    waits = [c.wait_seconds for c in accepted(calls) if c.wait_seconds is not None]
    return [sum(low < wait <= high for wait in waits) for low, high in pairwise(bounds)]


def _abandoned(calls: Iterable[Inbound]) -> list[Inbound]:
    return [c for c in incoming(calls) if c.outcome == "abandoned_queue" and not c.short]


def _mean(values: Sequence[float]) -> Rate:
    return Rate(sum(values) / len(values) if values else None, len(values))


def _per_cent(part: int, whole: int) -> Rate:
    return Rate(100 * part / whole if whole else None, whole)
