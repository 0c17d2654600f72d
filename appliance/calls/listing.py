"""A stretch of calls as a list: page by page, and how many of each outcome."""

import datetime as dt
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.models import Call, Talk

OPEN = "open"  # stands for the outcome of calls that go on


@dataclass(frozen=True)
class Listed:
    """One call of a list, with the logins of those who spoke with the caller, in order."""

    call: Call
    outcome: str  # of facts.OUTCOMES, or OPEN
    operators: tuple[str, ...]


def listed(
    begin: dt.datetime, end: dt.datetime, outcome: str | None, limit: int, offset: int = 0
) -> list[Listed]:
    """Inbound calls that arrived in [begin, end), newest first, of one outcome or (None) all."""
    found = list(
        Call.select()
        .where(*_inbound(begin, end), *_of(outcome))
        .order_by(Call.arrived_at.desc(), Call.id)
        .limit(limit)
        .offset(offset)
    )
    spoke: dict[str, list[str]] = {call.id: [] for call in found}
    for talk in Talk.select().where(Talk.call.in_(list(spoke))).order_by(Talk.position):
        if talk.who not in spoke[talk.call_id]:
            spoke[talk.call_id].append(talk.who)
    return [Listed(call, call.outcome or OPEN, tuple(spoke[call.id])) for call in found]


def counted(begin: dt.datetime, end: dt.datetime) -> dict[str, int]:
    """Outcome (or OPEN) → inbound calls that arrived in [begin, end); only those there are."""
    rows = (
        Call.select(Call.outcome, fn.COUNT(Call.id))
        .where(*_inbound(begin, end))
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
