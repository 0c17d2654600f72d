"""How long callers waited: until an answer, or until they gave up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from peewee import Case, fn

from appliance.models import Call
from appliance.reports import kpi
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate

EDGES = (*kpi.WAIT_EDGES, 120.0, 180.0, 300.0)  # seconds
LEVELS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)


@dataclass(frozen=True)
class Bucket:
    """Callers who waited longer than `low` and at most `high` seconds; None: no bound."""

    low: float | None
    high: float | None
    answered: int
    abandoned: int  # hung up in the queue, short ones too
    gone: int  # left otherwise: asked to be called back, the queue gave up …

    @property
    def condition(self) -> str:
        """As a condition of a filter: "5-10"."""
        return "-".join("" if edge is None else f"{edge:g}" for edge in (self.low, self.high))


@dataclass(frozen=True)
class Waits:
    """All who joined a queue, by the length of their wait."""

    buckets: tuple[Bucket, ...]
    short: int  # abandoned within the threshold

    @property
    def answered(self) -> int:
        return sum(bucket.answered for bucket in self.buckets)

    @property
    def abandoned(self) -> int:
        return sum(bucket.abandoned for bucket in self.buckets)

    @property
    def joined(self) -> int:
        return self.answered + self.abandoned + sum(bucket.gone for bucket in self.buckets)

    def level(self, seconds: float, accepted: int) -> Rate:
        """The service level at another threshold, one of the edges (docs/figures.md)."""
        quick = sum(b.answered for b in self.buckets if b.high is not None and b.high <= seconds)
        whole = accepted + self.abandoned - self.short
        return Rate(100 * quick / whole if whole else None, whole)

    def abandon_curve(self) -> list[tuple[float, Rate]]:
        """(seconds, per cent of those who joined that had hung up by then) at each edge."""
        gone, curve = 0, []
        for bucket in self.buckets:
            gone += bucket.abandoned
            if bucket.high is not None:
                share = 100 * gone / self.joined if self.joined else None
                curve.append((bucket.high, Rate(share, self.joined)))
        return curve


def count(call_filter: CallFilter, level: float) -> Waits:
    """Count the callers of a filter who joined a queue; `level` becomes an edge too."""
    edges = sorted({*EDGES, level})
    place = Case(None, [(Call.wait_seconds <= edge, n) for n, edge in enumerate(edges)], len(edges))
    rows = (
        Call.select(place, Call.outcome, Call.short, fn.COUNT(Call.id))
        .where(*conditions_of(call_filter), Call.wait_seconds.is_null(False))
        .group_by(place, Call.outcome, Call.short)
        .tuples()
    )
    found: Counter[tuple[int, str]] = Counter()
    short = 0
    for bucket, outcome, is_short, calls in rows:
        kind = outcome if outcome in ("answered", "abandoned_queue") else "gone"
        found[int(bucket), kind] += calls
        short += calls if is_short and kind == "abandoned_queue" else 0
    return Waits(tuple(_buckets(edges, found)), short)


def _buckets(edges: Sequence[float], found: Counter[tuple[int, str]]) -> list[Bucket]:
    lows, highs = [None, *edges], [*edges, None]
    return [
        Bucket(low, high, found[n, "answered"], found[n, "abandoned_queue"], found[n, "gone"])
        for n, (low, high) in enumerate(zip(lows, highs, strict=True))
    ]
