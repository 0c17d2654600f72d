"""Writes a synthetic history into the database, in bulk."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from peewee import fn

from appliance.core.db import write_transaction
from appliance.core.tables import Table
from appliance.demo.crew import Crew
from appliance.demo.people import AppealGenerator, CallFormGenerator
from appliance.demo.story import SyntheticCall, generate_calls
from appliance.demo.world import SiteProfile
from appliance.models import (
    Appeal,
    Applicant,
    AsteriskWatch,
    Call,
    CallForm,
    CallNumberSeries,
    EventRow,
    NumberSeries,
    Presence,
    QueueVisit,
    Recording,
    Ring,
    Talk,
    Transfer,
)

CALLS_PER_BATCH = 5000  # calls generated at once
SERIES_TABLES = (NumberSeries, CallNumberSeries)
CALLS_PER_LATE_CALL = 50  # on average, one call of this number is stored after all others
_MAX_SQL_VARIABLES = 30_000  # in one statement; SQLite's limit is 32,766

_IS_SYNTHETIC = Call.id.startswith("demo-")

type Row = dict[str, Any]
type Rows = dict[type[Table], list[Row]]


class DemoError(ValueError):
    """A history cannot be created here; the message says why."""


def load_history(world: SiteProfile, calls: int, seed: int) -> Mapping[str, int]:
    """Write a history into the database; returns how many rows each table received.

    This is one transaction: if it fails, nothing is changed; no other process can write until it
    ends. Raises DemoError if the site has no operators or has real calls, or if it already has a
    synthetic history of these days.
    """
    if not world.operators:
        raise DemoError("there are no operators: add some first")
    counts: dict[str, int] = {}
    with write_transaction():
        _check_no_real_calls()
        if Call.select().where(_IS_SYNTHETIC).where(*_arrival_conditions(world)).exists():
            raise DemoError("there is a synthetic history of these days already")
        for batch in history_rows(world, calls, seed):
            for table, table_rows in batch.items():
                _insert_rows(table, table_rows)
                counts[table._meta.name] = counts.get(table._meta.name, 0) + len(table_rows)
    return counts


def _check_no_real_calls() -> None:
    """Raise DemoError on a site with real calls; a test call counts only while it is in progress.

    Invented calls and appeals among real ones would falsify reports and use up numbers of appeals.
    """
    real_calls = Call.select().where(~_IS_SYNTHETIC)
    if real_calls.where(Call.ended_at.is_null()).exists():
        raise DemoError("a call is going on: nothing is loaded while the site takes calls")
    if count := real_calls.where(~Call.synthetic).count():
        raise DemoError(f"this site has {count} calls of its own: a history is never mixed in")


def history_rows(world: SiteProfile, calls: int, seed: int) -> Iterator[Rows]:
    """Yield the history in batches of rows for each table, parents before children.

    A few calls are in the last batch, as if their records had been read late.
    """
    crew = Crew(world)
    yield _presence_rows(world, crew, seed)
    keys = _NextKeys()
    appeals, forms = (
        AppealGenerator(world, seed, _next_free_id(Applicant)),
        CallFormGenerator(world, seed),
    )
    late: list[SyntheticCall] = []
    batch: list[SyntheticCall] = []
    chance = random.Random(f"late {seed}")  # noqa: S311  no secret
    for story in generate_calls(world, calls, seed, crew):
        (late if chance.randrange(CALLS_PER_LATE_CALL) == 0 else batch).append(story)
        if len(batch) == CALLS_PER_BATCH:
            yield _batch_rows(batch, keys, appeals, forms)
            batch = []
    yield _batch_rows([*batch, *late], keys, appeals, forms)
    yield {NumberSeries: appeals.number_series_rows(), CallNumberSeries: forms.number_series_rows()}


class _NextKeys:
    """The next primary keys of tables whose rows are referred to by other rows of a batch."""

    def __init__(self) -> None:
        self.visit_id = _next_free_id(QueueVisit)


def _next_free_id(table: type[Table]) -> int:
    return (table.select(fn.MAX(table.id)).scalar() or 0) + 1


def _arrival_conditions(world: SiteProfile) -> tuple[Any, ...]:
    return (Call.arrived_at >= world.begin, Call.arrived_at < world.end)


def _presence_rows(world: SiteProfile, crew: Crew, seed: int) -> Rows:
    """The operators' states, and the times at which Asterisk was running."""
    states = []
    for worker in crew.schedules:
        first_known = (
            Presence.select(fn.MIN(Presence.since))
            .where(Presence.user == worker.operator.id)
            .scalar()
        )
        states += [
            {"user": worker.operator.id, "state": state, "since": since, "reason": reason}
            for since, state, reason in worker.states
            if first_known is None or since < first_known
        ]
    watches, boots, begin = [], [], world.begin
    for lost_at, restored_at in world.outages(seed):
        watches.append({"started_at": begin, "seen_at": lost_at})
        boots.append(_event_row("BOOT", f"demo-boot-{restored_at:%Y%m%d}", restored_at, "BOOT"))
        begin = restored_at
    watches.append({"started_at": begin, "seen_at": world.end})
    return {Presence: states, AsteriskWatch: watches, EventRow: boots}


def _batch_rows(
    batch: list[SyntheticCall], keys: _NextKeys, appeals: AppealGenerator, forms: CallFormGenerator
) -> Rows:
    rows: Rows = {
        table: []
        for table in (
            *(Call, QueueVisit, Ring, Talk, Transfer, Recording),
            *(EventRow, Applicant, Appeal, CallForm),
        )
    }
    for story in batch:
        rows[Call].append(_call_row(story))
        for position, visit in enumerate(story.visits):
            rows[QueueVisit].append(
                {
                    "id": keys.visit_id,
                    "call": story.id,
                    "position": position,
                    "queue": visit.queue,
                    "joined_at": visit.joined_at,
                    "left_at": visit.left_at,
                    "result": visit.result,
                }
            )
            rows[Ring] += [{"visit": keys.visit_id} | vars(ring) for ring in visit.rings]
            keys.visit_id += 1
        rows[Talk] += [
            {"call": story.id, "position": n} | vars(talk) for n, talk in enumerate(story.talks)
        ]
        rows[Transfer] += [
            {"call": story.id, "position": n} | vars(transfer)
            for n, transfer in enumerate(story.transfers)
        ]
        if story.talks:
            rows[Recording].append(_recording_row(story))
        if story.direction == "inbound":
            rows[EventRow].append(
                _event_row("CHAN_START", story.id, story.arrived_at, "from-trunk")
            )
        appeal = None
        if story.appeal:
            applicant, appeal = appeals.appeal_rows(story)
            rows[Applicant].append(applicant)
            rows[Appeal].append(appeal)
        if form := forms.call_form_row(story, appeal):
            rows[CallForm].append(form)
    return rows


def _call_row(story: SyntheticCall) -> Row:
    return {
        "id": story.id,
        "direction": story.direction,
        "arrived_at": story.arrived_at,
        "ended_at": story.ended_at,
        "hotline_number": story.number,
        "diverted_from": story.diverted_from,
        "caller": story.caller,
        "callee": story.callee,
        "trunk": story.trunk or None,
        "technology": story.technology,
        "language": story.language,
        "menu": story.menu,
        "stage": "ended",
        "outcome": story.outcome,
        "short": story.short,
        "synthetic": story.synthetic,
        "menu_seconds": story.menu_seconds,
        "wait_seconds": story.wait_seconds,
        "talk_seconds": story.talk_seconds,
        "hold_seconds": story.hold_seconds,
        "ended_by": story.ended_by,
        "rating": story.rating,
        "rating_channel": story.rating_channel,
        "topic": story.topic,
        "by": story.by,
        "reason": "phone" if story.direction == "outbound" else None,
    }


def _recording_row(story: SyntheticCall) -> Row:
    """The row of a recording as long as the talks; it has no audio file."""
    return {
        "file": f"demo/{story.id}.wav",
        "call_id": story.id,
        "seconds": sum((t.ended_at - t.started_at).total_seconds() for t in story.talks),
        "sha256": None,
        "begun_at": story.talks[0].started_at,
        "written_at": story.ended_at,
    }


def _event_row(event: str, linkedid: str, at: Any, context: str) -> Row:
    """Return the row of the one event from which arrivals are counted.

    A real call has about twenty events.
    """
    fields = {"LinkedID": linkedid, "UniqueID": linkedid, "Context": context}
    return {
        "hash": linkedid,
        "linkedid": linkedid,
        "at": at,
        "event": event,
        "uniqueid": linkedid,
        "begins": context,
        "fields": fields,
    }


def _insert_rows(table: type[Table], table_rows: list[Row]) -> None:
    for chunk in _row_chunks(table_rows):
        rows = table.insert_many(chunk)
        (rows.on_conflict_replace() if table in SERIES_TABLES else rows).execute()


def _row_chunks(table_rows: list[Row]) -> Iterable[list[Row]]:
    if not table_rows:
        return
    size = _MAX_SQL_VARIABLES // len(table_rows[0])
    for start in range(0, len(table_rows), size):
        yield table_rows[start : start + size]
