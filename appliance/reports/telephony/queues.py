"""Summaries of transfers and of visits to queues.

Each stay of a call in a queue is a visit; one call may have several.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from peewee import Case, fn

from appliance.models import Call, QueueVisit, Transfer
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.kpi import Rate, mean_rate

VISIT_RESULTS = ("answered", "abandoned", "overflow", "callback", "timed_out", "failed")
TRANSFER_KINDS = ("blind", "attended", "automatic")
TRANSFER_RESULTS = ("answered", "busy", "no_answer", "failed")


@dataclass(frozen=True)
class QueueSummary:
    """The visits to one queue, by result; `open` visits are in progress and have no result yet."""

    name: str
    visits: int
    open: int
    results: dict[str, int]  # number of visits by each of VISIT_RESULTS
    wait: Rate  # mean seconds that the answered visits lasted


@dataclass(frozen=True)
class TransferSummary:
    """The transfers of one kind, by result; `open` transfers have no result yet."""

    kind: str
    transfers: int
    open: int
    results: dict[str, int]  # number of transfers by each of TRANSFER_RESULTS
    returned: int  # transfers after which the caller came back to the hotline


def summarize_visits(call_filter: CallFilter) -> tuple[QueueSummary, ...]:
    """Return a summary of each queue's visits by the calls that pass a filter, sorted by queue."""
    answered = QueueVisit.result == "answered"
    answered_wait = Case(None, [(answered, QueueVisit.left_at - QueueVisit.joined_at)], 0)
    rows = (
        QueueVisit.select(
            QueueVisit.queue, QueueVisit.result, fn.COUNT(QueueVisit.id), fn.SUM(answered_wait)
        )
        .join(Call)
        .where(*sql_conditions(call_filter))
        .group_by(QueueVisit.queue, QueueVisit.result)
        .tuples()
    )
    visits_of_queue: dict[str, _VisitSums] = defaultdict(_VisitSums)
    for queue, result, count, microseconds in rows:
        visits = visits_of_queue[queue]
        if result is None:
            visits.open += count
        else:
            visits.results[result] += count
        visits.answered_wait_microseconds += int(microseconds)
    return tuple(
        QueueSummary(
            name,
            sum(visits.results.values()) + visits.open,
            visits.open,
            visits.results,
            mean_rate(visits.answered_wait_microseconds / 10**6, visits.results["answered"]),
        )
        for name, visits in sorted(visits_of_queue.items())
    )


def summarize_transfers(call_filter: CallFilter) -> tuple[TransferSummary, ...]:
    """Return a summary of the transfers of the calls that pass a filter, one for each kind.

    Kinds without transfers are included; the order is that of TRANSFER_KINDS.
    """
    returned = fn.SUM(Case(None, [(Transfer.returned, 1)], 0))
    rows = (
        Transfer.select(Transfer.kind, Transfer.result, fn.COUNT(Transfer.id), returned)
        .join(Call)
        .where(*sql_conditions(call_filter))
        .group_by(Transfer.kind, Transfer.result)
        .tuples()
    )
    results_of_kind: dict[str, dict[str, int]] = {
        kind: dict.fromkeys(TRANSFER_RESULTS, 0) for kind in TRANSFER_KINDS
    }
    open_of_kind: dict[str, int] = dict.fromkeys(TRANSFER_KINDS, 0)
    returned_of_kind: dict[str, int] = dict.fromkeys(TRANSFER_KINDS, 0)
    for kind, result, count, returned_count in rows:
        if result is None:
            open_of_kind[kind] += count
        else:
            results_of_kind[kind][result] += count
        returned_of_kind[kind] += returned_count
    return tuple(
        TransferSummary(
            kind,
            sum(kind_results.values()) + open_of_kind[kind],
            open_of_kind[kind],
            kind_results,
            returned_of_kind[kind],
        )
        for kind, kind_results in results_of_kind.items()
    )


@dataclass
class _VisitSums:
    """The sums over the visits to one queue, while they are added up."""

    # number of visits by each of VISIT_RESULTS
    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VISIT_RESULTS, 0))
    open: int = 0
    answered_wait_microseconds: int = 0
