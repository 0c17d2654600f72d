"""Writing a synthetic history into the database, in bulk."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from peewee import fn

from appliance.core.db import writing
from appliance.demo.crew import Crew
from appliance.demo.people import Appeals, CallForms
from appliance.demo.story import Story, stories
from appliance.demo.world import World
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
    Table,
    Talk,
    Transfer,
)

BATCH = 5000  # calls made at once
SERIES = (NumberSeries, CallNumberSeries)
LATE = 50  # one call in so many is written down after all others
_VARIABLES = 30_000  # of one statement: SQLite takes 32,766

_IS_OURS = Call.id.startswith("demo-")

type Row = dict[str, Any]
type Rows = dict[type[Table], list[Row]]


class DemoError(ValueError):
    """A history cannot be made here; the message says why."""


def load(world: World, calls: int, seed: int) -> Mapping[str, int]:
    """Put a history into the database; returns how many rows each table got.

    It is one transaction: a load that fails changes nothing, and nobody else writes until it ends.
    Raises DemoError when the site has nobody to answer, has calls of its own, or holds this history
    already.
    """
    if not world.operators:
        raise DemoError("there are no operators: add some first")
    written: dict[str, int] = {}
    with writing():
        _refuse_beside_real_calls()
        if Call.select().where(_IS_OURS).where(*_within(world)).exists():
            raise DemoError("there is a synthetic history of these days already")
        for batch in rows(world, calls, seed):
            for table, lines in batch.items():
                _insert(table, lines)
                written[table._meta.name] = written.get(table._meta.name, 0) + len(lines)
    return written


def _refuse_beside_real_calls() -> None:
    """Raises DemoError on a site that has taken a call itself; a test call counts while it goes on.

    Invented calls and appeals among real ones would falsify reports, and take numbers of appeals.
    """
    real = Call.select().where(~_IS_OURS)
    if real.where(Call.ended_at.is_null()).exists():
        raise DemoError("a call is going on: nothing is loaded while the site takes calls")
    if count := real.where(~Call.synthetic).count():
        raise DemoError(f"this site has {count} calls of its own: a history is never mixed in")


def rows(world: World, calls: int, seed: int) -> Iterator[Rows]:
    """The history as rows for each table, parents before children, in batches.

    A few calls come last: their records were read late.
    """
    crew = Crew(world)
    yield _surroundings(world, crew, seed)
    keys = _Keys()
    appeals, forms = Appeals(world, seed, _first_id(Applicant)), CallForms(world, seed)
    late: list[Story] = []
    batch: list[Story] = []
    chance = random.Random(f"late {seed}")  # noqa: S311  no secret
    for story in stories(world, calls, seed, crew):
        (late if chance.randrange(LATE) == 0 else batch).append(story)
        if len(batch) == BATCH:
            yield _of(batch, keys, appeals, forms)
            batch = []
    yield _of([*batch, *late], keys, appeals, forms)
    yield {NumberSeries: appeals.series(), CallNumberSeries: forms.series()}


class _Keys:
    """The next primary key of tables whose children need to know it."""

    def __init__(self) -> None:
        self.visit = _first_id(QueueVisit)


def _first_id(table: type[Table]) -> int:
    return (table.select(fn.MAX(table.id)).scalar() or 0) + 1


def _within(world: World) -> tuple[Any, ...]:
    return (Call.arrived_at >= world.begin, Call.arrived_at < world.end)


def _surroundings(world: World, crew: Crew, seed: int) -> Rows:
    """The operators' states, and when Asterisk was seen."""
    states = []
    for worker in crew.workers:
        known = (
            Presence.select(fn.MIN(Presence.since))
            .where(Presence.user == worker.operator.id)
            .scalar()
        )
        states += [
            {"user": worker.operator.id, "state": state, "since": since, "reason": reason}
            for since, state, reason in worker.states
            if known is None or since < known
        ]
    seen, boots, begin = [], [], world.begin
    for gone, back in world.outages(seed):
        seen.append({"started_at": begin, "seen_at": gone})
        boots.append(_event("BOOT", f"demo-boot-{back:%Y%m%d}", back, "BOOT"))
        begin = back
    seen.append({"started_at": begin, "seen_at": world.end})
    return {Presence: states, AsteriskWatch: seen, EventRow: boots}


def _of(batch: list[Story], keys: _Keys, appeals: Appeals, forms: CallForms) -> Rows:
    made: Rows = {
        table: []
        for table in (
            *(Call, QueueVisit, Ring, Talk, Transfer, Recording),
            *(EventRow, Applicant, Appeal, CallForm),
        )
    }
    for story in batch:
        made[Call].append(_call(story))
        for position, visit in enumerate(story.visits):
            made[QueueVisit].append(
                {
                    "id": keys.visit,
                    "call": story.id,
                    "position": position,
                    "queue": visit.queue,
                    "joined_at": visit.joined_at,
                    "left_at": visit.left_at,
                    "result": visit.result,
                }
            )
            made[Ring] += [{"visit": keys.visit} | vars(ring) for ring in visit.rings]
            keys.visit += 1
        made[Talk] += [
            {"call": story.id, "position": n} | vars(talk) for n, talk in enumerate(story.talks)
        ]
        made[Transfer] += [
            {"call": story.id, "position": n} | vars(one) for n, one in enumerate(story.transfers)
        ]
        if story.talks:
            made[Recording].append(_recording(story))
        if story.direction == "inbound":
            made[EventRow].append(_event("CHAN_START", story.id, story.arrived_at, "from-trunk"))
        appeal = None
        if story.appeal:
            applicant, appeal = appeals.make(story)
            made[Applicant].append(applicant)
            made[Appeal].append(appeal)
        if form := forms.make(story, appeal):
            made[CallForm].append(form)
    return made


def _call(story: Story) -> Row:
    return {
        "id": story.id,
        "direction": story.direction,
        "arrived_at": story.arrived_at,
        "ended_at": story.ended_at,
        "hotline_number": story.number,
        "diverted_from": story.diverted,
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


def _recording(story: Story) -> Row:
    """Said to be as long as the talks; there is no sound behind it."""
    return {
        "file": f"demo/{story.id}.wav",
        "call_id": story.id,
        "seconds": sum((t.ended_at - t.started_at).total_seconds() for t in story.talks),
        "sha256": None,
        "begun_at": story.talks[0].started_at,
        "written_at": story.ended_at,
    }


def _event(event: str, linkedid: str, at: Any, context: str) -> Row:
    """The record from which arrivals are counted; a real call has some twenty."""
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


def _insert(table: type[Table], lines: list[Row]) -> None:
    for part in _parts(lines):
        rows = table.insert_many(part)
        (rows.on_conflict_replace() if table in SERIES else rows).execute()


def _parts(lines: list[Row]) -> Iterable[list[Row]]:
    if not lines:
        return
    size = _VARIABLES // len(lines[0])
    for begin in range(0, len(lines), size):
        yield lines[begin : begin + size]
