"""The queue's view: each stay of a call in a queue is a visit, and one call may make several."""

from collections import defaultdict
from dataclasses import dataclass, field

from peewee import Case, fn

from appliance.models import Call, QueueVisit, Transfer
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate

RESULTS = ("answered", "abandoned", "overflow", "callback", "timed_out", "failed")
KINDS = ("blind", "attended", "automatic")
ENDS = ("answered", "busy", "no_answer", "failed")


@dataclass(frozen=True)
class Queue:
    """The visits to one queue. A visit that goes on has no result yet."""

    name: str
    visits: int
    open: int
    results: dict[str, int]  # of RESULTS
    wait: Rate  # seconds of the answered visits


@dataclass(frozen=True)
class Handed:
    """Callers handed on in one way, by what became of it."""

    kind: str
    transfers: int
    open: int
    results: dict[str, int]  # of ENDS
    returned: int  # callers who came back to us


def visits(call_filter: CallFilter) -> tuple[Queue, ...]:
    """The visits of a filter's calls, by queue."""
    answered = QueueVisit.result == "answered"
    length = Case(None, [(answered, QueueVisit.left_at - QueueVisit.joined_at)], 0)
    rows = (
        QueueVisit.select(
            QueueVisit.queue, QueueVisit.result, fn.COUNT(QueueVisit.id), fn.SUM(length)
        )
        .join(Call)
        .where(*conditions_of(call_filter))
        .group_by(QueueVisit.queue, QueueVisit.result)
        .tuples()
    )
    found: dict[str, _Visits] = defaultdict(_Visits)
    for queue, result, count, microseconds in rows:
        one = found[queue]
        if result is None:
            one.open += count
        else:
            one.results[result] += count
        one.waited += int(microseconds)
    return tuple(
        Queue(
            name,
            sum(one.results.values()) + one.open,
            one.open,
            one.results,
            _mean(one.waited, one.results["answered"]),
        )
        for name, one in sorted(found.items())
    )


def handed(call_filter: CallFilter) -> tuple[Handed, ...]:
    """What became of the callers of a filter who were handed on, by the way in which."""
    returned = fn.SUM(Case(None, [(Transfer.returned, 1)], 0))
    rows = (
        Transfer.select(Transfer.kind, Transfer.result, fn.COUNT(Transfer.id), returned)
        .join(Call)
        .where(*conditions_of(call_filter))
        .group_by(Transfer.kind, Transfer.result)
        .tuples()
    )
    results: dict[str, dict[str, int]] = {kind: dict.fromkeys(ENDS, 0) for kind in KINDS}
    still: dict[str, int] = dict.fromkeys(KINDS, 0)
    back: dict[str, int] = dict.fromkeys(KINDS, 0)
    for kind, result, count, came_back in rows:
        if result is None:
            still[kind] += count
        else:
            results[kind][result] += count
        back[kind] += came_back
    return tuple(
        Handed(kind, sum(ends.values()) + still[kind], still[kind], ends, back[kind])
        for kind, ends in results.items()
    )


@dataclass
class _Visits:
    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RESULTS, 0))
    open: int = 0
    waited: int = 0  # microseconds


def _mean(microseconds: int, cases: int) -> Rate:
    return Rate(microseconds / 10**6 / cases if cases else None, cases)
