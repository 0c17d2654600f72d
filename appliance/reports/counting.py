"""Tallies counted by the database; kpi.tally_groups counts the same from calls in memory.

A tally is the set of sums over calls from which figures are computed (kpi.Tally).
"""

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, Node, Select, fn

from appliance.core.db import raw_rows
from appliance.models import Call
from appliance.reports import call_filters, kpi
from appliance.reports.balance import ExcludedCallCounts
from appliance.reports.call_classes import CallClassifier
from appliance.reports.call_filters import (
    CallFilter,
    FirstRecordColumn,
    JoinedRecords,
    sql_conditions,
)
from appliance.reports.kpi import Rate, percentage_rate
from appliance.reports.periods import Period
from appliance.reports.sums import ANSWERED, COUNTED, count_where, tally_sums

# a function that returns key sets, see count_by_keys()
type KeySetBuilder = Callable[[FirstRecordColumn], Sequence[Mapping[str, Node]]]

_DURATION_COLUMNS = {
    field.name: field
    for field in (Call.menu_seconds, Call.wait_seconds, Call.talk_seconds, Call.hold_seconds)
}
# columns with 1 or 0: the call led to an appeal, the call was transferred
_RESULT_COLUMNS = ("registered", "transferred")
# the columns that are added up over the calls of a group
_SUMMED_COLUMNS = (
    *_DURATION_COLUMNS,
    *_RESULT_COLUMNS,
)


@dataclass(frozen=True)
class CallTally(kpi.Tally):
    """A tally that also counts appeals and transfers."""

    registered: int = 0  # calls that led to an appeal
    transferred: int = 0  # calls that were transferred, or for which a transfer was attempted


def count_all(call_filter: CallFilter, service_level_seconds: float) -> CallTally:
    """Return the tally of all calls that pass a filter.

    `service_level_seconds` is the threshold of the service level.
    """
    return count_by(call_filter, service_level_seconds, SQL("0")).get(0, CallTally())


def count_by(
    call_filter: CallFilter, service_level_seconds: float, key_expression: Node
) -> dict[Any, CallTally]:
    """Return the tallies of the calls that pass a filter, by the value of an SQL expression.

    `service_level_seconds` is the threshold of the service level. Values without calls are left
    out; the key None is for calls whose expression is NULL.
    """
    return count_by_keys(
        call_filter, service_level_seconds, lambda record_column: [{"": key_expression}]
    )[""]


def count_by_keys(
    call_filter: CallFilter, service_level_seconds: float, build_key_sets: KeySetBuilder
) -> dict[str, dict[Any, CallTally]]:
    """Count the calls that pass a filter by several keys, such as hour and topic, in one query.

    Returns a dict for each key name, of the tallies by the values of that key.
    `service_level_seconds` is the threshold of the service level.

    `build_key_sets` is a function that returns key sets: dicts of SQL expressions on Call by key
    name. The database groups the calls by all keys of a set at once, and the counts are then added
    up for each key alone. So each set should contain only keys with few values. The function's
    argument is a function (table, column) that returns the SQL for a column of the call's first
    appeal or call form, for keys that depend on it.
    """
    classifier, joined_records = CallClassifier((service_level_seconds,)), JoinedRecords()
    key_sets = build_key_sets(joined_records.first_record_column)
    name_sets = [list(key_set) for key_set in key_sets]
    nodes = {name: node for key_set in key_sets for name, node in key_set.items()}
    columns = {f"key_{number}": node for number, node in enumerate(nodes.values())}
    # calls of one class count alike in every figure, so the database adds them up
    columns |= {"call_class": classifier.sql, **_DURATION_COLUMNS}
    columns |= {
        "registered": joined_records.has_appeal(),
        "transferred": call_filters.has_transfer(),
    }
    calls = (
        joined_records.join_records(
            Call.select(*(node.alias(name) for name, node in columns.items()))
        )
        .where(*sql_conditions(call_filter))
        .cte("calls", materialized=len(key_sets) > 1)
    )
    sum_columns = [
        fn.COUNT(SQL("*")),
        *(fn.SUM(getattr(calls.c, name)) for name in _SUMMED_COLUMNS),
    ]
    number_of = {name: number for number, name in enumerate(nodes)}
    queries = []
    for number, key_set in enumerate(name_sets):
        key_columns = [getattr(calls.c, f"key_{number_of[name]}") for name in key_set]
        # all queries of a union have the same number of columns
        padding = [SQL("NULL")] * (max(map(len, name_sets)) - len(key_columns))
        query = Select(
            [calls], [SQL(str(number)), calls.c.call_class, *sum_columns, *key_columns, *padding]
        )
        queries.append(query.group_by(*key_columns, calls.c.call_class))
    query = functools.reduce(operator.add, queries).with_cte(calls)
    return _tallies_from_rows(
        name_sets, raw_rows(query), _AddendsByCallClass(classifier, service_level_seconds)
    )


def _tallies_from_rows(
    name_sets: Sequence[Sequence[str]],
    rows: Iterable[Sequence[Any]],
    addends_of_class: "_AddendsByCallClass",
) -> dict[str, dict[Any, CallTally]]:
    """Build the tallies from the rows of the union query, by key name and then by key value.

    `name_sets` are the names of the keys of each set. A row has the sums over calls of one class:
    index of the key set, class (call_classes), number of calls, sums of _SUMMED_COLUMNS, values of
    the keys. `addends_of_class` says which of the sums are added to which field of a tally.
    """
    sums_by_key: dict[str, dict[Any, dict[str, Any]]] = {
        name: {} for name_set in name_sets for name in name_set
    }
    zero_sums = dict.fromkeys((field.name for field in dataclasses.fields(CallTally)), 0)
    first_key_index = 1 + len(_SUMMED_COLUMNS)
    for number, call_class, *values in rows:
        addends = [
            (name, values[position])
            for name, position in addends_of_class[call_class]
            if values[position]
        ]
        for name, key in zip(name_sets[number], values[first_key_index:], strict=False):
            sums_of_key = sums_by_key[name]
            if key not in sums_of_key:
                sums_of_key[key] = zero_sums.copy()
            sums = sums_of_key[key]
            for field, value in addends:
                sums[field] += value
    return {
        name: {key: _rounded_tally(sums) for key, sums in sums_of_key.items()}
        for name, sums_of_key in sums_by_key.items()
    }


def _rounded_tally(sums: dict[str, Any]) -> CallTally:
    """Return the tally with its seconds rounded to microseconds.

    The summands are whole microseconds, so the result does not depend on the order of addition.
    """
    for name in _DURATION_COLUMNS:
        sums[name] = round(sums[name], 6)
    return CallTally(**sums)


class _AddendsByCallClass(dict[str, list[tuple[str, int]]]):
    """By class of calls: what a row of the union query adds to each field of a CallTally.

    Calls are in one class (call_classes.py) if they meet the same conditions, so the conditions are
    evaluated once for a class, when it is first looked up. A value is a list of (field of
    CallTally, index of the row's value that is added to it). Index 0 is the number of calls, the
    next ones are the sums of _SUMMED_COLUMNS.
    """

    def __init__(self, classifier: CallClassifier, service_level_seconds: float) -> None:
        """Take the classes from `classifier`, and the conditions for this service level."""
        self._classifier, self._tally_sums = classifier, tally_sums(service_level_seconds)

    def __missing__(self, call_class: str) -> list[tuple[str, int]]:
        """Find out the addends of a class that is looked up for the first time, and store them.

        A field has an addend if the calls of the class meet its condition. The fields of
        _RESULT_COLUMNS have no condition: their sum is always added.
        """
        call = self._classifier.representative_call(call_class)
        columns = ("", *_SUMMED_COLUMNS)  # "": the number of calls, as in ConditionalSum
        addends = [
            (name, columns.index(tally_sum.column))
            for name, tally_sum in self._tally_sums.items()
            if tally_sum.condition.holds(call)
        ]
        self[call_class] = [*addends, *((name, columns.index(name)) for name in _RESULT_COLUMNS)]
        return self[call_class]


@dataclass(frozen=True)
class CallFormCounts:
    """The number of accepted calls, and how many of them have a call form (form №2)."""

    accepted: int
    with_call_form: int

    @property
    def share(self) -> Rate:
        """The percentage of the accepted calls that have a call form."""
        return percentage_rate(self.with_call_form, self.accepted)


def count_call_forms(period: Period) -> CallFormCounts:
    """Count the accepted calls of a period, and those of them that have a call form (form №2)."""
    accepted = CallFilter(period, {"outcome": "answered"})
    columns = fn.COUNT(Call.id), count_where(call_filters.has_form())
    accepted_count, with_form_count = (
        Call.select(*columns).where(*sql_conditions(accepted)).tuples()[0]
    )
    return CallFormCounts(accepted_count, with_form_count or 0)


def count_excluded_calls(period: Period) -> ExcludedCallCounts:
    """Count the period's inbound calls that the balance includes but tables or rates exclude."""
    in_period = (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        Call.direction == "inbound",
    )
    columns = (
        count_where(Call.short),
        count_where(Call.synthetic),
        count_where(Call.synthetic & ANSWERED.sql),
        count_where(~COUNTED.sql & ~Call.synthetic),
    )
    return ExcludedCallCounts(
        *(total or 0 for total in Call.select(*columns).where(*in_period).tuples()[0])
    )
