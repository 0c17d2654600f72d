"""The waiting times of callers, until an answer or until they hung up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from peewee import Case, fn

from appliance.models import Call
from appliance.reports import kpi
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.kpi import Rate, percentage_rate

EDGES_SECONDS = (*kpi.WAIT_EDGES_SECONDS, 120.0, 180.0, 300.0)  # seconds
SERVICE_LEVEL_THRESHOLDS_SECONDS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)


@dataclass(frozen=True)
class WaitBucket:
    """Callers who waited longer than `low` and at most `high` seconds; None: no bound."""

    low: float | None
    high: float | None
    answered: int
    abandoned: int  # hung up in the queue, including short abandons
    left_otherwise: int  # left otherwise: requested a callback, timed out …

    @property
    def filter_value(self) -> str:
        """The bucket as a value of the call filter's condition `wait`: "5-10"."""
        return "-".join("" if edge is None else f"{edge:g}" for edge in (self.low, self.high))


@dataclass(frozen=True)
class WaitCounts:
    """All callers who joined a queue, by the length of their wait."""

    buckets: tuple[WaitBucket, ...]
    short: int  # abandoned within the threshold

    @property
    def answered_total(self) -> int:
        """The number of answered callers."""
        return sum(bucket.answered for bucket in self.buckets)

    @property
    def abandoned_total(self) -> int:
        """The number of callers who hung up in the queue."""
        return sum(bucket.abandoned for bucket in self.buckets)

    @property
    def joined_total(self) -> int:
        """The number of callers who joined a queue."""
        return (
            self.answered_total
            + self.abandoned_total
            + sum(bucket.left_otherwise for bucket in self.buckets)
        )

    def service_level(self, threshold_seconds: float, accepted_count: int) -> Rate:
        """Return the service level at a threshold that is one of the edges (docs/figures.md).

        `accepted_count`: all accepted calls of the period, part of its base.
        """
        quick = sum(
            bucket.answered
            for bucket in self.buckets
            if bucket.high is not None and bucket.high <= threshold_seconds
        )
        base = accepted_count + self.abandoned_total - self.short
        return percentage_rate(quick, base)

    def abandon_curve(self) -> list[tuple[float, Rate]]:
        """Return (seconds, per cent of the callers that had hung up by then) for each edge.

        The base is the callers who joined a queue.
        """
        abandoned, curve = 0, []
        for bucket in self.buckets:
            abandoned += bucket.abandoned
            if bucket.high is not None:
                curve.append((bucket.high, percentage_rate(abandoned, self.joined_total)))
        return curve


def count_waits(call_filter: CallFilter, service_level_seconds: float) -> WaitCounts:
    """Count the callers of a filter who joined a queue.

    `service_level_seconds` becomes an edge too.
    """
    edges = sorted({*EDGES_SECONDS, service_level_seconds})
    bucket_index = Case(
        None, [(Call.wait_seconds <= edge, n) for n, edge in enumerate(edges)], len(edges)
    )
    rows = (
        Call.select(bucket_index, Call.outcome, Call.short, fn.COUNT(Call.id))
        .where(*sql_conditions(call_filter), Call.wait_seconds.is_null(False))
        .group_by(bucket_index, Call.outcome, Call.short)
        .tuples()
    )
    counts_by_bucket_and_result: Counter[tuple[int, str]] = Counter()
    short = 0
    for bucket, outcome, is_short, calls in rows:
        kind = outcome if outcome in ("answered", "abandoned_queue") else "gone"
        counts_by_bucket_and_result[int(bucket), kind] += calls
        short += calls if is_short and kind == "abandoned_queue" else 0
    return WaitCounts(tuple(_build_buckets(edges, counts_by_bucket_and_result)), short)


def _build_buckets(
    edges: Sequence[float], counts_by_bucket_and_result: Counter[tuple[int, str]]
) -> list[WaitBucket]:
    """Return the waits between `edges` (in seconds), counted by outcome.

    `counts_by_bucket_and_result`: (index of the range of waits, result of the wait) → number of
    calls.
    """
    lows, highs = [None, *edges], [*edges, None]
    return [
        WaitBucket(
            low,
            high,
            counts_by_bucket_and_result[n, "answered"],
            counts_by_bucket_and_result[n, "abandoned_queue"],
            counts_by_bucket_and_result[n, "gone"],
        )
        for n, (low, high) in enumerate(zip(lows, highs, strict=True))
    ]
