"""Tallies counted by the database: the same sums as kpi.tally makes of calls at hand."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import Node, fn

from appliance.models import Call
from appliance.reports import call_filters, kpi
from appliance.reports.call_filters import CallFilter, conditions_of
from appliance.reports.kpi import Rate
from appliance.reports.periods import Period
from appliance.reports.sums import count, sums


@dataclass(frozen=True)
class Counted(kpi.Tally):
    """A tally, and what the calls led to."""

    registered: int = 0  # calls that led to an appeal
    transferred: int = 0  # calls that were handed on, or tried to be


def whole(call_filter: CallFilter, level: float) -> Counted:
    """The tally of a filter; `level`: the service level's seconds."""
    sums = _sums(level)
    rows = Call.select(*sums.values()).where(*conditions_of(call_filter)).tuples()
    return _tally(rows[0], sums)


def by(
    call_filter: CallFilter, level: float, key: Node, only: Collection[str] = ()
) -> dict[Any, Counted]:
    """The tally of each part of a filter, parted by an expression on Call.

    `only`: the sums that are asked for; the others stay 0.
    """
    sums = {name: one for name, one in _sums(level).items() if not only or name in only}
    query = Call.select(key, *sums.values()).where(*conditions_of(call_filter)).group_by(key)
    return {row[0]: _tally(row[1:], sums) for row in query.tuples()}


@dataclass(frozen=True)
class CallForms:
    """Accepted calls, and how many of them are registered on form №2."""

    accepted: int
    registered: int

    @property
    def share(self) -> Rate:
        """Per cent."""
        value = 100 * self.registered / self.accepted if self.accepted else None
        return Rate(value, self.accepted)


def call_forms(period: Period) -> CallForms:
    """The accepted calls of a period with form №2."""
    accepted = CallFilter(period, {"outcome": "answered"})
    sums = fn.COUNT(Call.id), count(call_filters.has_form())
    whole, part = Call.select(*sums).where(*conditions_of(accepted)).tuples()[0]
    return CallForms(whole, part or 0)


def _tally(values: Iterable[Any], names: Iterable[str]) -> Counted:
    return Counted(**{name: value or 0 for name, value in zip(names, values, strict=True)})


def _sums(level: float) -> Mapping[str, Node]:
    """Name of Counted → its sum."""
    return {
        **{name: one.sql for name, one in sums(level).items()},
        "registered": count(call_filters.has_appeal()),
        "transferred": count(call_filters.has_transfer()),
    }
