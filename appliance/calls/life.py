"""One call with all that belongs to it, as its card tells it."""

import datetime as dt
from dataclasses import dataclass

from appliance.models import Appeal, Call, QueueVisit, Recording, Ring, Talk, Transfer


@dataclass(frozen=True)
class Happened:
    """Something in the life of a call: a code that the page words, and what it was about."""

    at: dt.datetime
    what: str  # arrived | queue | ring | talk | transfer | ended
    subject: str = ""
    result: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Card:
    """A call, its life in order, its appeals' numbers and how many recordings it has."""

    call: Call
    life: tuple[Happened, ...]
    appeals: tuple[str, ...]
    recordings: int


def card(call_id: str) -> Card | None:
    """The card of a call, or None when there is no such call."""
    call = Call.get_or_none(Call.id == call_id)
    if call is None:
        return None
    appeals = Appeal.select(Appeal.number).where(Appeal.call_id == call_id).order_by(Appeal.number)
    recordings = Recording.select().where(Recording.call_id == call_id, Recording.seconds > 0)
    return Card(
        call,
        tuple(sorted(_life(call), key=lambda happened: happened.at)),
        tuple(appeal.number for appeal in appeals),
        recordings.count(),
    )


def _life(call: Call) -> list[Happened]:
    life = [Happened(call.arrived_at, "arrived")]
    for visit in QueueVisit.select().where(QueueVisit.call == call):
        life.append(
            Happened(
                visit.joined_at,
                "queue",
                visit.queue,
                visit.result or "",
                _seconds(visit.joined_at, visit.left_at),
            )
        )
        life += [
            Happened(
                ring.started_at,
                "ring",
                ring.operator,
                ring.result or "",
                _seconds(ring.started_at, ring.ended_at),
            )
            for ring in Ring.select().where(Ring.visit == visit)
        ]
    for talk in Talk.select().where(Talk.call == call):
        seconds = _seconds(talk.started_at, talk.ended_at)
        life.append(Happened(talk.started_at, "talk", talk.who, talk.party, seconds))
    for transfer in Transfer.select().where(Transfer.call == call):
        life.append(Happened(transfer.at, "transfer", transfer.to, transfer.result or ""))
    if call.ended_at:
        life.append(Happened(call.ended_at, "ended", call.ended_by or ""))
    return life


def _seconds(begin: dt.datetime, end: dt.datetime | None) -> float | None:
    return (end - begin).total_seconds() if end else None
