"""Conditions on inbound calls and sums over them, each as SQL and for calls in memory."""

import datetime as dt
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from peewee import Case, Node, Value, fn

from appliance.models import Call
from appliance.telephony.calls import UNCOUNTED_CODES

MARKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class InboundCall:
    """One inbound call with the columns that figures need; durations are in seconds."""

    arrived_at: dt.datetime | None  # None for a call that represents a group
    outcome: str | None  # a code of calls.INBOUND_OUTCOMES, once it has ended
    short: bool = False  # hung up in the queue within settings.calls.short_abandon
    synthetic: bool = False  # a test call
    menu_seconds: float = 0.0  # before it joined a queue
    wait_seconds: float | None = None  # None: never joined a queue
    ended_by: str | None = None  # who hung up first, such as "operator", if known
    rating: int | None = None  # one of MARKS, if the caller gave one
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CallGroup:
    """Calls that meet the same conditions: one of them as a sample, their number, their sums.

    The sample may be made up to represent the group. The seconds are sums over the calls.
    """

    sample_call: InboundCall
    calls: int = 1
    menu_seconds: float = 0.0
    wait_seconds: float = 0.0
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0


def single_call_group(call: InboundCall) -> CallGroup:
    """Return a group of one call; its wait is 0 if it never joined a queue."""
    wait_seconds = call.wait_seconds or 0.0
    return CallGroup(call, 1, call.menu_seconds, wait_seconds, call.talk_seconds, call.hold_seconds)


@dataclass(frozen=True)
class Condition:
    """A condition on a call, as SQL on Call and as a Python function; & and ~ work on both."""

    sql: Node
    holds: Callable[[InboundCall], bool]

    def __and__(self, other: "Condition") -> "Condition":
        """Return the condition that a call meets this condition and the other one."""
        return Condition(self.sql & other.sql, lambda c: self.holds(c) and other.holds(c))

    def __invert__(self) -> "Condition":
        """Return the condition that a call does not meet this condition."""
        return Condition(~self.sql, lambda c: not self.holds(c))


@dataclass(frozen=True)
class ConditionalSum:
    """The number of calls that meet a condition, or the sum of one column over these calls."""

    condition: Condition
    column: str = ""  # "": the calls are counted

    @property
    def sql(self) -> Node:
        """The sum as an SQL aggregate."""
        if not self.column:
            return count_where(self.condition.sql)
        return fn.SUM(Case(None, [(self.condition.sql, getattr(Call, self.column))], 0.0))

    def add_up(self, groups: Iterable[CallGroup]) -> Any:
        """Return the sum over groups of calls in memory."""
        matching_groups = (group for group in groups if self.condition.holds(group.sample_call))
        if not self.column:
            return sum(group.calls for group in matching_groups)
        return sum((getattr(group, self.column) for group in matching_groups), 0.0)


def count_where(condition: Node) -> Node:
    """Return the SQL for the number of rows that meet a condition; NULL if there are no rows."""
    return fn.SUM(Case(None, [(condition, 1)], 0))


def _equality_condition(column: str, value: object) -> Condition:
    """Return the condition that a column, of Call and of InboundCall, has a value."""
    read_column = operator.attrgetter(column)
    return Condition(getattr(Call, column) == value, lambda call: read_column(call) == value)


def _not_null_condition(column: str) -> Condition:
    """Return the condition that a column, of Call and of InboundCall, is not null."""
    read_column = operator.attrgetter(column)
    return Condition(
        getattr(Call, column).is_null(False), lambda call: read_column(call) is not None
    )


def _at_most_condition(column: str, limit: float) -> Condition:
    """Return the condition that a column is at most `limit`.

    It must be combined with the condition that the column is not null: a null meets it in Python,
    but not in SQL.
    """
    read_column = operator.attrgetter(column)
    return Condition(
        getattr(Call, column) <= limit, lambda call: (read_column(call) or 0.0) <= limit
    )


EVERY_CALL = Condition(Value(1) == Value(1), lambda call: True)
# not rejected; reports do not count rejected calls
COUNTED = Condition(
    Call.outcome.is_null() | Call.outcome.not_in(UNCOUNTED_CODES),
    lambda call: call.outcome not in UNCOUNTED_CODES,
)
OPEN = Condition(Call.outcome.is_null(), lambda call: call.outcome is None)
ANSWERED = _equality_condition("outcome", "answered")
MISSED = ~OPEN & ~ANSWERED
ABANDONED = _equality_condition("outcome", "abandoned_queue")
SHORT = _equality_condition("short", True)
JOINED_QUEUE = _not_null_condition("wait_seconds") & ~SHORT  # short abandons are excluded
ANSWERED_FROM_QUEUE = ANSWERED & _not_null_condition("wait_seconds")
RATING_ELIGIBLE = ANSWERED & _equality_condition("ended_by", "operator")  # operator hung up first
RATED = ANSWERED & _not_null_condition("rating")
ELIGIBLE_AND_RATED = RATING_ELIGIBLE & RATED


def mark_condition(mark: int) -> Condition:
    """Return the condition that a call was accepted and its caller gave this mark."""
    return ANSWERED & _equality_condition("rating", mark)


def tally_sums(service_level_seconds: float) -> dict[str, ConditionalSum]:
    """Return the definition of each field of kpi.Tally, by field name.

    `service_level_seconds` is the threshold of the service level.
    """
    return {
        "incoming": ConditionalSum(EVERY_CALL),
        "accepted": ConditionalSum(ANSWERED),
        "open": ConditionalSum(OPEN),
        "joined": ConditionalSum(JOINED_QUEUE),
        "abandoned": ConditionalSum(ABANDONED & ~SHORT),
        "short": ConditionalSum(ABANDONED & SHORT),
        "answered_from_queue": ConditionalSum(ANSWERED_FROM_QUEUE),
        "quick": ConditionalSum(
            ANSWERED_FROM_QUEUE & _at_most_condition("wait_seconds", service_level_seconds)
        ),
        "wait_seconds": ConditionalSum(ANSWERED_FROM_QUEUE, "wait_seconds"),
        "menu_seconds": ConditionalSum(ANSWERED_FROM_QUEUE, "menu_seconds"),
        "talk_seconds": ConditionalSum(ANSWERED, "talk_seconds"),
        "hold_seconds": ConditionalSum(ANSWERED, "hold_seconds"),
        "eligible": ConditionalSum(RATING_ELIGIBLE),
        "responded": ConditionalSum(ELIGIBLE_AND_RATED),
        **{f"mark_{mark}": ConditionalSum(mark_condition(mark)) for mark in MARKS},
    }
