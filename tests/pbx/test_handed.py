"""Calls refused, served by the menu, transferred, placed by the site: a row of facts per kind."""

import datetime as dt
import random

import pytest

from appliance.pbx.interpret import ClockStep, interpret_call
from appliance.telephony.calls import CallFacts
from tests.pbx.story import step_table_clock, table_events, table_time
from tests.pbx.transfer_stories import (
    AUTOMATIC_ANSWERED,
    AUTOMATIC_UNANSWERED,
    BLIND_ABANDONED,
    BLIND_BUSY,
    BLIND_STARTED,
    BLIND_SUBSTITUTE,
    BLIND_TRANSFER,
    BLOCKED,
    CALL_WITH_HOLD,
    CALLBACK_ABANDONED,
    CALLBACK_ANSWERED,
    CALLBACK_REQUESTED,
    CALLBACK_UNANSWERED,
    CLOSED_THEN_QUEUE,
    CONFERENCE,
    CONFERENCE_LEFT_BY_CALLER,
    CONSULTATION_STARTED,
    EMPLOYEE_CUT_OFF,
    INTERNAL_CALL,
    LISTENING_IN,
    ONLY_CLOSED,
    OUTBOUND_ANSWERED,
    OUTBOUND_CANCELLED,
    OUTBOUND_CANCELLED_FIRST,
    OUTBOUND_OVER_SECOND_TRUNK,
    OVERFLOWED,
    PAGE_BUSY,
    PAGE_JOINED,
    PAGE_OPERATOR_HANGS_UP,
    PHONE_BUSY,
    PHONE_JOINED,
    STATUS_READ_OUT,
    STATUS_UNKNOWN,
    SUBSTITUTE,
    SUPERVISOR_TAKEOVER,
    TRANSFER_CHAIN,
    caller_hangs_up,
)

E = "+998711234567"
# kind: outcome, ended by | talks | visits | transfers | held seconds, wait seconds
EXPECTED_TABLE = f"""
blocked          | rejected system         |                              |                      |                              | 0 -
closed           | closed caller           |                              |                      |                              | 0 -
closed, queue    | abandoned_queue caller  |                              | ru abandoned         |                              | 0 5
told             | self_served caller      |                              |                      |                              | 0 -
not told         | abandoned_menu caller   |                              |                      |                              | 0 -
told, queue      | abandoned_queue caller  |                              | ru abandoned         |                              | 0 5
asked back       | callback system         |                              | ru callback          |                              | 0 25
overflown        | answered caller         | op01 10                      | ru-housing overflow, any answered |                 | 0 25
blind            | answered operator       | op01 11.8, {E} 30            | ru answered          | blind {E} answered no        | 0 3.2
blind given up   | answered operator       | op01 11.8                    | ru answered          | blind {E} no_answer no       | 0 3.2
blind busy       | answered operator       | op01 11.8, op01 15           | ru answered, op-1001 answered | blind {E} busy yes  | 0 3.2
blind substitute | answered operator       | op01 11.8, {SUBSTITUTE} 30   | ru answered          | blind {E} answered no        | 0 3.2
employee cut     | answered operator       | op01 11.8, {E} 1.8, op01 15  | ru answered, ru answered | blind {E} answered yes   | 0 3.2
chain            | answered caller         | op01 11.8, op02 10, {E} 20   | ru answered          | blind 1002 answered no, blind {E} answered no | 0 3.2
page joined      | answered operator       | op01 11.8, {E} 30            | ru answered          | attended {E} answered no     | 20 3.2
page busy        | answered caller         | op01 11.8, op01 20           | ru answered          | attended {E} busy yes        | 2.5 3.2
page, left alone | answered operator       | op01 11.8, op01 15           | ru answered, ru answered | attended {E} failed yes  | 4 3.2
three            | answered operator       | op01 11.8, op01 15, {E} 30   | ru answered          | attended {E} answered no     | 20 3.2
three, he leaves | answered caller         | op01 11.8, op01 15, {E} 15   | ru answered          | attended {E} answered no     | 20 3.2
phone joined     | answered operator       | op01 31.8, {E} 30            | ru answered          | attended {E} answered no     | 21 3.2
phone busy       | answered caller         | op01 35.8                    | ru answered          | attended {E} busy yes        | 5 3.2
automatic        | answered caller         | {E} 20                       |                      | automatic {E} answered no    | 0 -
automatic silent | answered operator       | op01 15                      | ru answered          | automatic {E} no_answer yes  | 0 10
held             | answered caller         | op01 40                      | ru answered          |                              | 10 3.2
taken over       | answered caller         | op01 21.8, op03 20           | ru answered          |                              | 0 3.2
out              | answered caller         | {E} 30                       |                      |                              | 0 -
out, other trunk | busy system             |                              |                      |                              | 0 -
out, given up    | no_answer operator      |                              |                      |                              | 0 -
given up first   | no_answer operator      |                              |                      |                              | 0 -
internal         | answered operator       | op02 10                      |                      |                              | 0 -
called back      | answered operator       | op01 20                      | uz answered          |                              | 0 3
back, given up   | answered caller         |                              | uz abandoned         |                              | 0 11
back, silent     | no_answer system        |                              |                      |                              | 0 -
"""  # noqa: E501
TABLES_BY_KIND = {
    "blocked": BLOCKED,
    "closed": ONLY_CLOSED,
    "closed, queue": CLOSED_THEN_QUEUE + caller_hangs_up(10),
    "told": STATUS_READ_OUT + caller_hangs_up(12),
    "not told": STATUS_UNKNOWN + caller_hangs_up(12),
    "told, queue": STATUS_READ_OUT
    + "12 | APP_START | caller | app=Queue data=ru,c"
    + caller_hangs_up(17),
    "asked back": CALLBACK_REQUESTED,
    "overflown": OVERFLOWED,
    "blind": BLIND_TRANSFER,
    "blind given up": BLIND_ABANDONED,
    "blind busy": BLIND_BUSY,
    "blind substitute": BLIND_SUBSTITUTE,
    "employee cut": EMPLOYEE_CUT_OFF,
    "chain": TRANSFER_CHAIN,
    "page joined": PAGE_JOINED,
    "page busy": PAGE_BUSY,
    "page, left alone": PAGE_OPERATOR_HANGS_UP,
    "three": CONFERENCE,
    "three, he leaves": CONFERENCE_LEFT_BY_CALLER,
    "phone joined": PHONE_JOINED,
    "phone busy": PHONE_BUSY,
    "automatic": AUTOMATIC_ANSWERED,
    "automatic silent": AUTOMATIC_UNANSWERED,
    "held": CALL_WITH_HOLD,
    "taken over": SUPERVISOR_TAKEOVER,
    "out": OUTBOUND_ANSWERED,
    "out, other trunk": OUTBOUND_OVER_SECOND_TRUNK,
    "out, given up": OUTBOUND_CANCELLED,
    "given up first": OUTBOUND_CANCELLED_FIRST,
    "internal": INTERNAL_CALL,
    "called back": CALLBACK_ANSWERED,
    "back, given up": CALLBACK_ABANDONED,
    "back, silent": CALLBACK_UNANSWERED,
}
EXPECTED_ROWS = [
    [part.strip() for part in table_row.split("|")]
    for table_row in EXPECTED_TABLE.split("\n")
    if table_row
]


def interpret_table(table: str, **options: object) -> CallFacts:
    facts = interpret_call(table_events(table), **options)  # type: ignore[arg-type]
    assert facts
    return facts


def table_row(call: CallFacts) -> list[str]:
    """Return the facts as a row of the table states them."""
    wait = "-" if call.wait_seconds is None else f"{call.wait_seconds:g}"
    return [
        f"{call.outcome} {call.ended_by}",
        ", ".join(f"{talk.who} {talk.seconds:g}" for talk in call.talks),
        ", ".join(f"{visit.queue} {visit.result}" for visit in call.visits),
        ", ".join(
            f"{t.kind} {t.to} {t.result} {'yes' if t.returned else 'no'}" for t in call.transfers
        ),
        f"{round(call.hold_seconds, 3):g} {wait}",
    ]


@pytest.mark.parametrize(("kind", "expected"), [(kind, rest) for kind, *rest in EXPECTED_ROWS])
def test_each_kind_of_call_has_its_facts(kind: str, expected: list[str]) -> None:
    call = interpret_table(TABLES_BY_KIND[kind])
    assert table_row(call) == expected
    assert call.stage == "ended"


def test_every_kind_has_a_row() -> None:
    assert [kind for kind, *_ in EXPECTED_ROWS] == list(TABLES_BY_KIND)


@pytest.mark.parametrize("kind", TABLES_BY_KIND)
def test_the_order_of_the_records_does_not_matter(kind: str) -> None:
    shuffled = table_events(TABLES_BY_KIND[kind])
    random.Random(kind).shuffle(shuffled)  # noqa: S311
    assert interpret_call(shuffled) == interpret_table(TABLES_BY_KIND[kind])


def test_an_outbound_call_states_its_callee_reason_and_trunk() -> None:
    call = interpret_table(OUTBOUND_ANSWERED)
    assert (call.direction, call.callee, call.caller) == ("outbound", E, "+998712000000")
    assert (call.by, call.reason, call.serves, call.trunk) == ("op01", "follow_up", "77", "carrier")
    [talk] = call.talks
    assert (talk.party, talk.extension) == ("outside", "1001")
    assert [(a.trunk, a.status) for a in call.attempts] == [("carrier", "ANSWER")]
    tried = interpret_table(OUTBOUND_OVER_SECOND_TRUNK)
    assert [(a.trunk, a.status, a.cause) for a in tried.attempts] == [
        ("carrier", "CONGESTION", "34"),
        ("second", "BUSY", "17"),
    ]
    assert tried.trunk == "second"
    assert [a.status for a in interpret_table(OUTBOUND_CANCELLED).attempts] == ["CANCEL"]


def test_a_callback_is_one_outbound_call() -> None:
    call = interpret_table(CALLBACK_ANSWERED)
    assert (call.direction, call.reason, call.serves, call.by) == (
        "outbound",
        "callback",
        "12",
        None,
    )
    assert (call.rating, call.language, call.menu_seconds) == (4, "uz", 0)
    assert [visit.why for visit in call.visits] == ["callback"]
    assert call.talks[0].party == "operator"


def test_talk_time_excludes_hold_and_counts_a_conference_once() -> None:
    assert interpret_table(CALL_WITH_HOLD).talk_seconds == pytest.approx(30)
    assert interpret_table(PHONE_JOINED).talk_seconds == pytest.approx(31.8 - 21 + 30)
    assert interpret_table(CONFERENCE).talk_seconds == pytest.approx(11.8 + 30)


def test_employees_are_distinguished_from_operators() -> None:
    assert [t.party for t in interpret_table(TRANSFER_CHAIN).talks] == [
        "operator",
        "operator",
        "employee",
    ]
    assert [t.by for t in interpret_table(TRANSFER_CHAIN).transfers] == ["op01", "op02"]


def test_each_leg_has_its_recording() -> None:
    names = [recording.file for recording in interpret_table(BLIND_TRANSFER).recordings]
    assert names == ["2026/11/24/hotline-1.0.wav", "2026/11/24/hotline-1.0-2.wav"]
    assert [recording.aside for recording in interpret_table(PHONE_JOINED).recordings] == [
        False,
        True,
    ]


def test_topic_and_language_are_those_of_the_queue() -> None:
    call = interpret_table(OVERFLOWED)
    assert (call.topic, call.language) == ("housing", "ru")


def test_listening_in_is_not_a_call() -> None:
    assert interpret_call(table_events(LISTENING_IN)) is None


def test_a_call_of_the_self_test_is_marked() -> None:
    assert interpret_table(ONLY_CLOSED.replace("CLOSED", "SYNTHETIC")).synthetic


@pytest.mark.parametrize(
    ("table", "stage"), [(BLIND_STARTED, "transfer"), (CONSULTATION_STARTED, "transfer")]
)
def test_the_stage_while_the_target_is_called_is_transfer(table: str, stage: str) -> None:
    assert interpret_table(table).stage == stage


def test_the_end_of_asterisk_during_a_transfer_ends_the_call() -> None:
    call = interpret_table(BLIND_STARTED, died_at=table_time(25))
    assert (call.outcome, call.ended_at) == ("answered", table_time(25))
    assert call.transfers[0].result == "failed"


@pytest.mark.parametrize("by", [3600.0, -3600.0, 40.0])
@pytest.mark.parametrize("table", [BLIND_TRANSFER, TRANSFER_CHAIN, BLIND_BUSY])
@pytest.mark.parametrize("after", [11.0, 25.0, 41.0])
def test_a_recorded_step_of_the_clock_changes_nothing(table: str, after: float, by: float) -> None:
    step = ClockStep(table_time(after + by + 0.4), dt.timedelta(seconds=by))
    assert interpret_call(
        table_events(step_table_clock(table, after, by)), steps=[step]
    ) == interpret_table(table)


def test_an_unrecorded_step_back_changes_only_durations_that_cannot_be_known() -> None:
    stepped_table = "\n".join(
        f"{float(s) - 3600} |{rest}" if float(s) > 25 else f"{s}|{rest}"
        for s, rest in (row.split("|", 1) for row in BLIND_TRANSFER.splitlines() if row.strip())
    )
    call, right = interpret_table(stepped_table), interpret_table(BLIND_TRANSFER)
    assert [talk.who for talk in call.talks] == [talk.who for talk in right.talks]
    assert (call.outcome, call.rating, call.ended_by) == ("answered", 5, "operator")
    assert [t.result for t in call.transfers] == ["answered"]
    # shorter by the talk in which the clock was set back
    assert call.ended_at == table_time(62 - (54.2 - 24.2))
    assert min(talk.seconds for talk in call.talks) >= 0


def test_a_recording_of_the_caller_is_not_an_aside_under_either_id() -> None:
    call = interpret_table(PHONE_JOINED + "45 | RECORDING | b:caller | file=joined.wav")
    asides = {recording.file: recording.aside for recording in call.recordings}
    assert (asides["joined.wav"], sum(asides.values())) == (False, 1)
