"""Calls as JSON objects for other programs."""

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

_CHUNK_CALLS = 500  # calls read at once: memory use does not depend on the length of the period


def export_calls(begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """Calls that arrived in [begin, end), oldest first, each as one JSON object.

    Times are ISO 8601 with offset (UTC), lengths are in seconds.
    """
    conditions: tuple[Expression, ...] = (Call.arrived_at >= begin,)
    while chunk := _read_chunk(conditions, end):
        yield from _call_objects(chunk)
        last_call = chunk[-1]
        conditions = (
            Call.arrived_at >= last_call.arrived_at,
            (Call.arrived_at > last_call.arrived_at) | (Call.id > last_call.id),
        )


def call_as_json(call: Call) -> dict[str, Any]:
    """One call in the format of `export_calls`."""
    return next(_call_objects([call]))


def _read_chunk(conditions: Sequence[Expression], end: dt.datetime) -> list[Call]:
    rows = Call.select().where(*conditions, Call.arrived_at < end)
    return list(rows.order_by(Call.arrived_at, Call.id).limit(_CHUNK_CALLS))


def _call_objects(chunk: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """The calls with all rows that belong to them, read by one query for each table."""
    ids = [call.id for call in chunk]
    visits = _rows_by_key(QueueVisit, QueueVisit.call, ids, QueueVisit.position)
    visit_ids = [visit.id for rows_of_parent in visits.values() for visit in rows_of_parent]
    rings = _rows_by_key(Ring, Ring.visit, visit_ids, Ring.started_at)
    talks = _rows_by_key(Talk, Talk.call, ids, Talk.position)
    talk_ids = [talk.id for rows_of_parent in talks.values() for talk in rows_of_parent]
    gaps = _rows_by_key(Gap, Gap.talk, talk_ids, Gap.started_at)
    transfers = _rows_by_key(Transfer, Transfer.call, ids, Transfer.position)
    attempts = _rows_by_key(DialAttempt, DialAttempt.call, ids, DialAttempt.position)
    recordings = _rows_by_key(Recording, Recording.call_id, ids, Recording.begun_at, Recording.file)
    appeals = _rows_by_key(Appeal, Appeal.call_id, ids, Appeal.number)
    call_forms = _rows_by_key(CallForm, CallForm.call_id, ids, CallForm.number)
    for call in chunk:
        registrations = [
            {"form": form, "number": row.number}
            for form, rows in (("1", appeals[call.id]), ("2", call_forms[call.id]))
            for row in rows
        ]
        yield {
            "id": call.id,
            "direction": call.direction,
            "arrived_at": _iso_time(call.arrived_at),
            "ended_at": _iso_time(call.ended_at),
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
            "menu_seconds": _rounded_seconds(call.menu_seconds),
            "wait_seconds": _rounded_seconds(call.wait_seconds),
            "talk_seconds": _rounded_seconds(call.talk_seconds),
            "hold_seconds": _rounded_seconds(call.hold_seconds),
            "ended_by": call.ended_by,
            "queue_visits": [_visit_object(visit, rings[visit.id]) for visit in visits[call.id]],
            "talks": [_talk_object(talk) for talk in talks[call.id]],
            "transfers": [_transfer_object(transfer) for transfer in transfers[call.id]],
            "rating": call.rating,
            "rating_channel": call.rating_channel,
            "recordings": [
                _recording_object(r) for r in recordings[call.id] if r.seconds and not r.aside
            ],
            "registration": next((registration["number"] for registration in registrations), None),
            "registrations": registrations,
            "topic": call.topic,
            "sip": call.sip,
            "by": call.by,
            "reason": call.reason,
            "serves": call.serves,
            "attempts": [_attempt_object(attempt) for attempt in attempts[call.id]],
            "asides": [_recording_object(r) for r in recordings[call.id] if r.seconds and r.aside],
            "gaps": [_gap_object(gap) for talk in talks[call.id] for gap in gaps[talk.id]],
        }


def _rows_by_key(
    table: type[Table], key: Field, keys: list[Any], *order: Field
) -> dict[Any, list[Any]]:
    """Rows of a table, grouped by the value of `key`."""
    rows: dict[Any, list[Any]] = defaultdict(list)
    for row in table.select().where(key.in_(keys)).order_by(*order):
        rows[row.__data__[key.name]].append(row)
    return rows


def _visit_object(visit: QueueVisit, rings: list[Ring]) -> dict[str, Any]:
    return {
        "queue": visit.queue,
        "why": visit.why,
        "joined_at": _iso_time(visit.joined_at),
        "left_at": _iso_time(visit.left_at),
        "result": visit.result,
        "rings": [
            {
                "operator": ring.operator,
                "extension": ring.extension,
                "seconds": _rounded_seconds((ring.ended_at - ring.started_at).total_seconds())
                if ring.ended_at
                else None,
                "result": ring.result,
            }
            for ring in rings
        ],
    }


def _talk_object(talk: Talk) -> dict[str, Any]:
    return {
        "with": talk.party,
        "who": talk.who,
        "extension": talk.extension,
        "from": _iso_time(talk.started_at),
        "to": _iso_time(talk.ended_at),
    }


def _gap_object(gap: Gap) -> dict[str, Any]:
    return {"from": _iso_time(gap.started_at), "to": _iso_time(gap.ended_at)}


def _transfer_object(transfer: Transfer) -> dict[str, Any]:
    return {
        "kind": transfer.kind,
        "to": transfer.to,
        "by": transfer.by,
        "at": _iso_time(transfer.at),
        "result": transfer.result,
        "returned": transfer.returned,
    }


def _attempt_object(attempt: DialAttempt) -> dict[str, Any]:
    return {
        "trunk": attempt.trunk,
        "at": _iso_time(attempt.at),
        "status": attempt.status,
        "cause": attempt.cause,
    }


def _recording_object(recording: Recording) -> dict[str, Any]:
    return {
        "file": recording.kept or recording.file,
        "seconds": _rounded_seconds(recording.seconds),
        "sha256": recording.sha256,
    }


def _iso_time(time: dt.datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds") if time else None


def _rounded_seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
