"""Calls that go on at this moment, with what happens in each."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from appliance.core.clock import moment
from appliance.core.statements import Question, some
from appliance.models import Call, QueueVisit, Ring, Talk

STAGES = ("menu", "queue", "ringing", "talk", "rating")  # in the order of a call's life

_OPEN = Question(
    lambda: Call.select().where(Call.ended_at.is_null(), ~Call.synthetic).order_by(Call.arrived_at)
)
# call, whose, since when, until when
_VISITS = Question(
    lambda: (
        QueueVisit.select(
            QueueVisit.call, QueueVisit.queue, QueueVisit.joined_at, QueueVisit.left_at
        )
        .where(some(QueueVisit.call, "ids"))
        .order_by(QueueVisit.position)
    )
)
_TALKS = Question(
    lambda: (
        Talk.select(Talk.call, Talk.who, Talk.started_at, Talk.ended_at)
        .where(some(Talk.call, "ids"))
        .order_by(Talk.position)
    )
)
_RINGING = Question(
    lambda: (
        Ring.select(QueueVisit.call, Ring.operator, Ring.started_at, Ring.ended_at)
        .join(QueueVisit)
        .where(some(QueueVisit.call, "ids"), Ring.ended_at.is_null())
    )
)


class _Part(NamedTuple):
    """A queue, an operator who rings or one who speaks (`who`), since when and until when."""

    who: str
    begin: dt.datetime
    end: dt.datetime | None


@dataclass(frozen=True)
class LiveCall:
    """One call: its stage since a moment, and who rings or speaks (logins, employees' numbers)."""

    call: Call
    stage: str
    since: dt.datetime
    waits_since: dt.datetime | None  # joined a queue, and nobody has answered yet
    queue: str
    who: tuple[str, ...]


def going_on() -> list[LiveCall]:
    """Every call that has not ended, the oldest first; test calls left out."""
    calls = _OPEN.rows()
    ids = [call.id for call in calls]
    visits = _by_call(_VISITS, ids)
    talks = _by_call(_TALKS, ids)
    rings = _by_call(_RINGING, ids)
    return [
        _live_call(call, visits[call.id], rings[call.id], talks[call.id])
        for call in calls
        if call.direction != "internal" or talks[call.id]  # who only listens in is no call
    ]


def _by_call(question: Question, ids: list[str]) -> dict[str, list[_Part]]:
    """What a question finds of each of these calls, in order."""
    found: dict[str, list[_Part]] = {id: [] for id in ids}
    for call, who, begin, end in question.ask(ids=ids):
        found[call].append(_Part(who, moment(begin), end if end is None else moment(end)))
    return found


def _live_call(call: Call, visits: list[_Part], rings: list[_Part], talks: list[_Part]) -> LiveCall:
    waits = [visit for visit in visits if visit.end is None]
    speaks = [talk for talk in talks if talk.end is None]
    # Queues joined one after the other before anybody answered are one wait.
    joined = (visits[0] if not talks else waits[-1]).begin if waits else None
    ended = max((t.end for t in talks if t.end), default=None)
    if speaks:
        stage, since = "talk", speaks[0].begin
        who = [talk.who for talk in speaks]
    elif rings:
        stage, since = "ringing", joined or rings[0].begin
        who = [ring.who for ring in rings]
    elif joined:
        stage, since, who = "queue", joined, []
    else:
        stage = call.stage if call.stage in STAGES else "menu"
        since, who = ended or call.arrived_at, []
    queue = waits[-1].who if waits else ""
    return LiveCall(call, stage, since, joined, queue, tuple(who))
