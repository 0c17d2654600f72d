"""Tallies counted by the database: the same sums as kpi.tally makes of calls at hand."""

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, Node, Select, fn

from appliance.core.db import raw
from appliance.models import Call
from appliance.reports import call_filters, kpi
from appliance.reports.balance import Others
from appliance.reports.call_filters import CallFilter, First, Joined, conditions_of
from appliance.reports.kpi import Rate
from appliance.reports.likeness import Likeness
from appliance.reports.periods import Period
from appliance.reports.sums import ANSWERED, COUNTED, count, sums

type Keys = Callable[[First], Sequence[Mapping[str, Node]]]

_SECONDS = {
    field.name: field
    for field in (Call.menu_seconds, Call.wait_seconds, Call.talk_seconds, Call.hold_seconds)
}
_LED_TO = ("registered", "transferred")
_SUMMED = (*_SECONDS, *_LED_TO)  # what is added up of the calls of a group


@dataclass(frozen=True)
class Counted(kpi.Tally):
    """A tally, and what the calls led to."""

    registered: int = 0  # calls that led to an appeal
    transferred: int = 0  # calls that were handed on, or tried to be


def whole(call_filter: CallFilter, level: float) -> Counted:
    """The tally of a filter; `level`: the service level's seconds."""
    return by(call_filter, level, SQL("0")).get(0, Counted())


def by(call_filter: CallFilter, level: float, key: Node) -> dict[Any, Counted]:
    """The tally of each part of a filter, parted by an expression on Call."""
    return parted(call_filter, level, lambda first: [{"": key}])[""]


def parted(call_filter: CallFilter, level: float, keys: Keys) -> dict[str, dict[Any, Counted]]:
    """Name of a key → its value → tally. However many keys, the calls are read once.

    `keys`: expressions on Call by their names, given where what is registered of it is found;
    those of few values are counted together.
    """
    alike, registered = Likeness((level,)), Joined()
    sets = keys(registered.first)
    names = [list(one) for one in sets]
    nodes = {name: node for one in sets for name, node in one.items()}
    columns = {f"key_{number}": node for number, node in enumerate(nodes.values())}
    columns |= {"alike": alike.sql, **_SECONDS}
    columns |= {"registered": registered.has_appeal(), "transferred": call_filters.has_transfer()}
    calls = (
        registered.join(Call.select(*(node.alias(name) for name, node in columns.items())))
        .where(*conditions_of(call_filter))
        .cte("calls", materialized=len(sets) > 1)
    )
    summed = [fn.COUNT(SQL("*")), *(fn.SUM(getattr(calls.c, name)) for name in _SUMMED)]
    number_of = {name: number for number, name in enumerate(nodes)}
    parts = []
    for number, one in enumerate(names):
        own = [getattr(calls.c, f"key_{number_of[name]}") for name in one]
        empty = [SQL("NULL")] * (max(map(len, names)) - len(own))
        query = Select([calls], [SQL(str(number)), calls.c.alike, *summed, *own, *empty])
        parts.append(query.group_by(*own, calls.c.alike))
    query = functools.reduce(operator.add, parts).with_cte(calls)
    return _tallies(names, raw(query), _Held(alike, level))


def _tallies(
    names: Sequence[Sequence[str]], rows: Iterable[Sequence[Any]], held: "_Held"
) -> dict[str, dict[Any, Counted]]:
    """Rows: which of the sets of names, a likeness, calls, what they add up to, keys."""
    found: dict[str, dict[Any, dict[str, Any]]] = {name: {} for one in names for name in one}
    nothing = dict.fromkeys((field.name for field in dataclasses.fields(Counted)), 0)
    width = 1 + len(_SUMMED)
    for number, like, *values in rows:
        added = [(name, values[place]) for name, place in held[like] if values[place]]
        for name, key in zip(names[number], values[width:], strict=False):
            parts = found[name]
            if key not in parts:
                parts[key] = nothing.copy()
            tally = parts[key]
            for field, value in added:
                tally[field] += value
    return {
        name: {key: _exact(tally) for key, tally in parts.items()} for name, parts in found.items()
    }


def _exact(sums: dict[str, Any]) -> Counted:
    """Seconds are sums of whole microseconds: what was added up in another order is the same."""
    for name in _SECONDS:
        sums[name] = round(sums[name], 6)
    return Counted(**sums)


class _Held(dict[str, list[tuple[str, int]]]):
    """Likeness → what its calls add to: the fields of Counted, each with a column of a row."""

    def __init__(self, alike: Likeness, level: float) -> None:
        self._alike, self._sums = alike, sums(level)

    def __missing__(self, text: str) -> list[tuple[str, int]]:
        call = self._alike.call(text)
        columns = ("", *_SUMMED)
        added = [
            (name, columns.index(one.column))
            for name, one in self._sums.items()
            if one.of.holds(call)
        ]
        self[text] = [*added, *((name, columns.index(name)) for name in _LED_TO)]
        return self[text]


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


def others(period: Period) -> Others:
    """What the balance's sum leaves open, counted by the database."""
    within = (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        Call.direction == "inbound",
    )
    sums = (
        count(Call.short),
        count(Call.synthetic),
        count(Call.synthetic & ANSWERED.sql),
        count(~COUNTED.sql & ~Call.synthetic),
    )
    return Others(*(found or 0 for found in Call.select(*sums).where(*within).tuples()[0]))
