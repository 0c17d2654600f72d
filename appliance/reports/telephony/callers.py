"""Who called more than once."""

from collections import Counter
from dataclasses import dataclass

from peewee import Case, fn

from appliance.models import Call
from appliance.reports import call_filters
from appliance.reports.call_filters import CallFilter, conditions_of

TIMES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 9), (10, None))  # calls by one number, from and to
TOP = 20


@dataclass(frozen=True)
class Often:
    """The numbers that called so many times; `asked` is the condition of a filter."""

    low: int
    high: int | None
    callers: int
    calls: int

    @property
    def condition(self) -> str:
        """As a condition of a filter: "2-3"."""
        return f"{self.low}-{'' if self.high is None else self.high}"


@dataclass(frozen=True)
class Caller:
    """One number that called more than once."""

    number: str
    calls: int
    accepted: int


@dataclass(frozen=True)
class Callers:
    """Incoming calls by how often their number called; hidden numbers are apart."""

    often: tuple[Often, ...]
    hidden: int  # calls
    top: tuple[Caller, ...]  # most calls first

    @property
    def repeated(self) -> int:
        """Calls by numbers that called more than once."""
        return sum(line.calls for line in self.often if line.low > 1)


def count(call_filter: CallFilter) -> Callers:
    """Count the callers of a filter."""
    groups = call_filters.repeated(call_filter).alias("groups")
    rows = (
        Call.select(groups.c.times, fn.COUNT(groups.c.caller))
        .from_(groups)
        .group_by(groups.c.times)
        .tuples()
    )
    by_times = Counter(dict(rows))
    often = []
    for low, high in TIMES:
        of = {n: c for n, c in by_times.items() if n >= low and (high is None or n <= high)}
        calls = sum(n * c for n, c in of.items())
        often.append(Often(low, high, sum(of.values()), calls))
    hidden = Call.select().where(*conditions_of(call_filter), Call.caller.is_null()).count()
    return Callers(tuple(often), hidden, _top(call_filter))


def _top(call_filter: CallFilter) -> tuple[Caller, ...]:
    times = fn.COUNT(Call.id)
    accepted = fn.SUM(Case(None, [(Call.outcome == "answered", 1)], 0))
    rows = (
        Call.select(Call.caller, times, accepted)
        .where(*conditions_of(call_filter), Call.caller.is_null(False))
        .group_by(Call.caller)
        .having(times > 1)
        .order_by(times.desc(), Call.caller)
        .limit(TOP)
        .tuples()
    )
    return tuple(Caller(*row) for row in rows)
