"""A stretch of calls as a list: page by page, and how many of each outcome."""

import datetime as dt
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.models import Call, Talk

OPEN = "open"  # stands for the outcome of calls that go on
ORDERS = {
    "arrived": Call.arrived_at,
    "caller": Call.caller,
    "wait": Call.wait_seconds,
    "talk": Call.talk_seconds,
    "rating": Call.rating,
}


@dataclass(frozen=True)
class Listed:
    """One call of a list, with the logins of those who spoke with the caller, in order."""

    call: Call
    outcome: str  # of outcomes.OUTCOMES, or OPEN
    operators: tuple[str, ...]


def listed(
    begin: dt.datetime,
    end: dt.datetime,
    outcome: str | None,
    limit: int,
    offset: int = 0,
    *,
    digits: str = "",
    order: str = "-arrived",
) -> list[Listed]:
    """Inbound calls that arrived in [begin, end), of one outcome or (None) all.

    `digits`: only callers whose number holds them; `order`: a key of ORDERS, the greatest first
    after "-", calls without such a value last. Raises KeyError for no such order.
    """
    field = ORDERS[order.removeprefix("-")]
    sorting = field.desc(nulls="LAST") if order.startswith("-") else field.asc(nulls="LAST")
    found = list(
        Call.select()
        .where(*_inbound(begin, end), *_of(outcome), *_from(digits))
        .order_by(sorting, Call.arrived_at.desc(), Call.id)
        .limit(limit)
        .offset(offset)
    )
    spoke: dict[str, list[str]] = {call.id: [] for call in found}
    for talk in Talk.select().where(Talk.call.in_(list(spoke))).order_by(Talk.position):
        if talk.who not in spoke[talk.call_id]:
            spoke[talk.call_id].append(talk.who)
    return [Listed(call, call.outcome or OPEN, tuple(spoke[call.id])) for call in found]


def counted(begin: dt.datetime, end: dt.datetime, digits: str = "") -> dict[str, int]:
    """Outcome (or OPEN) → inbound calls that arrived in [begin, end); only those there are.

    `digits`: only callers whose number holds them.
    """
    rows = (
        Call.select(Call.outcome, fn.COUNT(Call.id))
        .where(*_inbound(begin, end), *_from(digits))
        .group_by(Call.outcome)
        .tuples()
    )
    return {outcome or OPEN: count for outcome, count in rows}


def talking() -> dict[str, dt.datetime]:
    """Login → since when he speaks, of every operator who is in a call."""
    rows = (
        Talk.select(Talk, Call)
        .join(Call)
        .where(Talk.ended_at.is_null(), Call.ended_at.is_null(), ~Call.synthetic)
    )
    return {talk.who: talk.started_at for talk in rows if talk.party == "operator"}


def talks_ended(since: dt.datetime) -> dict[str, dt.datetime]:
    """Login → when his last talk ended, of every operator whose last one did after `since`."""
    recent = (Call.ended_at > since) | Call.ended_at.is_null()  # no call ends before its talks
    rows = (
        Talk.select(Talk.who, fn.MAX(Talk.ended_at))
        .join(Call)
        .where(recent, Talk.party == "operator", Talk.ended_at > since, ~Call.synthetic)
        .group_by(Talk.who)
        .tuples()
    )
    return dict(rows)


def _inbound(begin: dt.datetime, end: dt.datetime) -> tuple[Expression, ...]:
    return (
        Call.direction == "inbound",
        Call.arrived_at >= begin,
        Call.arrived_at < end,
        ~Call.synthetic,
    )


def _of(outcome: str | None) -> tuple[Expression, ...]:
    if outcome is None:
        return ()
    return (Call.outcome.is_null(),) if outcome == OPEN else (Call.outcome == outcome,)


def _from(digits: str) -> tuple[Expression, ...]:
    return (Call.caller.contains(digits),) if digits else ()
