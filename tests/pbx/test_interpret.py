"""What the ledger says of each kind of call, from its records alone."""

import random
import re

import pytest

from appliance.pbx import config
from appliance.pbx.interpret import call_builder, interpret
from appliance.telephony.calls import CallFacts, RecordingFacts
from tests.pbx.stories import (
    BOOT,
    CUT_OFF_TRUNK,
    DEAD_PHONE,
    GONE_IN_MENU,
    GONE_IN_QUEUE,
    LEFT_BY_CALLER,
    RATED,
    REFUSED_OUT,
    TIMED_OUT,
    TO_QUEUE,
    TO_TALK,
)
from tests.pbx.story import at, events


def told(table: str, **known: object) -> CallFacts:
    facts = interpret(events(table), **known)  # type: ignore[arg-type]
    assert facts
    return facts


def test_rated_call_tells_everything() -> None:
    call = told(RATED)
    assert (call.direction, call.trunk, call.technology) == ("inbound", "carrier", "sip")
    assert (call.caller, call.hotline_number) == ("+998935550147", "1006")
    assert (call.language, call.menu) == ("ru", ["2"])
    assert (call.arrived_at, call.ended_at) == (at(0), at(74))
    assert (call.outcome, call.ended_by, call.stage) == ("answered", "operator", "ended")
    assert (call.rating, call.rating_channel) == (4, "keypad")
    assert (call.menu_seconds, call.wait_seconds) == (5.0, pytest.approx(3.2))
    [visit] = call.visits
    assert (visit.queue, visit.left_at, visit.result) == ("ru", at(8.2), "answered")
    [ring] = visit.rings
    assert (ring.operator, ring.extension, ring.result) == ("op01", "1001", "answered")
    assert (ring.started_at, ring.ended_at) == (at(5.5), at(8))
    [talk] = call.talks
    assert (talk.party, talk.who, talk.seconds) == ("operator", "op01", 60.0)
    assert call.recordings == [RecordingFacts("2026/11/24/hotline-1.0.wav", at(5))]


@pytest.mark.parametrize(
    ("table", "outcome", "ended_by", "talks", "visit_results"),
    [
        pytest.param(RATED, "answered", "operator", 1, ["answered"], id="rated"),
        pytest.param(LEFT_BY_CALLER, "answered", "caller", 1, ["answered"], id="caller-ends"),
        pytest.param(GONE_IN_MENU, "abandoned_menu", "caller", 0, [], id="menu"),
        pytest.param(GONE_IN_QUEUE, "abandoned_queue", "caller", 0, ["abandoned"], id="queue"),
        pytest.param(TIMED_OUT, "timed_out", "system", 0, ["timed_out"], id="timed-out"),
        pytest.param(DEAD_PHONE, "answered", "caller", 2, ["answered"] * 2, id="dead-phone"),
        pytest.param(CUT_OFF_TRUNK, "failed", "system", 0, ["failed"], id="trunk-dies"),
        pytest.param(REFUSED_OUT, "failed", "system", 0, [], id="operator-dials"),
    ],
)
def test_each_kind_has_one_outcome(
    table: str, outcome: str, ended_by: str, talks: int, visit_results: list[str]
) -> None:
    call = told(table)
    assert (call.outcome, call.ended_by, len(call.talks)) == (outcome, ended_by, talks)
    assert [visit.result for visit in call.visits] == visit_results
    assert call.stage == "ended"


@pytest.mark.parametrize(
    ("table", "results"),
    [
        pytest.param(GONE_IN_QUEUE, ["no_answer", "cancelled"], id="not-answered"),
        pytest.param(TIMED_OUT, ["busy", "rejected"], id="busy"),
    ],
)
def test_phones_that_rang_in_vain(table: str, results: list[str]) -> None:
    assert [ring.result for ring in told(table).visits[0].rings] == results


def test_operator_dialling_out_is_no_inbound_call() -> None:
    assert told(REFUSED_OUT).direction == "internal"


def test_a_phone_that_hears_its_echo_is_no_call() -> None:
    echo = "0.0 | CHAN_START | first:1001 | exten=*43 num=1001"
    assert interpret(events(echo)) is None
    assert told(echo.replace("*43", "1002")).direction == "internal"


def test_start_of_asterisk_is_no_call() -> None:
    assert interpret(events(BOOT)) is None
    assert interpret([]) is None


@pytest.mark.parametrize(
    ("table", "stage"),
    [
        pytest.param(TO_QUEUE, "queue", id="queue"),
        pytest.param(TO_QUEUE + "5.5 | CHAN_START | 1001 |", "ringing", id="ringing"),
        pytest.param(TO_TALK, "talk", id="talk"),
        pytest.param(TO_TALK + "20 | BRIDGE_EXIT | 1001 | bridge=b1", "rating", id="rating"),
    ],
)
def test_stage_of_a_call_that_goes_on(table: str, stage: str) -> None:
    call = told(table)
    assert (call.stage, call.outcome, call.ended_at) == (stage, None, None)


@pytest.mark.parametrize(
    ("table", "outcome", "talk"),
    [
        pytest.param(TO_TALK, "answered", 41.8, id="in-talk"),
        pytest.param(TO_QUEUE, "failed", 0, id="in-queue"),
    ],
)
def test_call_cut_by_the_death_of_asterisk(table: str, outcome: str, talk: float) -> None:
    call = told(table, cut=at(50))
    assert (call.outcome, call.ended_by, call.ended_at) == (outcome, "system", at(50))
    assert sum(t.seconds for t in call.talks) == pytest.approx(talk)


def test_a_later_death_changes_nothing_of_an_ended_call() -> None:
    assert told(RATED, cut=at(500)) == told(RATED)


def test_order_of_reading_does_not_matter() -> None:
    shuffled = events(RATED)
    random.Random(7).shuffle(shuffled)  # noqa: S311
    assert interpret(shuffled) == told(RATED)


def test_hidden_and_foreign_numbers() -> None:
    hidden = RATED.replace("caller=998935550147", "caller=")
    assert told(hidden).caller is None
    foreign = RATED.replace("caller=998935550147", "caller=anonymous")
    assert told(foreign).caller == "anonymous"


def test_the_interpreter_knows_each_event_of_the_dialplan() -> None:
    """One without a handler would be passed over without a word."""
    dialplan = "".join(file.read_text("utf-8") for file in config.DIALPLAN.glob("*.conf"))
    written = set(re.findall(r"CELGenUserEvent\(([A-Z_]+)", dialplan))
    assert len(written) > 15
    of_no_call = {"BOOT", "BARRED"}  # for whoever reads the log
    assert written - of_no_call <= set(call_builder.HANDLERS)
