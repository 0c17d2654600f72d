"""Questions that pages and reports ask about calls."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from peewee import SQL, Expression, ModelSelect, NodeList, fn

from appliance.core.clock import microseconds
from appliance.core.statements import Question, value
from appliance.models import Call, DialAttempt, FollowUp, QueueVisit, Ring, Talk, Transfer
from appliance.telephony.calls.outcomes import UNREACHED

_GOES_ON = Call.ended_at.is_null()
_UNSOUGHT = NodeList((SQL("+"), Call.reason), glue="")  # by no index: few calls go on
# What every bar and page of an operator asks: his unfinished calls, whatever he does in them.
_OWN = Question(
    lambda: (
        Call.select()
        .where(
            Call.id.in_(
                _rings()
                .union_all(_speaks())
                .union_all(_asked())
                .union_all(_called_back(_UNSOUGHT, _GOES_ON).select(Call.id))
            )
        )
        .order_by(Call.arrived_at.desc(), Call.id.desc())
        .limit(1)
    )
)
_SPOKEN = Question(
    lambda: (
        Call.select()
        .join(Talk)
        .where(Talk.who == value("login"))
        .order_by(Talk.started_at.desc())
        .limit(1)
    )
)
_BACK = Question(lambda: _called_back().order_by(Call.arrived_at.desc()).limit(1))
_REACHED_BACK = Question(
    lambda: (
        _called_back(Call.reason, fn.EXISTS(Talk.select().where(Talk.call == Call.id)))
        .order_by(Call.arrived_at.desc())
        .limit(1)
    )
)
_EARLIER = Question(
    lambda: (
        Call.select()
        .where(_with_number(value("number")), Call.arrived_at < value("before"))
        .order_by(Call.arrived_at.desc())
        .limit(value("limit"))
    )
)
_PASSED_ON = Question(
    lambda: (
        Transfer.select()
        .where(Transfer.call == value("call"), Transfer.by == value("login"))
        .order_by(Transfer.position.desc())
        .limit(1)
    )
)


def call(call_id: str | None) -> Call | None:
    """The call with this id; None when there is none."""
    return Call.get_or_none(Call.id == call_id) if call_id else None


def talks(call: Call) -> list[Talk]:
    """The talks of a call, the first one first."""
    return list(call.talks.order_by(Talk.position))


def spoken_in(login: str, ids: Collection[str]) -> set[str]:
    """Those of some calls in which an operator has spoken."""
    own = (Talk.party == "operator", Talk.who == login, Talk.call.in_(list(ids)))
    return {call for (call,) in Talk.select(Talk.call).where(*own).tuples()}


def failure(call: Call) -> str | None:
    """The Q.850 cause for which the last attempt of a failed call of ours failed, if known."""
    attempt = call.attempts.order_by(DialAttempt.position.desc()).first()
    return attempt.cause if attempt and call.outcome == "failed" else None


def of_operator(login: str) -> Call | None:
    """The operator's newest unfinished call: it rings, speaks, waits, or he calls somebody back."""
    found: Call | None = _OWN.first(login=login)
    return found


def _rings() -> ModelSelect:
    rings = Call.select(Call.id).join(QueueVisit).join(Ring)
    return rings.where(Ring.operator == value("login"), Ring.ended_at.is_null(), _GOES_ON)


def _speaks() -> ModelSelect:
    talks = Call.select(Call.id).join(Talk)
    return talks.where(Talk.who == value("login"), Talk.ended_at.is_null(), _GOES_ON)


def _asked() -> ModelSelect:
    asking = Call.select(Call.id).join(Transfer)
    return asking.where(Transfer.by == value("login"), *_asking(), _GOES_ON)


def _called_back(reason: Any = Call.reason, *conditions: Any) -> ModelSelect:
    """An operator's calls to missed callers, each of which serves their task."""
    task = FollowUp.id == Call.serves.cast("INTEGER")
    named = fn.GLOB("*[^0-9]*", Call.serves) == 0
    back = (Call.direction == "outbound", reason == "follow_up", named)
    calls = Call.select().join(FollowUp, on=task)
    return calls.where(Call.by == value("login"), *back, *conditions)


def asks(login: str, call: Call) -> bool:
    """Whether the operator asks an employee at this moment while the caller waits."""
    return bool(call.ended_at is None and call.transfers.where(_asks(login)).exists())


def failed_transfer(login: str, call: Call) -> Transfer | None:
    """The operator's last attempt to pass the caller on, when nobody was reached by it."""
    last = passed_on(login, call)
    return last if last and last.result in UNREACHED else None


def passed_on(login: str, call: Call) -> Transfer | None:
    """The operator's last attempt to pass the caller on, whatever came of it."""
    found: Transfer | None = _PASSED_ON.first(call=call.id, login=login)
    return found


def _asks(login: str):  # type: ignore[no-untyped-def]  # peewee's expression
    kind, open_, held = _asking()
    return (Transfer.by == login) & kind & open_ & held


def _asking() -> tuple[Any, ...]:
    return Transfer.kind == "attended", Transfer.result.is_null(), ~Transfer.returned


def last_of_operator(login: str) -> Call | None:
    """The newest call in which this operator spoke, ended or not."""
    found = [
        call for call in (_SPOKEN.first(login=login), _REACHED_BACK.first(login=login)) if call
    ]
    return max(found, key=lambda call: call.arrived_at, default=None)


def called_in_vain(login: str, since: dt.datetime) -> Call | None:
    """The operator's newest call back, when it has reached nobody since that moment."""
    last = _BACK.first(login=login)
    ended = last and last.ended_at and last.ended_at >= since
    return last if last and ended and last.outcome in UNREACHED else None


def earlier(call: Call, limit: int = 10) -> list[Call]:
    """Calls from and to the same number before this one, newest first; none for a hidden number."""
    number = call.callee if call.direction == "outbound" else call.caller
    if not number:
        return []
    before = microseconds(call.arrived_at)
    return _EARLIER.rows(number=number, before=before, limit=limit)


def of_number(number: str, limit: int) -> list[Call]:
    """The newest calls from and to a number (normalised)."""
    found = Call.select().where(_with_number(number))
    return list(found.order_by(Call.arrived_at.desc()).limit(limit))


def _with_number(number: Any) -> Expression:
    return (Call.caller == number) | ((Call.callee == number) & (Call.direction == "outbound"))


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
