"""Tallies counted by the database: the same sums as kpi.tally makes of calls at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import Case, Expression, Node, fn

from appliance.models import Call
from appliance.reports import cuts, kpi
from appliance.reports.cuts import Cut


@dataclass(frozen=True)
class Counted(kpi.Tally):
    """A tally, and what the calls led to."""

    registered: int = 0  # calls that led to an appeal
    transferred: int = 0  # calls that were handed on, or tried to be


def whole(cut: Cut, level: float) -> Counted:
    """The tally of a cut; `level`: the service level's seconds."""
    return _tally(Call.select(*_sums(level).values()).where(*cut.where).tuples()[0])


def by(cut: Cut, level: float, key: Node) -> dict[Any, Counted]:
    """The tally of each part of a cut, parted by an expression on Call."""
    query = Call.select(key, *_sums(level).values()).where(*cut.where).group_by(key)
    return {row[0]: _tally(row[1:]) for row in query.tuples()}


def _tally(values: Any) -> Counted:
    return Counted(**{name: value or 0 for name, value in zip(_NAMES, values, strict=True)})


def _sums(level: float) -> Mapping[str, Node]:
    """Name of Counted → its sum."""
    answered = Call.outcome == "answered"
    waited = answered & Call.wait_seconds.is_null(False)
    gave_up = Call.outcome == "abandoned_queue"
    eligible = answered & (Call.ended_by == "operator")
    return {
        "incoming": fn.COUNT(Call.id),
        "accepted": _count(answered),
        "open": _count(Call.outcome.is_null()),
        "joined": _count(Call.wait_seconds.is_null(False) & ~Call.short),
        "abandoned": _count(gave_up & ~Call.short),
        "short": _count(gave_up & Call.short),
        "waited": _count(waited),
        "quick": _count(waited & (Call.wait_seconds <= level)),
        "wait_seconds": _sum(waited, Call.wait_seconds),
        "menu_seconds": _sum(waited, Call.menu_seconds),
        "talk_seconds": _sum(answered, Call.talk_seconds),
        "hold_seconds": _sum(answered, Call.hold_seconds),
        "eligible": _count(eligible),
        "responded": _count(eligible & Call.rating.is_null(False)),
        **{f"mark_{m}": _count(answered & (Call.rating == m)) for m in kpi.MARKS},
        "registered": _count(cuts.has_appeal()),
        "transferred": _count(cuts.has_transfer()),
    }


def _count(condition: Expression | Node) -> Node:
    return fn.SUM(Case(None, [(condition, 1)], 0))


def _sum(condition: Expression, value: Node) -> Node:
    return fn.SUM(Case(None, [(condition, value)], 0.0))


_NAMES = tuple(_sums(0.0))
