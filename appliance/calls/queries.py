"""Questions that pages and reports ask about calls."""

import datetime as dt

from appliance.models import Call, QueueVisit, Ring, Talk


def of_operator(login: str) -> Call | None:
    """The unfinished call that rings at or speaks with this operator, newest first."""
    ringing = (
        Call.select()
        .join(QueueVisit)
        .join(Ring)
        .where(Ring.operator == login, Ring.ended_at.is_null(), Call.ended_at.is_null())
    )
    talking = (
        Call.select()
        .join(Talk)
        .where(Talk.who == login, Talk.ended_at.is_null(), Call.ended_at.is_null())
    )
    return (ringing | talking).order_by(Call.arrived_at.desc()).first()


def last_of_operator(login: str) -> Call | None:
    """The newest call in which this operator spoke, ended or not."""
    return (
        Call.select().join(Talk).where(Talk.who == login).order_by(Talk.started_at.desc()).first()
    )


def earlier(call: Call, limit: int = 10) -> list[Call]:
    """Calls from and to the same number before this one, newest first; none for a hidden number."""
    number = call.callee if call.direction == "outbound" else call.caller
    if not number:
        return []
    theirs = Call.caller == number
    ours = (Call.callee == number) & (Call.direction == "outbound")
    return list(
        Call.select()
        .where(theirs | ours, Call.arrived_at < call.arrived_at)
        .order_by(Call.arrived_at.desc())
        .limit(limit)
    )


def inbound(begin: dt.datetime, end: dt.datetime) -> list[Call]:
    """Inbound calls that arrived in [begin, end), oldest first, synthetic test calls left out."""
    return list(
        Call.select()
        .where(
            Call.direction == "inbound",
            Call.arrived_at >= begin,
            Call.arrived_at < end,
            ~Call.synthetic,
        )
        .order_by(Call.arrived_at)
    )
