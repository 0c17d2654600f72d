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
from appliance.telephony.calls.columns import column_values, value_columns

# The columns of a call in the order of its JSON object; `stage` describes a call in progress only.
_COLUMNS = tuple(name for name in value_columns(Call) if name != "stage")
_RATING_COLUMNS = ("rating", "rating_channel")
_CALL_COLUMNS = _COLUMNS[: _COLUMNS.index("rating")]
_LATER_COLUMNS = tuple(c for c in _COLUMNS if c not in (*_CALL_COLUMNS, *_RATING_COLUMNS))
_CHUNK_CALLS = 500  # calls read at once: memory use does not depend on the length of the period


def export_calls(begin: dt.datetime, end: dt.datetime) -> Iterator[dict[str, Any]]:
    """Yield the calls that arrived in [begin, end), oldest first, each as one JSON object.

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
    """Return one call in the format of `export_calls`."""
    return next(_call_objects([call]))


def _read_chunk(conditions: Sequence[Expression], end: dt.datetime) -> list[Call]:
    rows = Call.select().where(*conditions, Call.arrived_at < end)
    return list(rows.order_by(Call.arrived_at, Call.id).limit(_CHUNK_CALLS))


def _call_objects(chunk: Sequence[Call]) -> Iterator[dict[str, Any]]:
    """Yield the calls with all rows that belong to them, read by one query for each table."""
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
            **_column_values(call, _CALL_COLUMNS),
            "queue_visits": [_visit_object(visit, rings[visit.id]) for visit in visits[call.id]],
            "talks": [_talk_object(talk) for talk in talks[call.id]],
            "transfers": [_row_object(transfer) for transfer in transfers[call.id]],
            **_column_values(call, _RATING_COLUMNS),
            "recordings": [
                _recording_object(r) for r in recordings[call.id] if r.seconds and not r.aside
            ],
            "registration": next((registration["number"] for registration in registrations), None),
            "registrations": registrations,
            **_column_values(call, _LATER_COLUMNS),
            "attempts": [_row_object(attempt) for attempt in attempts[call.id]],
            "asides": [_recording_object(r) for r in recordings[call.id] if r.seconds and r.aside],
            "gaps": [_gap_object(gap) for talk in talks[call.id] for gap in gaps[talk.id]],
        }


def _rows_by_key(
    table: type[Table], key: Field, keys: list[Any], *order: Field
) -> dict[Any, list[Any]]:
    """Return the rows of a table whose `key` is one of `keys`, by that value."""
    rows: dict[Any, list[Any]] = defaultdict(list)
    for row in table.select().where(key.in_(keys)).order_by(*order):
        rows[row.__data__[key.name]].append(row)
    return rows


def _column_values(row: Table, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of a row, by column, as JSON values: times as text, seconds to 1 ms."""
    return {name: _plain_value(value) for name, value in column_values(row, names).items()}


def _row_object(row: Any) -> dict[str, Any]:
    table: Any = type(row)
    return _column_values(row, value_columns(table))


def _visit_object(visit: QueueVisit, rings: list[Ring]) -> dict[str, Any]:
    values = _row_object(visit)
    first_values = {name: values[name] for name in ("queue", "why")}
    return {**first_values, **values, "rings": [_ring_object(ring) for ring in rings]}


def _ring_object(ring: Ring) -> dict[str, Any]:
    values = _row_object(ring)
    del values["started_at"], values["ended_at"]
    result = values.pop("result")
    seconds = (ring.ended_at - ring.started_at).total_seconds() if ring.ended_at else None
    return {**values, "seconds": _plain_value(seconds), "result": result}


_JSON_NAMES = {"party": "with", "started_at": "from", "ended_at": "to"}  # by column of a talk


def _talk_object(talk: Talk) -> dict[str, Any]:
    return {_JSON_NAMES.get(name, name): value for name, value in _row_object(talk).items()}


def _gap_object(gap: Gap) -> dict[str, Any]:
    return {_JSON_NAMES[name]: value for name, value in _row_object(gap).items()}


def _recording_object(recording: Recording) -> dict[str, Any]:
    return {
        "file": recording.kept or recording.file,
        "seconds": _plain_value(recording.seconds),
        "sha256": recording.sha256,
    }


def _plain_value(value: Any) -> Any:
    match value:
        case dt.datetime():
            return value.isoformat(timespec="milliseconds")
        case float():
            return round(value, 3)
    return value
