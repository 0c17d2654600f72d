"""Calls that are going on now, with the current state of each."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from appliance.core.clock import datetime_from_microseconds
from appliance.core.statements import PreparedQuery, is_one_of_parameter
from appliance.models import Call, QueueVisit, Ring, Talk

STAGES = ("menu", "queue", "ringing", "talk", "rating")  # in the order in which a call passes them

_OPEN_CALLS = PreparedQuery(
    lambda: Call.select().where(Call.ended_at.is_null(), ~Call.synthetic).order_by(Call.arrived_at)
)
# columns: call id, queue or operator, begin, end
_QUEUE_VISITS = PreparedQuery(
    lambda: (
        QueueVisit.select(
            QueueVisit.call, QueueVisit.queue, QueueVisit.joined_at, QueueVisit.left_at
        )
        .where(is_one_of_parameter(QueueVisit.call, "ids"))
        .order_by(QueueVisit.position)
    )
)
_TALKS = PreparedQuery(
    lambda: (
        Talk.select(Talk.call, Talk.who, Talk.started_at, Talk.ended_at)
        .where(is_one_of_parameter(Talk.call, "ids"))
        .order_by(Talk.position)
    )
)
_OPEN_RINGS = PreparedQuery(
    lambda: (
        Ring.select(QueueVisit.call, Ring.operator, Ring.started_at, Ring.ended_at)
        .join(QueueVisit)
        .where(is_one_of_parameter(QueueVisit.call, "ids"), Ring.ended_at.is_null())
    )
)


class _Participation(NamedTuple):
    """A stay in a queue, a ring or a talk; `party` is the queue or the operator."""

    party: str
    begin: dt.datetime
    end: dt.datetime | None


@dataclass(frozen=True)
class LiveCall:
    """One call: its stage (one of STAGES), since when, and who rings or talks.

    `parties` are the logins of operators and the numbers of employees.
    """

    call: Call
    stage: str
    since: dt.datetime
    waiting_since: dt.datetime | None  # when it joined a queue, while nobody has answered yet
    queue: str
    parties: tuple[str, ...]


def live_calls() -> list[LiveCall]:
    """Every call that has not ended, oldest first, without test calls."""
    calls = _OPEN_CALLS.fetch_objects()
    ids = [call.id for call in calls]
    visits = _participations_by_call(_QUEUE_VISITS, ids)
    talks = _participations_by_call(_TALKS, ids)
    rings = _participations_by_call(_OPEN_RINGS, ids)
    return [
        _live_call(call, visits[call.id], rings[call.id], talks[call.id])
        for call in calls
        if call.direction != "internal" or talks[call.id]  # a listening supervisor is not a call
    ]


def _participations_by_call(
    question: PreparedQuery, ids: list[str]
) -> dict[str, list[_Participation]]:
    """Return the rows of a query for each of these calls, in the query's order, by call id."""
    participations: dict[str, list[_Participation]] = {call_id: [] for call_id in ids}
    for call, party, begin, end in question.fetch_tuples(ids=ids):
        participations[call].append(
            _Participation(
                party,
                datetime_from_microseconds(begin),
                end if end is None else datetime_from_microseconds(end),
            )
        )
    return participations


def _live_call(
    call: Call,
    visits: list[_Participation],
    rings: list[_Participation],
    talks: list[_Participation],
) -> LiveCall:
    open_visits = [visit for visit in visits if visit.end is None]
    open_talks = [talk for talk in talks if talk.end is None]
    # Queues joined one after the other before anybody answered count as one wait.
    joined_at = (visits[0] if not talks else open_visits[-1]).begin if open_visits else None
    last_talk_end = max((t.end for t in talks if t.end), default=None)
    if open_talks:
        stage, since = "talk", open_talks[0].begin
        parties = [talk.party for talk in open_talks]
    elif rings:
        stage, since = "ringing", joined_at or rings[0].begin
        parties = [ring.party for ring in rings]
    elif joined_at:
        stage, since, parties = "queue", joined_at, []
    else:
        stage = call.stage if call.stage in STAGES else "menu"
        since, parties = last_talk_end or call.arrived_at, []
    queue = open_visits[-1].party if open_visits else ""
    return LiveCall(call, stage, since, joined_at, queue, tuple(parties))
