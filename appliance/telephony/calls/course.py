"""The course of one call: its steps, in order."""

import datetime as dt
from dataclasses import dataclass

from appliance.core.intervals import total_seconds
from appliance.models import Call, QueueVisit, Ring, Talk, Transfer

# The kinds of steps; of several steps at the same time, the one named earlier here comes first.
STEP_KINDS = ("arrived", "queue", "ring", "talk", "gap", "transfer", "attempt", "ended")


@dataclass(frozen=True)
class CallStep:
    """One step of a call.

    `kind` is one of STEP_KINDS; `subject` is a queue, login, number or trunk; `result` is how the
    step ended; `seconds` is how long it took.
    """

    at: dt.datetime
    kind: str
    subject: str = ""
    result: str = ""
    seconds: float | None = None


def call_steps(call: Call) -> list[CallStep]:
    """Every step of the call that the ledger contains, oldest first."""
    steps = [CallStep(call.arrived_at, "arrived", call.trunk or "")]
    for visit in call.visits.order_by(QueueVisit.position):
        seconds = _seconds_between(visit.joined_at, visit.left_at)
        steps.append(CallStep(visit.joined_at, "queue", visit.queue, visit.result or "", seconds))
        steps += [
            CallStep(
                ring.started_at,
                "ring",
                ring.operator,
                ring.result or "",
                _seconds_between(ring.started_at, ring.ended_at),
            )
            for ring in visit.rings.order_by(Ring.started_at)
            if ring.result != "answered"
        ]
    for talk in call.talks.order_by(Talk.position):
        seconds = total_seconds(talk.speech_intervals) if talk.ended_at else None
        steps.append(CallStep(talk.started_at, "talk", talk.who, talk.party, seconds))
        steps += [
            CallStep(
                gap.started_at, "gap", talk.who, "", _seconds_between(gap.started_at, gap.ended_at)
            )
            for gap in talk.gaps
        ]
    for transfer in call.transfers.order_by(Transfer.position):
        result = "returned" if transfer.returned else transfer.result or ""
        steps.append(CallStep(transfer.at, "transfer", transfer.to, result))
    steps += [
        CallStep(attempt.at, "attempt", attempt.trunk, attempt.status)
        for attempt in call.attempts
        if attempt.status != "ANSWER"
    ]
    if call.ended_at:
        steps.append(CallStep(call.ended_at, "ended", "", call.ended_by or ""))
    return sorted(steps, key=lambda step: (step.at, STEP_KINDS.index(step.kind)))


def _seconds_between(begin: dt.datetime, end: dt.datetime | None) -> float | None:
    return (end - begin).total_seconds() if end else None
