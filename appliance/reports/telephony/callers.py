"""Callers who called more than once."""

from collections import Counter
from dataclasses import dataclass

from peewee import Case, fn

from appliance.models import Call
from appliance.reports import call_filters
from appliance.reports.call_filters import CallFilter, sql_conditions

# ranges of the number of calls from one number: (from, to), both included
CALLS_PER_NUMBER_RANGES = (
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 5),
    (6, 9),
    (10, None),
)
MAX_TOP_CALLERS = 20


@dataclass(frozen=True)
class CallerFrequency:
    """How many numbers called from `low` to `high` times, and the number of their calls.

    Without `high`, there is no upper limit.
    """

    low: int
    high: int | None
    callers: int
    calls: int

    @property
    def filter_value(self) -> str:
        """The range as a value of the call filter's condition `times`: "2-3"."""
        return f"{self.low}-{'' if self.high is None else self.high}"


@dataclass(frozen=True)
class Caller:
    """A number that called more than once."""

    number: str
    calls: int  # all calls from it
    accepted: int  # those of them that were accepted


@dataclass(frozen=True)
class CallerCounts:
    """Calls by how often their number called; calls from hidden numbers are counted separately."""

    frequencies: tuple[CallerFrequency, ...]
    hidden: int  # calls from hidden numbers
    top: tuple[Caller, ...]  # the numbers with most calls, in this order

    @property
    def repeat_calls(self) -> int:
        """The number of calls from numbers that called more than once."""
        return sum(line.calls for line in self.frequencies if line.low > 1)


def count_callers(call_filter: CallFilter) -> CallerCounts:
    """Count the numbers from which the calls that pass a filter came, by how often they called."""
    groups = call_filters.calls_per_number(call_filter).alias("groups")
    rows = (
        Call.select(groups.c.times, fn.COUNT(groups.c.caller))
        .from_(groups)
        .group_by(groups.c.times)
        .tuples()
    )
    by_times = Counter(dict(rows))
    frequencies = []
    for low, high in CALLS_PER_NUMBER_RANGES:
        numbers_by_times = {
            times: numbers
            for times, numbers in by_times.items()
            if times >= low and (high is None or times <= high)
        }
        calls = sum(times * numbers for times, numbers in numbers_by_times.items())
        frequencies.append(CallerFrequency(low, high, sum(numbers_by_times.values()), calls))
    hidden = Call.select().where(*sql_conditions(call_filter), Call.caller.is_null()).count()
    return CallerCounts(tuple(frequencies), hidden, _top_callers(call_filter))


def _top_callers(call_filter: CallFilter) -> tuple[Caller, ...]:
    """Return the numbers that called more than once, those with most calls first.

    There are at most MAX_TOP_CALLERS; hidden numbers are left out.
    """
    times = fn.COUNT(Call.id)
    accepted = fn.SUM(Case(None, [(Call.outcome == "answered", 1)], 0))
    rows = (
        Call.select(Call.caller, times, accepted)
        .where(*sql_conditions(call_filter), Call.caller.is_null(False))
        .group_by(Call.caller)
        .having(times > 1)
        .order_by(times.desc(), Call.caller)
        .limit(MAX_TOP_CALLERS)
        .tuples()
    )
    return tuple(Caller(*row) for row in rows)
