"""The conditions of filters: functions from a filter and a value to an SQL expression on Call.

They raise ValueError for a value that they do not understand. All have the same parameters, because
some conditions depend on the period or the calendar of the filter.
"""

import datetime as dt
import functools
import operator
import re
from collections.abc import Callable

from peewee import Expression, Node, fn

from appliance.models import Call, FollowUp, QueueVisit, Ring, Talk, Transfer
from appliance.reports import periods, wallclock
from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.definition import MISSING_VALUE, Condition, Dimension
from appliance.reports.call_filters.expressions import first_record_column, has_transfer
from appliance.reports.sums import (
    ABANDONED,
    ANSWERED,
    ELIGIBLE_AND_RATED,
    MISSED,
    OPEN,
    RATED,
    RATING_ELIGIBLE,
    mark_condition,
)
from appliance.telephony.calls import FOLLOW_UP_CODES, INBOUND_CODES

_EPOCH = dt.date(1970, 1, 1)


def dimension_condition(dimension: Dimension) -> Condition:
    """Return the condition of the filter by a dimension, such as the region.

    Like the other conditions here, it is a function from a filter and a value to an SQL expression.
    A call meets it if the call has that value in the dimension; "-" selects calls without a value.
    """

    def has_value(call_filter: CallFilter, value: str) -> Expression:
        """Return the SQL condition that a call has this value in the dimension."""
        expression = dimension.expression(first_record_column)
        return _is_null(expression) if value == MISSING_VALUE else (expression == value)

    return has_value


def _is_null(node: Node) -> Expression:
    """Return the condition that an expression is NULL; a subquery has no is_null()."""
    return Expression(node, "IS", None)


def outcome_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call has an outcome, or one of "missed", "left" or "open".

    "open" are calls in progress, "missed" ended without an answer. "left" are calls that were
    neither answered nor hung up in the queue, including calls in progress.
    """
    if value == "open":
        return OPEN.sql
    if value == "missed":
        return MISSED.sql
    if value == "left":
        # OPEN is stated, because the comparisons give NULL for a call without an outcome
        return OPEN.sql | (~ANSWERED & ~ABANDONED).sql
    if value not in INBOUND_CODES:
        raise ValueError(value)
    return Call.outcome == value


def flag_condition(condition: Callable[[], Expression]) -> Condition:
    """Return the condition of a yes-or-no filter: a function from a filter and a value to SQL.

    The value "1" selects calls that meet the SQL expression that `condition` returns; any other
    value, by convention "0", selects the calls that do not.
    """
    return lambda call_filter, value: condition() if value == "1" else ~condition()


def parse_range(text: str, pattern: str = r"\d+(?:\.\d+)?") -> tuple[float | None, float | None]:
    """Parse "5-10", "-5" or "90-" as (low, high); a missing bound is None.

    `pattern` is the regular expression of a bound, by default a decimal number. Raises ValueError
    for any other text.
    """
    match = re.fullmatch(rf"({pattern})?-({pattern})?", text, re.ASCII)
    if not match or text == "-":
        raise ValueError(text)
    low, high = match.groups()
    return (float(low) if low else None, float(high) if high else None)


def wait_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call waited in queues for a number of seconds, "5-10".

    That is, more than the first number and at most the second. A bound may be missing: "-5", "90-".
    """
    low, high = parse_range(value)
    condition = Call.wait_seconds.is_null(False)
    if low is not None:
        condition &= Call.wait_seconds > low
    if high is not None:
        condition &= Call.wait_seconds <= high
    return condition


def hour_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call arrived in a local hour of the day, 0 to 23."""
    return wallclock.hour_of_day(call_filter.period) == _parse_number(value, 0, 23)


def weekday_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call arrived on a local weekday; 1 is Monday."""
    return wallclock.weekday_number(call_filter.period) == _parse_number(value, 1, 7)


def working_hours_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call arrived "inside" or "outside" the ministry's working hours.

    Raises ValueError for another value, or if the filter has no calendar.
    """
    if not call_filter.calendar or value not in ("inside", "outside"):
        raise ValueError(value)
    working_days = [
        (day - _EPOCH).days
        for day in call_filter.period.days
        if call_filter.calendar.is_working_day(day)
    ]
    inside = (wallclock.local_microseconds(call_filter.period) / wallclock.DAY_MICROSECONDS).in_(
        working_days
    ) & wallclock.time_of_day_condition(
        wallclock.microseconds_of_day(call_filter.period),
        call_filter.calendar.opens,
        call_filter.calendar.closes,
    )
    return inside if value == "inside" else ~inside


def time_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call arrived in ranges of times of day, "20:00-08:00".

    Ranges are separated by commas; their second time is excluded. A leading "!" selects the calls
    outside these ranges instead: "!08:00-20:00".
    """
    time_of_day = wallclock.microseconds_of_day(call_filter.period)
    edges = (
        map(dt.time.fromisoformat, range_text.split("-"))
        for range_text in value.removeprefix("!").split(",")
    )
    ranges = [
        wallclock.time_of_day_condition(time_of_day, opens, closes) for opens, closes in edges
    ]
    in_ranges = functools.reduce(operator.or_, ranges)
    return ~in_ranges if value.startswith("!") else in_ranges


def days_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call arrived in ranges of dates, "01.10.2026-09.10.2026".

    Ranges are separated by commas; both dates are included.
    """
    ranges = [
        (Call.arrived_at >= period.begin) & (Call.arrived_at < period.end)
        for period in periods.parse_periods(value, call_filter.period.tz)
    ]
    return functools.reduce(operator.or_, ranges)


def all_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return a condition that every call meets; the only valid value is "1".

    A filter with it also selects rejected calls and test calls, because sql_conditions() then
    leaves out the conditions that exclude them.
    """
    if value != "1":
        raise ValueError(value)
    return Call.id.is_null(False)


def direction_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call is outgoing ("outbound"), or incoming or outgoing ("both").

    Without it, sql_conditions() selects incoming calls only.
    """
    if value not in ("outbound", "both"):
        raise ValueError(value)
    return Call.direction.in_(("inbound", "outbound") if value == "both" else (value,))


def _parse_number(text: str, low: int, high: int) -> int:
    """Parse an integer from `low` to `high`; raises ValueError for any other text."""
    if not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


def rating_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that an accepted call was or could be rated by its caller.

    The value is a mark 1 to 5, "any" (rated with any mark), "eligible" (the operator hung up first,
    so that the menu asked the caller for a mark), or "responded" (eligible and rated). A call that
    is not eligible may be rated by SMS.
    """
    condition_of_name = {"any": RATED, "eligible": RATING_ELIGIBLE, "responded": ELIGIBLE_AND_RATED}
    return (condition_of_name.get(value) or mark_condition(_parse_number(value, 1, 5))).sql


def caller_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call is from this number; "-" selects hidden numbers."""
    return _is_null(Call.caller) if value == MISSING_VALUE else (Call.caller == value)


def queue_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call was in the queue of this name, such as "uz".

    With "uz:answered" a visit to the queue must have that result; "uz:open" means a visit in
    progress.
    """
    name, _, result = value.partition(":")
    visit = QueueVisit.alias()
    visits = visit.select(visit.id).where(visit.call == Call.id, visit.queue == name)
    return fn.EXISTS(visits.where(_result_condition(visit.result, result)) if result else visits)


def _result_condition(column: Node, value: str) -> Expression:
    """Return the condition that a column equals a result; "open" means that it has no result."""
    return _is_null(column) if value == "open" else (column == value)


def talked_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that the operator with this login talked in the call.

    It does not matter whether other operators talked before.
    """
    talk = Talk.alias()
    talks = talk.select(talk.id).where(talk.call == Call.id, talk.who == value)
    return fn.EXISTS(talks.where(talk.party == "operator"))


def placed_by_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that the operator with this login placed the call, and it was answered.

    A talk that is still in progress does not count as answered.
    """
    talk = Talk.alias()
    talks = talk.select(talk.id).where(talk.call == Call.id, talk.party == "outside")
    return (Call.by == value) & fn.EXISTS(talks.where(talk.ended_at.is_null(False)))


def missed_ring_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that the phone of the operator with this login rang unanswered."""
    visit, ring = QueueVisit.alias(), Ring.alias()
    return Call.id.in_(
        ring.select(visit.call)
        .join(visit, on=ring.visit == visit.id)
        .where(
            ring.operator == value,
            # true for every ring of the period's calls; lets the database use an index
            ring.started_at >= call_filter.period.begin,
            ring.result == "no_answer",
        )
    )


def callback_task_condition(call_filter: CallFilter, task_id: str) -> Expression:
    """Return the condition that a missed call belongs to the follow-up task with the id `task_id`.

    A follow-up task is to call a missed caller back; it contains the missed calls of a number from
    its opening until its closing. If the filter has the condition "direction", the unsuccessful
    calls to that number are selected instead. Raises ValueError if there is no such task.
    """
    task = FollowUp.get_or_none(FollowUp.id == _parse_number(task_id, 1, 2**62))
    if task is None:
        raise ValueError(task_id)
    outgoing = "direction" in call_filter.conditions
    # the task counts an attempt to call back at the time when it ended
    moment = Call.ended_at if outgoing else Call.arrived_at
    before_closing = [moment <= task.closed_at] if task.closed_at else []
    has_talk = fn.EXISTS(Talk.select(Talk.id).where(Talk.call == Call.id))
    conditions = [Call.callee == task.number] if outgoing else _missed_call_conditions(task.number)
    return functools.reduce(
        operator.and_, [moment >= task.opened_at, *before_closing, *conditions, ~has_talk]
    )


def _missed_call_conditions(number: str) -> list[Expression]:
    """Return the conditions for the calls that follow-up tasks for a number count as missed.

    A caller who requests a callback can enter another number (`callee`); then the task is for it.
    """
    callback_number_matches = fn.COALESCE(fn.NULLIF(Call.callee, ""), Call.caller) == number
    number_matches = (Call.caller == number) | (Call.callee == number)
    is_callback = Call.outcome == "callback"
    return [
        Call.outcome.in_(FOLLOW_UP_CODES),
        (is_callback & callback_number_matches) | (~is_callback & number_matches),
    ]


def transfer_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that a call was transferred, or a transfer was attempted.

    The value is "1" (any transfer), "0" (no transfer), a kind of transfer, or a kind and a result,
    "blind:answered". The result is "open" for a transfer without a result yet, and "returned" for
    one after which the caller came back to the hotline.
    """
    if value in ("0", "1"):
        return has_transfer() if value == "1" else ~has_transfer()
    kind, _, result = value.partition(":")
    transfers = Transfer.select(Transfer.id).where(Transfer.call == Call.id, Transfer.kind == kind)
    if result == "returned":
        return fn.EXISTS(transfers.where(Transfer.returned))
    return fn.EXISTS(
        transfers.where(_result_condition(Transfer.result, result)) if result else transfers
    )
