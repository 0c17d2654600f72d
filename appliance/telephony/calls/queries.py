"""The queries on calls that pages and reports use."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from peewee import SQL, Expression, ModelSelect, NodeList, fn

from appliance.core.clock import microseconds_since_epoch
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Call, DialAttempt, FollowUp, QueueVisit, Ring, Talk, Transfer
from appliance.telephony.calls.outcomes import UNREACHED_CODES

_IS_OPEN = Call.ended_at.is_null()
# The unary plus keeps SQLite from using the index on this column: so few calls are open that the
# index on open calls is faster.
_REASON_WITHOUT_INDEX = NodeList((SQL("+"), Call.reason), glue="")
# The unfinished calls in which an operator takes part; every page of an operator runs this query.
_CURRENT_CALL = PreparedQuery(
    lambda: (
        Call.select()
        .where(
            Call.id.in_(
                _ringing_calls()
                .union_all(_talking_calls())
                .union_all(_consulting_calls())
                .union_all(_calls_back(_REASON_WITHOUT_INDEX, _IS_OPEN).select(Call.id))
            )
        )
        .order_by(Call.arrived_at.desc(), Call.id.desc())
        .limit(1)
    )
)
_LAST_CALL_WITH_TALK = PreparedQuery(
    lambda: (
        Call.select()
        .join(Talk)
        .where(Talk.who == query_parameter("login"))
        .order_by(Talk.started_at.desc())
        .limit(1)
    )
)
_LAST_CALL_BACK = PreparedQuery(lambda: _calls_back().order_by(Call.arrived_at.desc()).limit(1))
_LAST_REACHED_CALL_BACK = PreparedQuery(
    lambda: (
        _calls_back(Call.reason, fn.EXISTS(Talk.select().where(Talk.call == Call.id)))
        .order_by(Call.arrived_at.desc())
        .limit(1)
    )
)
_EARLIER_CALLS = PreparedQuery(
    lambda: (
        Call.select()
        .where(
            _number_condition(query_parameter("number")),
            Call.arrived_at < query_parameter("before"),
        )
        .order_by(Call.arrived_at.desc())
        .limit(query_parameter("limit"))
    )
)
_LAST_TRANSFER = PreparedQuery(
    lambda: (
        Transfer.select()
        .where(Transfer.call == query_parameter("call"), Transfer.by == query_parameter("login"))
        .order_by(Transfer.position.desc())
        .limit(1)
    )
)


def find_call(call_id: str | None) -> Call | None:
    """The call with this id, if any."""
    return Call.get_or_none(Call.id == call_id) if call_id else None


def talks_of_call(call: Call) -> list[Talk]:
    """The talks of a call, in order."""
    return list(call.talks.order_by(Talk.position))


def calls_with_talk(login: str, ids: Collection[str]) -> set[str]:
    """The ids, out of `ids`, of the calls in which the operator has spoken."""
    conditions = (Talk.party == "operator", Talk.who == login, Talk.call.in_(list(ids)))
    return {call for (call,) in Talk.select(Talk.call).where(*conditions).tuples()}


def failure_cause(call: Call) -> str | None:
    """Return the Q.850 cause of a failed outgoing call's last attempt, if known."""
    attempt = call.attempts.order_by(DialAttempt.position.desc()).first()
    return attempt.cause if attempt and call.outcome == "failed" else None


def current_call(login: str) -> Call | None:
    """Return the operator's newest unfinished call.

    The operator is rung, talks, consults somebody while the caller waits, or calls a caller back.
    """
    call: Call | None = _CURRENT_CALL.fetch_first(login=login)
    return call


def _ringing_calls() -> ModelSelect:
    rings = Call.select(Call.id).join(QueueVisit).join(Ring)
    return rings.where(Ring.operator == query_parameter("login"), Ring.ended_at.is_null(), _IS_OPEN)


def _talking_calls() -> ModelSelect:
    talks = Call.select(Call.id).join(Talk)
    return talks.where(Talk.who == query_parameter("login"), Talk.ended_at.is_null(), _IS_OPEN)


def _consulting_calls() -> ModelSelect:
    consultations = Call.select(Call.id).join(Transfer)
    return consultations.where(
        Transfer.by == query_parameter("login"), *_consultation_conditions(), _IS_OPEN
    )


def _calls_back(reason: Any = Call.reason, *conditions: Any) -> ModelSelect:
    """Return the query for an operator's calls to missed callers (those that serve a task).

    `reason` is the expression for the column; `conditions` restrict the query further.
    """
    task = FollowUp.id == Call.serves.cast("INTEGER")
    has_task_id = fn.GLOB("*[^0-9]*", Call.serves) == 0
    is_call_back = (Call.direction == "outbound", reason == "follow_up", has_task_id)
    calls = Call.select().join(FollowUp, on=task)
    return calls.where(Call.by == query_parameter("login"), *is_call_back, *conditions)


def is_consulting(login: str, call: Call) -> bool:
    """Returns True if the operator is now consulting an employee while the caller waits."""
    return bool(
        call.ended_at is None and call.transfers.where(_consultation_of_operator(login)).exists()
    )


def failed_transfer(login: str, call: Call) -> Transfer | None:
    """The operator's last attempt to pass the caller on, if it reached nobody."""
    transfer = last_transfer(login, call)
    return transfer if transfer and transfer.result in UNREACHED_CODES else None


def last_transfer(login: str, call: Call) -> Transfer | None:
    """The operator's last attempt to pass the caller on, whatever its result."""
    transfer: Transfer | None = _LAST_TRANSFER.fetch_first(call=call.id, login=login)
    return transfer


def _consultation_of_operator(login: str):  # type: ignore[no-untyped-def]  # peewee's expression
    is_attended, is_open, not_returned = _consultation_conditions()
    return (Transfer.by == login) & is_attended & is_open & not_returned


def _consultation_conditions() -> tuple[Any, ...]:
    return Transfer.kind == "attended", Transfer.result.is_null(), ~Transfer.returned


def last_call_with_talk(login: str) -> Call | None:
    """The newest call in which this operator spoke, ended or not."""
    candidates = [
        call
        for call in (
            _LAST_CALL_WITH_TALK.fetch_first(login=login),
            _LAST_REACHED_CALL_BACK.fetch_first(login=login),
        )
        if call
    ]
    return max(candidates, key=lambda call: call.arrived_at, default=None)


def unanswered_call_back(login: str, since: dt.datetime) -> Call | None:
    """The operator's newest call back if it ended since `since` and reached nobody."""
    last_call = _LAST_CALL_BACK.fetch_first(login=login)
    is_recent = last_call and last_call.ended_at and last_call.ended_at >= since
    return last_call if last_call and is_recent and last_call.outcome in UNREACHED_CODES else None


def earlier_calls(call: Call, limit: int = 10) -> list[Call]:
    """Return earlier calls from and to the same number, newest first; [] for a hidden number."""
    number = call.callee if call.direction == "outbound" else call.caller
    if not number:
        return []
    arrived_before = microseconds_since_epoch(call.arrived_at)
    return _EARLIER_CALLS.fetch_objects(number=number, before=arrived_before, limit=limit)


def calls_of_number(number: str, limit: int) -> list[Call]:
    """Return the newest calls from and to a number in its canonical format, newest first."""
    calls = Call.select().where(_number_condition(number))
    return list(calls.order_by(Call.arrived_at.desc()).limit(limit))


def _number_condition(number: Any) -> Expression:
    return (Call.caller == number) | ((Call.callee == number) & (Call.direction == "outbound"))


def inbound_calls(begin: dt.datetime, end: dt.datetime) -> list[Call]:
    """Inbound calls that arrived in [begin, end), oldest first, without synthetic test calls."""
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
