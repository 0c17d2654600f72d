"""Every column of the ledger is filled from the facts of a call and is exported."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from typing import Any

import pytest
from peewee import BooleanField, FloatField, IntegerField

from appliance.core.settings import Settings
from appliance.core.tables import DocumentField, MomentField
from appliance.models import Call, DialAttempt, Gap, QueueVisit, Recording, Ring, Talk, Transfer
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, TransferFacts, VisitFacts
from appliance.telephony.calls.columns import value_columns
from appliance.telephony.calls.facts import DialFacts, RecordingFacts

ARRIVED_AT = dt.datetime(2026, 10, 1, 5, tzinfo=dt.UTC)
PARTS = {  # field of CallFacts → table, class of its items
    "visits": (QueueVisit, VisitFacts),
    "talks": (Talk, TalkFacts),
    "transfers": (Transfer, TransferFacts),
    "attempts": (DialAttempt, DialFacts),
}
# columns without a fact
COMPUTED_COLUMNS = {"short", "menu_seconds", "wait_seconds", "talk_seconds", "hold_seconds"}
MEASURED_COLUMNS = {"seconds", "sha256", "written_at", "kept", "peaks"}  # of a recording's file
COLUMNS_NOT_EXPORTED = {"stage"}
JSON_NAMES = {
    Talk: {"party": "with", "started_at": "from", "ended_at": "to"},
    Gap: {"started_at": "from", "ended_at": "to"},
}


def example_values(table: Any, names: set[str]) -> dict[str, Any]:
    """A value for each column, unlike its default."""
    values: dict[str, Any] = {}
    for number, name in enumerate(sorted(names)):
        match table._meta.fields[name]:
            case MomentField():
                values[name] = ARRIVED_AT + dt.timedelta(seconds=number)
            case DocumentField():
                values[name] = ["1", "2"]
            case BooleanField():
                values[name] = True
            case FloatField():
                values[name] = number + 0.5
            case IntegerField():
                values[name] = number + 1
            case _:
                values[name] = f"{table.__name__} {name}"
    return values


def example_facts(facts_class: Any, table: Any, **other_facts: Any) -> Any:
    """Facts in which every field has a value unlike its default."""
    names = {field.name for field in dataclasses.fields(facts_class)} - set(other_facts)
    return facts_class(**example_values(table, names), **other_facts)


@pytest.fixture
def facts(settings: Settings) -> CallFacts:
    """A call whose every fact is known; it is stored."""
    ring = example_facts(RingFacts, Ring)
    gap = (ARRIVED_AT + dt.timedelta(seconds=9), ARRIVED_AT + dt.timedelta(seconds=11))
    parts = {
        "visits": [example_facts(VisitFacts, QueueVisit, rings=[ring])],
        "talks": [example_facts(TalkFacts, Talk, gaps=[gap])],
        "transfers": [example_facts(TransferFacts, Transfer)],
        "attempts": [example_facts(DialFacts, DialAttempt)],
        "recordings": [example_facts(RecordingFacts, Recording, aside=False)],
        "holds": [(ARRIVED_AT, ARRIVED_AT + dt.timedelta(seconds=3))],
    }
    call_facts: CallFacts = example_facts(CallFacts, Call, direction="inbound", **parts)
    calls.store_call(call_facts, settings.calls)
    return call_facts


def stored_values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in value_columns(type(row))}


def test_every_column_is_filled_from_a_fact(facts: CallFacts) -> None:
    call = stored_values(Call.get())
    fact_names = {field.name for field in dataclasses.fields(CallFacts)}
    assert set(call) - fact_names == COMPUTED_COLUMNS
    assert fact_names - set(call) == {*PARTS, "holds", "recordings"}
    assert call == {name: getattr(facts, name, False) for name in call}  # it is not short
    for name, (table, facts_class) in PARTS.items():
        row = stored_values(table.get())
        [part] = getattr(facts, name)
        assert row == {column: getattr(part, column) for column in row}
        part_names = {field.name for field in dataclasses.fields(facts_class)}
        assert part_names - set(row) <= {"rings", "gaps"}
    assert stored_values(Ring.get()) == dataclasses.asdict(facts.visits[0].rings[0])
    assert tuple(stored_values(Gap.get()).values()) == facts.talks[0].gaps[0]
    recording = stored_values(Recording.get())
    recording_facts = dataclasses.asdict(facts.recordings[0])
    assert set(recording) - set(recording_facts) == {"call_id"} | MEASURED_COLUMNS
    assert recording.items() >= recording_facts.items()


def test_every_column_is_exported(facts: CallFacts) -> None:
    exported = calls.call_as_json(Call.get())
    assert_exported(Call.get(), exported, COLUMNS_NOT_EXPORTED)
    for key, table in (
        ("queue_visits", QueueVisit),
        ("talks", Talk),
        ("transfers", Transfer),
        ("attempts", DialAttempt),
        ("gaps", Gap),
    ):
        [part] = exported[key]
        assert_exported(table.get(), part)
    [ring] = exported["queue_visits"][0]["rings"]
    assert_exported(Ring.get(), ring, {"started_at", "ended_at"})
    assert ring["seconds"] == (Ring.get().ended_at - Ring.get().started_at).total_seconds()


def assert_exported(row: Any, exported: dict[str, Any], left_out: Collection[str] = ()) -> None:
    """Assert that the object has every column of the row except those left out."""
    for name, value in stored_values(row).items():
        key = JSON_NAMES.get(type(row), {}).get(name, name)
        if name in left_out:
            assert key not in exported
            continue
        text = value.isoformat(timespec="milliseconds") if isinstance(value, dt.datetime) else value
        assert exported[key] == text, key
