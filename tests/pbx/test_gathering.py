"""What is gathered about a call, and what is interpreted from that alone."""

import datetime as dt

import pytest

from appliance.core.settings import Settings
from appliance.pbx import ledger
from appliance.pbx.interpret import (
    Boot,
    CallRecords,
    PlacedCall,
    interpret_call,
    interpret_records,
    phone_connections,
)
from appliance.pbx.ledger import gathering, records
from tests.pbx import stories, transfer_stories
from tests.pbx.stories import ABANDONED_IN_MENU, BOOT_RECORDS, LEFT_BY_CALLER, RATED_CALL, TO_TALK
from tests.pbx.story import second_call_linkedid, table_events, table_time
from tests.pbx.transfer_stories import PHONE_BUSY
from tests.rig.rules import RULES

CALL, OTHER_CALL = "hotline-1.0", "hotline-2.0"
SECOND_CALL_ID = second_call_linkedid(CALL)
STORIES = {
    name: table
    for module in (stories, transfer_stories)
    for name, table in vars(module).items()
    if name.isupper() and isinstance(table, str) and "CHAN_START" in table and "{at}" not in table
}


@pytest.mark.parametrize("story", STORIES)
def test_every_talk_is_within_a_connection_of_its_phone(story: str) -> None:
    """Otherwise a second call in that talk would not be gathered."""
    events = table_events(STORIES[story])
    for length in range(1, len(events) + 1):
        part = events[:length]
        connections = phone_connections(part)
        facts = interpret_call(part)
        for talk in facts.talks if facts else ():
            if talk.extension:
                since, until = connections[talk.extension]
                assert since <= talk.started_at
                assert until is None or (talk.ended_at is not None and talk.ended_at <= until)


def test_a_second_call_is_gathered_and_becomes_part_of_the_waiting_call(
    settings: Settings,
) -> None:
    ledger.store_events(table_events(PHONE_BUSY, CALL), RULES)
    gathered = gathering.gather_call(CALL, records.family_events(CALL))
    assert {call.linkedid for call in gathered.placed_calls} == {SECOND_CALL_ID}
    interpreted = interpret_records(gathered)
    assert interpreted.linkedids == {CALL, SECOND_CALL_ID}
    assert interpreted.merged_ids == {SECOND_CALL_ID}
    assert interpreted.facts
    assert [transfer.result for transfer in interpreted.facts.transfers] == ["busy"]
    events_by_call = {
        CALL: table_events(PHONE_BUSY, CALL),
        OTHER_CALL: table_events(ABANDONED_IN_MENU, OTHER_CALL),
    }
    assert [call.root for call in gathering.independent_calls(events_by_call)] == [OTHER_CALL]


def test_a_call_placed_after_the_talk_is_no_part_of_it() -> None:
    """Gathering returns too many calls rather than too few: the talks decide."""
    second_call = [e for e in table_events(PHONE_BUSY) if e.linkedid == SECOND_CALL_ID]
    placed_at = min(event.at for event in second_call)
    for table, is_part in ((TO_TALK, True), (LEFT_BY_CALLER, placed_at < table_time(30.2))):
        placed_call = PlacedCall("1001", placed_at, SECOND_CALL_ID, second_call)
        interpreted = interpret_records(CallRecords(CALL, table_events(table), [placed_call]))
        assert (SECOND_CALL_ID in interpreted.merged_ids) == is_part
    late_call = PlacedCall("1001", table_time(31), SECOND_CALL_ID, second_call)
    interpreted = interpret_records(CallRecords(CALL, table_events(LEFT_BY_CALLER), [late_call]))
    assert interpreted.linkedids == {CALL}


def test_the_calls_that_a_start_of_asterisk_may_have_cut_are_not_independent(
    settings: Settings,
) -> None:
    ledger.store_events(table_events(BOOT_RECORDS, "hotline-9.0"), RULES)
    events_by_call = {
        CALL: table_events(TO_TALK, CALL),
        OTHER_CALL: table_events(RATED_CALL, OTHER_CALL),
    }
    assert [call.root for call in gathering.independent_calls(events_by_call)] == [OTHER_CALL]


def boot(second: float, *, is_future: bool = False) -> Boot:
    return Boot(table_time(second), table_time(second - 20), is_future)


@pytest.mark.parametrize(
    ("boots", "sounds", "is_stored_as_ended", "ended_at"),
    [
        ((), (), False, None),
        ((boot(60),), (), False, table_time(40)),
        ((boot(60), boot(90)), (), False, table_time(40)),
        ((boot(-5), boot(90)), (), False, table_time(70)),
        ((boot(60),), (table_time(55), table_time(65)), False, table_time(55)),
        ((boot(60, is_future=True),), (), False, None),
        ((boot(60, is_future=True),), (), True, table_time(40)),
    ],
)
def test_a_call_without_an_end_ends_at_the_last_sign_of_life_before_the_next_start(
    boots: tuple[Boot, ...],
    sounds: tuple[dt.datetime, ...],
    is_stored_as_ended: bool,
    ended_at: dt.datetime | None,
) -> None:
    call_records = CallRecords(
        CALL,
        table_events(TO_TALK),
        boots=boots,
        sounds_at=sounds,
        is_stored_as_ended=is_stored_as_ended,
    )
    facts = interpret_records(call_records).facts
    assert facts
    assert facts.ended_at == ended_at


def test_a_record_changes_the_calls_that_the_next_start_cut(settings: Settings) -> None:
    ledger.store_events(table_events(TO_TALK, CALL), RULES)
    ledger.store_events(table_events("60 | BOOT | boot", "hotline-9.0"), RULES)
    for second, affected_ids in ((50, {CALL}), (70, set())):
        late_events = table_events(f"{second} | KEY | caller | key=1", OTHER_CALL)
        assert gathering.affected_calls(late_events) == affected_ids
