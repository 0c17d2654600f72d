"""The facts of each kind of call, interpreted from its records alone."""

import random
import re

import pytest

from appliance.pbx import config
from appliance.pbx.interpret import call_builder, interpret_call
from appliance.telephony.calls import CallFacts, RecordingFacts
from tests.pbx.stories import (
    ABANDONED_IN_MENU,
    ABANDONED_IN_QUEUE,
    BOOT_RECORDS,
    CUT_OFF_TRUNK,
    DEAD_PHONE,
    LEFT_BY_CALLER,
    RATED_CALL,
    REFUSED_OUT,
    TIMED_OUT,
    TO_QUEUE,
    TO_TALK,
)
from tests.pbx.story import table_events, table_time


def interpret_table(table: str, **options: object) -> CallFacts:
    facts = interpret_call(table_events(table), **options)  # type: ignore[arg-type]
    assert facts
    return facts


def test_a_rated_call_yields_all_its_facts() -> None:
    call = interpret_table(RATED_CALL)
    assert (call.direction, call.trunk, call.technology) == ("inbound", "carrier", "sip")
    assert (call.caller, call.hotline_number) == ("+998935550147", "1006")
    assert (call.language, call.menu) == ("ru", ["2"])
    assert (call.arrived_at, call.ended_at) == (table_time(0), table_time(74))
    assert (call.outcome, call.ended_by, call.stage) == ("answered", "operator", "ended")
    assert (call.rating, call.rating_channel) == (4, "keypad")
    assert (call.menu_seconds, call.wait_seconds) == (5.0, pytest.approx(3.2))
    [visit] = call.visits
    assert (visit.queue, visit.left_at, visit.result) == ("ru", table_time(8.2), "answered")
    [ring] = visit.rings
    assert (ring.operator, ring.extension, ring.result) == ("op01", "1001", "answered")
    assert (ring.started_at, ring.ended_at) == (table_time(5.5), table_time(8))
    [talk] = call.talks
    assert (talk.party, talk.who, talk.seconds) == ("operator", "op01", 60.0)
    assert call.recordings == [RecordingFacts("2026/11/24/hotline-1.0.wav", table_time(5))]


@pytest.mark.parametrize(
    ("table", "outcome", "ended_by", "talks", "visit_results"),
    [
        pytest.param(RATED_CALL, "answered", "operator", 1, ["answered"], id="rated"),
        pytest.param(LEFT_BY_CALLER, "answered", "caller", 1, ["answered"], id="caller-ends"),
        pytest.param(ABANDONED_IN_MENU, "abandoned_menu", "caller", 0, [], id="menu"),
        pytest.param(ABANDONED_IN_QUEUE, "abandoned_queue", "caller", 0, ["abandoned"], id="queue"),
        pytest.param(TIMED_OUT, "timed_out", "system", 0, ["timed_out"], id="timed-out"),
        pytest.param(DEAD_PHONE, "answered", "caller", 2, ["answered"] * 2, id="dead-phone"),
        pytest.param(CUT_OFF_TRUNK, "failed", "system", 0, ["failed"], id="trunk-dies"),
        pytest.param(REFUSED_OUT, "failed", "system", 0, [], id="operator-dials"),
    ],
)
def test_each_kind_has_one_outcome(
    table: str, outcome: str, ended_by: str, talks: int, visit_results: list[str]
) -> None:
    call = interpret_table(table)
    assert (call.outcome, call.ended_by, len(call.talks)) == (outcome, ended_by, talks)
    assert [visit.result for visit in call.visits] == visit_results
    assert call.stage == "ended"


@pytest.mark.parametrize(
    ("table", "results"),
    [
        pytest.param(ABANDONED_IN_QUEUE, ["no_answer", "cancelled"], id="not-answered"),
        pytest.param(TIMED_OUT, ["busy", "rejected"], id="busy"),
    ],
)
def test_unanswered_phones_have_a_result_each(table: str, results: list[str]) -> None:
    assert [ring.result for ring in interpret_table(table).visits[0].rings] == results


def test_an_operator_who_dials_makes_no_inbound_call() -> None:
    assert interpret_table(REFUSED_OUT).direction == "internal"


def test_an_echo_test_of_a_phone_is_not_a_call() -> None:
    echo = "0.0 | CHAN_START | first:1001 | exten=*43 num=1001"
    assert interpret_call(table_events(echo)) is None
    assert interpret_table(echo.replace("*43", "1002")).direction == "internal"


def test_a_start_of_asterisk_is_not_a_call() -> None:
    assert interpret_call(table_events(BOOT_RECORDS)) is None
    assert interpret_call([]) is None


@pytest.mark.parametrize(
    ("table", "stage"),
    [
        pytest.param(TO_QUEUE, "queue", id="queue"),
        pytest.param(TO_QUEUE + "5.5 | CHAN_START | 1001 |", "ringing", id="ringing"),
        pytest.param(TO_TALK, "talk", id="talk"),
        pytest.param(TO_TALK + "20 | BRIDGE_EXIT | 1001 | bridge=b1", "rating", id="rating"),
    ],
)
def test_an_ongoing_call_has_a_stage_and_no_outcome(table: str, stage: str) -> None:
    call = interpret_table(table)
    assert (call.stage, call.outcome, call.ended_at) == (stage, None, None)


@pytest.mark.parametrize(
    ("table", "outcome", "talk"),
    [
        pytest.param(TO_TALK, "answered", 41.8, id="in-talk"),
        pytest.param(TO_QUEUE, "failed", 0, id="in-queue"),
    ],
)
def test_the_end_of_asterisk_ends_a_call(table: str, outcome: str, talk: float) -> None:
    call = interpret_table(table, died_at=table_time(50))
    assert (call.outcome, call.ended_by, call.ended_at) == (outcome, "system", table_time(50))
    assert sum(t.seconds for t in call.talks) == pytest.approx(talk)


def test_a_later_end_of_asterisk_does_not_change_an_ended_call() -> None:
    assert interpret_table(RATED_CALL, died_at=table_time(500)) == interpret_table(RATED_CALL)


def test_the_order_of_the_records_does_not_matter() -> None:
    shuffled = table_events(RATED_CALL)
    random.Random(7).shuffle(shuffled)  # noqa: S311
    assert interpret_call(shuffled) == interpret_table(RATED_CALL)


def test_a_hidden_caller_has_no_number_and_a_name_stays_unchanged() -> None:
    hidden = RATED_CALL.replace("caller=998935550147", "caller=")
    assert interpret_table(hidden).caller is None
    foreign = RATED_CALL.replace("caller=998935550147", "caller=anonymous")
    assert interpret_table(foreign).caller == "anonymous"


def test_the_interpreter_handles_each_event_of_the_dialplan() -> None:
    """An event without a handler would be ignored silently."""
    dialplan = "".join(file.read_text("utf-8") for file in config.DIALPLAN_FOLDER.glob("*.conf"))
    event_names = set(re.findall(r"CELGenUserEvent\(([A-Z_]+)", dialplan))
    assert len(event_names) > 15
    outside_calls = {"BOOT", "BARRED"}  # only for people who read the log
    assert event_names - outside_calls <= set(call_builder.HANDLERS)
