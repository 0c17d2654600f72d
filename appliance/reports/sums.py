"""What inbound calls add up to: each sum defined once, for the database and for calls at hand."""

import datetime as dt
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from peewee import Case, Node, Value, fn

from appliance.models import Call
from appliance.telephony.calls.outcomes import NOT_COUNTED

MARKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One inbound call, as far as figures need it; seconds."""

    arrived_at: dt.datetime | None  # None: of calls that are alike
    outcome: str | None  # calls.OUTCOMES; None while the call goes on
    short: bool = False
    synthetic: bool = False
    menu_seconds: float = 0.0
    wait_seconds: float | None = None  # None: never joined a queue
    ended_by: str | None = None
    rating: int | None = None
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that no condition tells apart: one of them, how many they are, their seconds."""

    like: Inbound
    calls: int = 1
    menu_seconds: float = 0.0
    wait_seconds: float = 0.0
    talk_seconds: float = 0.0
    hold_seconds: float = 0.0


def alone(call: Inbound) -> Group:
    """A group of one call."""
    wait = call.wait_seconds or 0.0
    return Group(call, 1, call.menu_seconds, wait, call.talk_seconds, call.hold_seconds)


@dataclass(frozen=True)
class Condition:
    """A condition on a call that the database and Python both understand."""

    sql: Node
    holds: Callable[[Inbound], bool]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(self.sql & other.sql, lambda c: self.holds(c) and other.holds(c))

    def __invert__(self) -> "Condition":
        return Condition(~self.sql, lambda c: not self.holds(c))


@dataclass(frozen=True)
class Sum:
    """How many calls fulfil a condition, or what a column of theirs comes to."""

    of: Condition
    column: str = ""  # "": they are counted

    @property
    def sql(self) -> Node:
        if not self.column:
            return count(self.of.sql)
        return fn.SUM(Case(None, [(self.of.sql, getattr(Call, self.column))], 0.0))

    def over(self, groups: Iterable[Group]) -> Any:
        """The sum over calls at hand."""
        those = (group for group in groups if self.of.holds(group.like))
        if not self.column:
            return sum(group.calls for group in those)
        return sum((getattr(group, self.column) for group in those), 0.0)


def count(condition: Node) -> Node:
    """How many rows of a query fulfil a condition."""
    return fn.SUM(Case(None, [(condition, 1)], 0))


def _is(column: str, value: object) -> Condition:
    read = operator.attrgetter(column)
    return Condition(getattr(Call, column) == value, lambda call: read(call) == value)


def _is_known(column: str) -> Condition:
    read = operator.attrgetter(column)
    return Condition(getattr(Call, column).is_null(False), lambda call: read(call) is not None)


def _within(column: str, most: float) -> Condition:
    read = operator.attrgetter(column)
    return Condition(getattr(Call, column) <= most, lambda call: (read(call) or 0.0) <= most)


EVERY = Condition(Value(1) == Value(1), lambda call: True)
COUNTED = Condition(
    Call.outcome.is_null() | Call.outcome.not_in(NOT_COUNTED),
    lambda call: call.outcome not in NOT_COUNTED,
)
OPEN = Condition(Call.outcome.is_null(), lambda call: call.outcome is None)
ANSWERED = _is("outcome", "answered")
MISSED = ~OPEN & ~ANSWERED
GAVE_UP = _is("outcome", "abandoned_queue")
SHORT = _is("short", True)
JOINED = _is_known("wait_seconds") & ~SHORT  # a queue; short abandons are left out
WAITED = ANSWERED & _is_known("wait_seconds")
ELIGIBLE = ANSWERED & _is("ended_by", "operator")  # he was still there when the operator left
RATED = ANSWERED & _is_known("rating")
RESPONDED = ELIGIBLE & RATED


def marked(mark: int) -> Condition:
    """Accepted calls whose caller gave this mark."""
    return ANSWERED & _is("rating", mark)


def sums(level: float) -> dict[str, Sum]:
    """Field of kpi.Tally → its sum; `level`: the service level's seconds."""
    return {
        "incoming": Sum(EVERY),
        "accepted": Sum(ANSWERED),
        "open": Sum(OPEN),
        "joined": Sum(JOINED),
        "abandoned": Sum(GAVE_UP & ~SHORT),
        "short": Sum(GAVE_UP & SHORT),
        "waited": Sum(WAITED),
        "quick": Sum(WAITED & _within("wait_seconds", level)),
        "wait_seconds": Sum(WAITED, "wait_seconds"),
        "menu_seconds": Sum(WAITED, "menu_seconds"),
        "talk_seconds": Sum(ANSWERED, "talk_seconds"),
        "hold_seconds": Sum(ANSWERED, "hold_seconds"),
        "eligible": Sum(ELIGIBLE),
        "responded": Sum(RESPONDED),
        **{f"mark_{mark}": Sum(marked(mark)) for mark in MARKS},
    }
