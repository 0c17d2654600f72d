"""Calls as other programs read them."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from appliance.models import Appeal, Call, QueueVisit, Recording, Ring, Talk


def export(begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """Calls that arrived in [begin, end), oldest first, each as one JSON object.

    Moments are ISO 8601 with offset (UTC), lengths seconds.
    """
    within = (Call.arrived_at >= begin, Call.arrived_at < end)
    for call in Call.select().where(*within).order_by(Call.arrived_at, Call.id):
        talks = list(Talk.select().where(Talk.call == call).order_by(Talk.position))
        yield {
            "id": call.id,
            "direction": call.direction,
            "arrived_at": _moment(call.arrived_at),
            "ended_at": _moment(call.ended_at),
            "hotline_number": call.hotline_number,
            "diverted_from": call.diverted_from,
            "caller": call.caller,
            "callee": call.callee,
            "trunk": call.trunk,
            "technology": call.technology,
            "language": call.language,
            "menu": call.menu,
            "outcome": call.outcome,
            "short": call.short,
            "synthetic": call.synthetic,
            "menu_seconds": _seconds(call.menu_seconds),
            "wait_seconds": _seconds(call.wait_seconds),
            "talk_seconds": _seconds(call.talk_seconds),
            "hold_seconds": _seconds(call.hold_seconds),
            "ended_by": call.ended_by,
            "queue_visits": [_visit(visit) for visit in _visits(call)],
            "talks": [
                {
                    "with": talk.party,
                    "who": talk.who,
                    "extension": talk.extension,
                    "from": _moment(talk.started_at),
                    "to": _moment(talk.ended_at),
                }
                for talk in talks
            ],
            "transfers": [],
            "rating": call.rating,
            "rating_channel": call.rating_channel,
            "recordings": [
                {"file": r.file, "seconds": _seconds(r.seconds), "sha256": r.sha256}
                for r in Recording.select()
                .where(Recording.call_id == call.id, Recording.seconds > 0)
                .order_by(Recording.file)
            ],
            "registration": Appeal.select(Appeal.number)
            .where(Appeal.call_id == call.id)
            .order_by(Appeal.number)
            .limit(1)
            .scalar(),
        }


def _visits(call: Call) -> list[QueueVisit]:
    return list(QueueVisit.select().where(QueueVisit.call == call).order_by(QueueVisit.position))


def _visit(visit: QueueVisit) -> dict[str, Any]:
    rings = Ring.select().where(Ring.visit == visit).order_by(Ring.started_at)
    return {
        "queue": visit.queue,
        "joined_at": _moment(visit.joined_at),
        "left_at": _moment(visit.left_at),
        "result": visit.result,
        "rings": [
            {
                "operator": ring.operator,
                "extension": ring.extension,
                "seconds": _seconds((ring.ended_at - ring.started_at).total_seconds())
                if ring.ended_at
                else None,
                "result": ring.result,
            }
            for ring in rings
        ],
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
