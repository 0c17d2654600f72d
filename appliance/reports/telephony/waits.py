"""The waiting times of callers, until an answer or until they hung up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from peewee import Case, fn

from appliance.models import Call
from appliance.reports import kpi
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.kpi import Rate, percentage_rate

EDGES_SECONDS = (*kpi.WAIT_EDGES_SECONDS, 120.0, 180.0, 300.0)
SERVICE_LEVEL_THRESHOLDS_SECONDS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)


@dataclass(frozen=True)
class WaitBucket:
    """The number of calls that waited more than `low` and at most `high` seconds, by outcome.

    Either bound may be missing.
    """

    low: float | None
    high: float | None
    answered: int
    abandoned: int  # hung up in the queue, including short abandons
    left_otherwise: int  # left for another reason (callback requested, timed out …) or in progress

    @property
    def filter_value(self) -> str:
        """The bucket as a value of the call filter's condition `wait`: "5-10"."""
        return "-".join("" if edge is None else f"{edge:g}" for edge in (self.low, self.high))


@dataclass(frozen=True)
class WaitCounts:
    """The numbers of calls that joined a queue, by waiting time and outcome."""

    buckets: tuple[WaitBucket, ...]
    short: int  # short abandons: hung up in the queue within settings.calls.short_abandon

    @property
    def answered_total(self) -> int:
        """The number of answered callers."""
        return sum(bucket.answered for bucket in self.buckets)

    @property
    def abandoned_total(self) -> int:
        """The number of callers who hung up in the queue, including short abandons."""
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
        """Return the service level at a threshold, which must be an edge between two buckets.

        That is the percentage of calls answered within the threshold. It is a percentage of
        `accepted_count`, the number of all accepted calls even without a wait, and of the calls
        abandoned in a queue, except short abandons.
        """
        quick = sum(
            bucket.answered
            for bucket in self.buckets
            if bucket.high is not None and bucket.high <= threshold_seconds
        )
        base = accepted_count + self.abandoned_total - self.short
        return percentage_rate(quick, base)

    def abandon_curve(self) -> list[tuple[float, Rate]]:
        """Return (seconds, percentage that had hung up by then) for each edge between buckets.

        It is a percentage of all callers who joined a queue.
        """
        abandoned, curve = 0, []
        for bucket in self.buckets:
            abandoned += bucket.abandoned
            if bucket.high is not None:
                curve.append((bucket.high, percentage_rate(abandoned, self.joined_total)))
        return curve


def count_waits(call_filter: CallFilter, service_level_seconds: float) -> WaitCounts:
    """Count the calls that pass a filter and joined a queue, by waiting time.

    The edges between the buckets are EDGES_SECONDS and `service_level_seconds`, the threshold of
    the service level.
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
        # "gone": left the queue for another reason, or still waits
        result = outcome if outcome in ("answered", "abandoned_queue") else "gone"
        counts_by_bucket_and_result[int(bucket), result] += calls
        short += calls if is_short and result == "abandoned_queue" else 0
    return WaitCounts(tuple(_build_buckets(edges, counts_by_bucket_and_result)), short)


def _build_buckets(
    edges: Sequence[float], counts_by_bucket_and_result: Counter[tuple[int, str]]
) -> list[WaitBucket]:
    """Return the buckets between the `edges`, in seconds.

    `counts_by_bucket_and_result` are numbers of calls by (index of the bucket, result), where the
    result is "answered", "abandoned_queue" or "gone" (left for another reason, or in progress).
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
