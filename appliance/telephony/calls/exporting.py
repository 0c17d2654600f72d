"""Calls as other programs read them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from peewee import Expression, Field

from appliance.core.tables import Table
from appliance.models import (
    Appeal,
    Call,
    CallForm,
    DialAttempt,
    Gap,
    QueueVisit,
    Recording,
    Ring,
    Talk,
    Transfer,
)

_CHUNK = 500  # calls read at once: memory stays the same however long the period is


def export(begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """Calls that arrived in [begin, end), oldest first, each as one JSON object.

    Moments are ISO 8601 with offset (UTC), lengths seconds.
    """
    after: tuple[Expression, ...] = (Call.arrived_at >= begin,)
    while chunk := _chunk(after, end):
        yield from _objects(chunk)
        last = chunk[-1]
        after = (
            Call.arrived_at >= last.arrived_at,
            (Call.arrived_at > last.arrived_at) | (Call.id > last.id),
        )


def as_json(call: Call) -> dict[str, Any]:
    """One call as `export` gives it."""
    return next(_objects([call]))


def _chunk(after: Sequence[Expression], end: dt.datetime) -> list[Call]:
    rows = Call.select().where(*after, Call.arrived_at < end)
    return list(rows.order_by(Call.arrived_at, Call.id).limit(_CHUNK))


def _objects(chunk: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """The calls with all that belongs to them, in one query for each kind of it."""
    ids = [call.id for call in chunk]
    visits = _by(QueueVisit, QueueVisit.call, ids, QueueVisit.position)
    visit_ids = [visit.id for found in visits.values() for visit in found]
    rings = _by(Ring, Ring.visit, visit_ids, Ring.started_at)
    talks = _by(Talk, Talk.call, ids, Talk.position)
    talk_ids = [talk.id for found in talks.values() for talk in found]
    gaps = _by(Gap, Gap.talk, talk_ids, Gap.started_at)
    transfers = _by(Transfer, Transfer.call, ids, Transfer.position)
    attempts = _by(DialAttempt, DialAttempt.call, ids, DialAttempt.position)
    recordings = _by(Recording, Recording.call_id, ids, Recording.begun_at, Recording.file)
    appeals = _by(Appeal, Appeal.call_id, ids, Appeal.number)
    call_forms = _by(CallForm, CallForm.call_id, ids, CallForm.number)
    for call in chunk:
        registered = [
            {"form": form, "number": row.number}
            for form, rows in (("1", appeals[call.id]), ("2", call_forms[call.id]))
            for row in rows
        ]
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
            "queue_visits": [_visit(visit, rings[visit.id]) for visit in visits[call.id]],
            "talks": [_talk(talk) for talk in talks[call.id]],
            "transfers": [_transfer(transfer) for transfer in transfers[call.id]],
            "rating": call.rating,
            "rating_channel": call.rating_channel,
            "recordings": [_recording(r) for r in recordings[call.id] if r.seconds and not r.aside],
            "registration": next((one["number"] for one in registered), None),
            "registrations": registered,
            "topic": call.topic,
            "sip": call.sip,
            "by": call.by,
            "reason": call.reason,
            "serves": call.serves,
            "attempts": [_attempt(attempt) for attempt in attempts[call.id]],
            "asides": [_recording(r) for r in recordings[call.id] if r.seconds and r.aside],
            "gaps": [_gap(gap) for talk in talks[call.id] for gap in gaps[talk.id]],
        }


def _by(table: type[Table], key: Field, keys: list[Any], *order: Field) -> dict[Any, list[Any]]:
    """Rows of a table by what they belong to."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in table.select().where(key.in_(keys)).order_by(*order):
        found[row.__data__[key.name]].append(row)
    return found


def _visit(visit: QueueVisit, rings: list[Ring]) -> dict[str, Any]:
    return {
        "queue": visit.queue,
        "why": visit.why,
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


def _talk(talk: Talk) -> dict[str, Any]:
    return {
        "with": talk.party,
        "who": talk.who,
        "extension": talk.extension,
        "from": _moment(talk.started_at),
        "to": _moment(talk.ended_at),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"from": _moment(gap.started_at), "to": _moment(gap.ended_at)}


def _transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "kind": transfer.kind,
        "to": transfer.to,
        "by": transfer.by,
        "at": _moment(transfer.at),
        "result": transfer.result,
        "returned": transfer.returned,
    }


def _attempt(attempt: DialAttempt) -> dict[str, Any]:
    return {
        "trunk": attempt.trunk,
        "at": _moment(attempt.at),
        "status": attempt.status,
        "cause": attempt.cause,
    }


def _recording(recording: Recording) -> dict[str, Any]:
    return {
        "file": recording.kept or recording.file,
        "seconds": _seconds(recording.seconds),
        "sha256": recording.sha256,
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
