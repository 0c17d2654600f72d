"""The inbound calls of a period as a list, page by page, and their number by outcome."""

import datetime as dt
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.models import Call, Talk

OPEN_OUTCOME = "open"  # replaces the outcome of calls that have not ended
SORT_COLUMNS = {
    "arrived": Call.arrived_at,
    "caller": Call.caller,
    "wait": Call.wait_seconds,
    "talk": Call.talk_seconds,
    "rating": Call.rating,
}


@dataclass(frozen=True)
class ListedCall:
    """One call of a list, with the logins of the operators who spoke with the caller, in order."""

    call: Call
    outcome: str  # one of outcomes.INBOUND_CODES, or OPEN_OUTCOME
    operators: tuple[str, ...]


def inbound_page(
    begin: dt.datetime,
    end: dt.datetime,
    outcome: str | None,
    limit: int,
    offset: int = 0,
    *,
    digits: str = "",
    order: str = "-arrived",
) -> list[ListedCall]:
    """Return a page of the inbound calls that arrived in [begin, end).

    Only calls with this `outcome`, if given, are listed, and only callers whose number contains
    `digits`. `order` is a key of SORT_COLUMNS, with "-" before it for descending order; calls
    without a value in that column come last. Raises KeyError for an unknown order.
    """
    column = SORT_COLUMNS[order.removeprefix("-")]
    sorting = column.desc(nulls="LAST") if order.startswith("-") else column.asc(nulls="LAST")
    rows = list(
        Call.select()
        .where(
            *_inbound_conditions(begin, end),
            *_outcome_conditions(outcome),
            *_caller_conditions(digits),
        )
        .order_by(sorting, Call.arrived_at.desc(), Call.id)
        .limit(limit)
        .offset(offset)
    )
    logins_by_call: dict[str, list[str]] = {call.id: [] for call in rows}
    for talk in Talk.select().where(Talk.call.in_(list(logins_by_call))).order_by(Talk.position):
        if talk.who not in logins_by_call[talk.call_id]:
            logins_by_call[talk.call_id].append(talk.who)
    return [
        ListedCall(call, call.outcome or OPEN_OUTCOME, tuple(logins_by_call[call.id]))
        for call in rows
    ]


def count_by_outcome(begin: dt.datetime, end: dt.datetime, digits: str = "") -> dict[str, int]:
    """Return the number of inbound calls that arrived in [begin, end), by outcome.

    Calls that have not ended are counted under OPEN_OUTCOME. Outcomes without calls are left out.
    Only callers whose number contains `digits` are counted.
    """
    rows = (
        Call.select(Call.outcome, fn.COUNT(Call.id))
        .where(*_inbound_conditions(begin, end), *_caller_conditions(digits))
        .group_by(Call.outcome)
        .tuples()
    )
    return {outcome or OPEN_OUTCOME: count for outcome, count in rows}


def talk_begins() -> dict[str, dt.datetime]:
    """Return when the current talk of each operator in a call began, by login."""
    rows = (
        Talk.select(Talk, Call)
        .join(Call)
        .where(Talk.ended_at.is_null(), Call.ended_at.is_null(), ~Call.synthetic)
    )
    return {talk.who: talk.started_at for talk in rows if talk.party == "operator"}


def last_talk_ends(since: dt.datetime) -> dict[str, dt.datetime]:
    """Return when each operator's last talk ended, by login, if that was after `since`."""
    recent = (Call.ended_at > since) | Call.ended_at.is_null()  # no call ends before its talks
    rows = (
        Talk.select(Talk.who, fn.MAX(Talk.ended_at))
        .join(Call)
        .where(recent, Talk.party == "operator", Talk.ended_at > since, ~Call.synthetic)
        .group_by(Talk.who)
        .tuples()
    )
    return dict(rows)


def _inbound_conditions(begin: dt.datetime, end: dt.datetime) -> tuple[Expression, ...]:
    return (
        Call.direction == "inbound",
        Call.arrived_at >= begin,
        Call.arrived_at < end,
        ~Call.synthetic,
    )


def _outcome_conditions(outcome: str | None) -> tuple[Expression, ...]:
    if outcome is None:
        return ()
    return (Call.outcome.is_null(),) if outcome == OPEN_OUTCOME else (Call.outcome == outcome,)


def _caller_conditions(digits: str) -> tuple[Expression, ...]:
    return (Call.caller.contains(digits),) if digits else ()
