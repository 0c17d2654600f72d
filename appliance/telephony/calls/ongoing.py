"""Calls that go on at this moment, with what happens in each."""

import datetime as dt
from dataclasses import dataclass

from appliance.models import Call, QueueVisit, Ring, Talk

STAGES = ("menu", "queue", "ringing", "talk", "rating")  # in the order of a call's life


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
    open_ones = Call.select().where(Call.ended_at.is_null(), ~Call.synthetic)
    calls = list(open_ones.order_by(Call.arrived_at))
    ids = [call.id for call in calls]
    visits: dict[str, list[QueueVisit]] = {number: [] for number in ids}
    for visit in QueueVisit.select().where(QueueVisit.call.in_(ids)).order_by(QueueVisit.position):
        visits[visit.call_id].append(visit)
    talks: dict[str, list[Talk]] = {number: [] for number in ids}
    for talk in Talk.select().where(Talk.call.in_(ids)).order_by(Talk.position):
        talks[talk.call_id].append(talk)
    rings: dict[str, list[Ring]] = {number: [] for number in ids}
    ringing = Ring.select(Ring, QueueVisit).join(QueueVisit)
    for ring in ringing.where(QueueVisit.call.in_(ids), Ring.ended_at.is_null()):
        rings[ring.visit.call_id].append(ring)
    return [
        _live_call(call, visits[call.id], rings[call.id], talks[call.id])
        for call in calls
        if call.direction != "internal" or talks[call.id]  # who only listens in is no call
    ]


def _live_call(
    call: Call, visits: list[QueueVisit], rings: list[Ring], talks: list[Talk]
) -> LiveCall:
    waits = [visit for visit in visits if visit.left_at is None]
    speaks = [talk for talk in talks if talk.ended_at is None]
    # Queues joined one after the other before anybody answered are one wait.
    joined = (visits[0] if not talks else waits[-1]).joined_at if waits else None
    ended = max((t.ended_at for t in talks if t.ended_at), default=None)
    if speaks:
        stage, since = "talk", speaks[0].started_at
        who = [talk.who for talk in speaks]
    elif rings:
        stage, since = "ringing", joined or rings[0].started_at
        who = [ring.operator for ring in rings]
    elif joined:
        stage, since, who = "queue", joined, []
    else:
        stage = call.stage if call.stage in STAGES else "menu"
        since, who = ended or call.arrived_at, []
    queue = waits[-1].queue if waits else ""
    return LiveCall(call, stage, since, joined, queue, tuple(who))
