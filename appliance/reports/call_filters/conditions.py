"""What may be asked of a call: each condition with its value, as an expression over Call."""

import datetime as dt
import functools
import operator
import re
from collections.abc import Callable, Iterable

from peewee import Expression, Node, SelectQuery, fn

from appliance.casework import forms
from appliance.core.clock import WorkingCalendar
from appliance.models import Call, FollowUp, QueueVisit, Ring, Talk, Transfer
from appliance.reports import periods, wallclock
from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.parts import (
    KEYS,
    has_appeal,
    has_form,
    has_transfer,
    key,
    own_key,
)
from appliance.reports.periods import Period
from appliance.reports.sums import (
    ANSWERED,
    COUNTED,
    ELIGIBLE,
    GAVE_UP,
    JOINED,
    MISSED,
    OPEN,
    RATED,
    RESPONDED,
    SHORT,
    marked,
)
from appliance.telephony.calls.outcomes import FOLLOWED_UP, NOT_COUNTED, OUTCOMES

NONE = "-"  # stands for "has none": no language, no appeal's region …
_EPOCH = dt.date(1970, 1, 1)


def _is(name: str) -> Callable[[CallFilter, str], Expression]:
    def condition(call_filter: CallFilter, value: str) -> Expression:
        found = key(name)
        return _null(found) if value == NONE else (found == value)

    return condition


def _null(node: Node) -> Expression:
    return Expression(node, "IS", None)


def _outcome(call_filter: CallFilter, value: str) -> Expression:
    if value == "open":
        return OPEN.sql
    if value == "missed":
        return MISSED.sql
    if value == "left":  # neither spoken with nor hung up in the queue
        return OPEN.sql | (~ANSWERED & ~GAVE_UP).sql
    if value not in OUTCOMES:
        raise ValueError(value)
    return Call.outcome == value


def _flag(condition: Callable[[], Expression]) -> Callable[[CallFilter, str], Expression]:
    return lambda call_filter, value: condition() if value == "1" else ~condition()


def _range(text: str, pattern: str = r"\d+(?:\.\d+)?") -> tuple[float | None, float | None]:
    """ "5-10", "-5", "90-" as bounds. Raises ValueError."""
    found = re.fullmatch(rf"({pattern})?-({pattern})?", text, re.ASCII)
    if not found or text == "-":
        raise ValueError(text)
    low, high = found.groups()
    return (float(low) if low else None, float(high) if high else None)


def _wait(call_filter: CallFilter, value: str) -> Expression:
    """Seconds: above the first bound, up to the second one and with it."""
    low, high = _range(value)
    condition = Call.wait_seconds.is_null(False)
    if low is not None:
        condition &= Call.wait_seconds > low
    if high is not None:
        condition &= Call.wait_seconds <= high
    return condition


def _hour(call_filter: CallFilter, value: str) -> Expression:
    return wallclock.hour(call_filter.period) == _number(value, 0, 23)


def _weekday(call_filter: CallFilter, value: str) -> Expression:
    """1 is Monday."""
    return wallclock.weekday(call_filter.period) == _number(value, 1, 7)


def _work(call_filter: CallFilter, value: str) -> Expression:
    """ "inside" or "outside" the ministry's working hours."""
    if not call_filter.calendar or value not in ("inside", "outside"):
        raise ValueError(value)
    working = [
        (day - _EPOCH).days for day in call_filter.period.days if call_filter.calendar.works_on(day)
    ]
    inside = (wallclock.local(call_filter.period) / wallclock.DAY).in_(working) & wallclock.between(
        wallclock.of_the_day(call_filter.period),
        call_filter.calendar.opens,
        call_filter.calendar.closes,
    )
    return inside if value == "inside" else ~inside


def _time(call_filter: CallFilter, value: str) -> Expression:
    """From one time of the day to another, "20:00-08:00"; several, one after the other by commas.

    What is in none of them: "!08:00-20:00".
    """
    rest = wallclock.of_the_day(call_filter.period)
    edges = (
        map(dt.time.fromisoformat, one.split("-")) for one in value.removeprefix("!").split(",")
    )
    parts = [wallclock.between(rest, opens, closes) for opens, closes in edges]
    among = functools.reduce(operator.or_, parts)
    return ~among if value.startswith("!") else among


def _days(call_filter: CallFilter, value: str) -> Expression:
    """From one date to another, "01.10.2026-09.10.2026"; several stretches by commas."""
    parts = [
        (Call.arrived_at >= part.begin) & (Call.arrived_at < part.end)
        for part in periods.read(value, call_filter.period.tz)
    ]
    return functools.reduce(operator.or_, parts)


def _all(call_filter: CallFilter, value: str) -> Expression:
    """Every arrival; only "1" can be asked."""
    if value != "1":
        raise ValueError(value)
    return Call.id.is_null(False)


def _direction(call_filter: CallFilter, value: str) -> Expression:
    """The outgoing calls, or "both": incoming ones too."""
    if value not in ("outbound", "both"):
        raise ValueError(value)
    return Call.direction.in_(("inbound", "outbound") if value == "both" else (value,))


def _number(text: str, low: int, high: int) -> int:
    if not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


def _rated(call_filter: CallFilter, value: str) -> Expression:
    """A mark, "any" mark, "eligible" to give one, or "responded": eligible, and gave one."""
    named = {"any": RATED, "eligible": ELIGIBLE, "responded": RESPONDED}
    return (named.get(value) or marked(_number(value, 1, 5))).sql


def _times(call_filter: CallFilter, value: str) -> Expression:
    """By a number that called so often in the period: "2-3", "6-"."""
    low, high = _range(value, r"\d+")
    count = fn.COUNT(Call.id)
    having = [count >= low] if low is not None else []
    having += [count <= high] if high is not None else []
    return Call.caller.in_(repeated(call_filter).having(*having).select(Call.caller))


def repeated(call_filter: CallFilter) -> SelectQuery:
    """Number → how many calls, of the filter before it was narrowed down by "times"."""
    whole = call_filter.with_(times=None, caller=None)
    return (
        Call.select(Call.caller, fn.COUNT(Call.id).alias("times"))
        .where(*conditions_of(whole), Call.caller.is_null(False))
        .group_by(Call.caller)
    )


def _caller(call_filter: CallFilter, value: str) -> Expression:
    return _null(Call.caller) if value == NONE else (Call.caller == value)


def _queue(call_filter: CallFilter, value: str) -> Expression:
    """Calls that stood in a queue: "uz", or with what became of the visit, "uz:answered"."""
    name, _, result = value.partition(":")
    visit = QueueVisit.alias()
    found = visit.select(visit.id).where(visit.call == Call.id, visit.queue == name)
    return fn.EXISTS(found.where(_result(visit.result, result)) if result else found)


def _result(column: Node, value: str) -> Expression:
    """What became of it; "open" while it goes on."""
    return _null(column) if value == "open" else (column == value)


def _spoke(call_filter: CallFilter, value: str) -> Expression:
    """Calls in which this operator spoke, first or later."""
    talk = Talk.alias()
    found = talk.select(talk.id).where(talk.call == Call.id, talk.who == value)
    return fn.EXISTS(found.where(talk.party == "operator"))


def _placed(call_filter: CallFilter, value: str) -> Expression:
    """Outgoing calls that this operator placed and that were answered."""
    talk = Talk.alias()
    found = talk.select(talk.id).where(talk.call == Call.id, talk.party == "outside")
    return (Call.by == value) & fn.EXISTS(found.where(talk.ended_at.is_null(False)))


def _unanswered(call_filter: CallFilter, value: str) -> Expression:
    """Calls for which this operator's phone rang in vain."""
    visit, ring = QueueVisit.alias(), Ring.alias()
    return Call.id.in_(
        ring.select(visit.call)
        .join(visit, on=ring.visit == visit.id)
        .where(
            ring.operator == value,
            ring.started_at >= call_filter.period.begin,
            ring.result == "no_answer",
        )
    )


def _task(call_filter: CallFilter, value: str) -> Expression:
    """Of a task of the register: its missed calls; outgoing: our calls that reached nobody."""
    task = FollowUp.get_or_none(FollowUp.id == _number(value, 1, 2**62))
    if task is None:
        raise ValueError(value)
    outgoing = "direction" in call_filter.conditions
    at = Call.ended_at if outgoing else Call.arrived_at
    until = [at <= task.closed_at] if task.closed_at else []
    spoken = fn.EXISTS(Talk.select(Talk.id).where(Talk.call == Call.id))
    conditions = [Call.callee == task.number] if outgoing else _missed(task.number)
    return functools.reduce(operator.and_, [at >= task.opened_at, *until, *conditions, ~spoken])


def _missed(number: str) -> list[Expression]:
    """What the register takes for a missed call of a number."""
    asked_for = fn.COALESCE(fn.NULLIF(Call.callee, ""), Call.caller) == number
    theirs = (Call.caller == number) | (Call.callee == number)
    requested = Call.outcome == "callback"
    return [Call.outcome.in_(FOLLOWED_UP), (requested & asked_for) | (~requested & theirs)]


def _transfer(call_filter: CallFilter, value: str) -> Expression:
    """Calls handed on: "1" any, "0" none, or "blind:answered", of a kind with a result."""
    if value in ("0", "1"):
        return has_transfer() if value == "1" else ~has_transfer()
    kind, _, result = value.partition(":")
    found = Transfer.select(Transfer.id).where(Transfer.call == Call.id, Transfer.kind == kind)
    if result == "returned":
        return fn.EXISTS(found.where(Transfer.returned))
    return fn.EXISTS(found.where(_result(Transfer.result, result)) if result else found)


CONDITIONS: dict[str, Callable[[CallFilter, str], Expression]] = {
    **{name: _is(name) for name in KEYS},
    "outcome": _outcome,
    "short": _flag(lambda: (GAVE_UP & SHORT).sql),
    "joined": _flag(lambda: JOINED.sql),
    "wait": _wait,
    "hour": _hour,
    "weekday": _weekday,
    "work": _work,
    "time": _time,
    "days": _days,
    "direction": _direction,
    "all": _all,
    "rated": _rated,
    "appeal": _flag(has_appeal),
    "form": _flag(has_form),
    "transfer": _transfer,
    "times": _times,
    "caller": _caller,
    "task": _task,
    "queue": _queue,
    "spoke": _spoke,
    "placed": _placed,
    "unanswered": _unanswered,
}


def _condition(name: str) -> Callable[[CallFilter, str], Expression]:
    """The condition of this name, one of CONDITIONS or an added field. Raises ValueError."""
    if name in CONDITIONS:
        return CONDITIONS[name]
    if name not in {own_key(form, field.name) for form, field in forms.counted()}:
        raise ValueError(name)
    return _is(name)


FLAGS = ("short", "joined", "appeal", "form", "transfer")  # "1" yes, "0" no


def conditions_of(call_filter: CallFilter) -> tuple[Expression, ...]:
    """The filter as conditions on Call, the period's first: it is what the index serves."""
    conditions, period = call_filter.conditions, call_filter.period
    every = "all" in conditions
    return (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        *([] if "direction" in conditions else [Call.direction == "inbound"]),
        *([] if every else [~Call.synthetic]),
        *([] if every or conditions.get("outcome") in NOT_COUNTED else [COUNTED.sql]),
        *(_condition(name)(call_filter, value) for name, value in conditions.items()),
    )


def from_address(
    period: Period, args: Iterable[tuple[str, str]], calendar: WorkingCalendar | None = None
) -> CallFilter:
    """The filter of an address; what is no condition, or none possible, is passed over."""
    known = {name: value for name, value in args if value}
    call_filter = CallFilter(period, known, calendar)
    return call_filter.with_(
        **{name: None for name, value in known.items() if not _possible(call_filter, name)}
    )


def _possible(call_filter: CallFilter, name: str) -> bool:
    try:
        _condition(name)(call_filter, call_filter.conditions[name])
    except ValueError:
        return False
    return True
