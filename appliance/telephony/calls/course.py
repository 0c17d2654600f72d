"""The course of one call: what happened, in order."""

import datetime as dt
from dataclasses import dataclass

from appliance.core.intervals import total
from appliance.models import Call, QueueVisit, Ring, Talk, Transfer

# What a step tells: `kind`, who or where, what became of it, how many seconds it took.
KINDS = ("arrived", "queue", "ring", "talk", "gap", "transfer", "attempt", "ended")


@dataclass(frozen=True)
class Step:
    """One step. `kind` is one of KINDS; `what` a queue, login, number or trunk."""

    at: dt.datetime
    kind: str
    what: str = ""
    result: str = ""
    seconds: float | None = None


def course(call: Call) -> list[Step]:
    """Everything that the ledger knows of the call's life, oldest first."""
    steps = [Step(call.arrived_at, "arrived", call.trunk or "")]
    for visit in call.visits.order_by(QueueVisit.position):
        seconds = _between(visit.joined_at, visit.left_at)
        steps.append(Step(visit.joined_at, "queue", visit.queue, visit.result or "", seconds))
        steps += [
            Step(
                ring.started_at,
                "ring",
                ring.operator,
                ring.result or "",
                _between(ring.started_at, ring.ended_at),
            )
            for ring in visit.rings.order_by(Ring.started_at)
            if ring.result != "answered"
        ]
    for talk in call.talks.order_by(Talk.position):
        seconds = total(talk.spoken) if talk.ended_at else None
        steps.append(Step(talk.started_at, "talk", talk.who, talk.party, seconds))
        steps += [
            Step(gap.started_at, "gap", talk.who, "", _between(gap.started_at, gap.ended_at))
            for gap in talk.gaps
        ]
    for transfer in call.transfers.order_by(Transfer.position):
        result = "returned" if transfer.returned else transfer.result or ""
        steps.append(Step(transfer.at, "transfer", transfer.to, result))
    steps += [
        Step(attempt.at, "attempt", attempt.trunk, attempt.status)
        for attempt in call.attempts
        if attempt.status != "ANSWER"
    ]
    if call.ended_at:
        steps.append(Step(call.ended_at, "ended", "", call.ended_by or ""))
    return sorted(steps, key=lambda step: (step.at, KINDS.index(step.kind)))


def _between(begin: dt.datetime, end: dt.datetime | None) -> float | None:
    return (end - begin).total_seconds() if end else None
