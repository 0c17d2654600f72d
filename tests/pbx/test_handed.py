"""Refused, served by the menu, handed over, placed by us: one line of facts for each kind."""

import datetime as dt
import random

import pytest

from appliance.pbx.interpret import Step, interpret
from appliance.telephony.calls import CallFacts
from tests.pbx.handed import (
    ASKED_BACK,
    ASKING,
    AUTOMATIC_SILENT,
    AUTOMATIC_TAKEN,
    BACK_GIVEN_UP,
    BACK_SILENT,
    BLIND,
    BLIND_BUSY,
    BLIND_GIVEN_UP,
    BLIND_SUBSTITUTE,
    BLOCKED,
    CALLED_BACK,
    CHAIN,
    CLOSED_THEN_QUEUE,
    EMPLOYEE_CUT,
    HELD,
    INTERNAL,
    ONLY_CLOSED,
    OUT,
    OUT_GIVEN_UP,
    OUT_GIVEN_UP_FIRST,
    OUT_OTHER_TRUNK,
    OVERFLOWN,
    PAGE_BUSY,
    PAGE_JOINED,
    PAGE_OPERATOR_GONE,
    PHONE_BUSY,
    PHONE_JOINED,
    SENT_ON,
    SPY,
    SUBSTITUTE,
    TAKEN_OVER,
    THREE,
    THREE_LEFT_BY_CALLER,
    TOLD,
    UNKNOWN,
    over,
)
from tests.pbx.story import at, events, jumped

E = "+998711234567"
# kind: outcome, ended by | talks | visits | transfers | held seconds, wait seconds
TABLE = f"""
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
STORIES = {
    "blocked": BLOCKED,
    "closed": ONLY_CLOSED,
    "closed, queue": CLOSED_THEN_QUEUE + over(10),
    "told": TOLD + over(12),
    "not told": UNKNOWN + over(12),
    "told, queue": TOLD + "12 | APP_START | caller | app=Queue data=ru,c" + over(17),
    "asked back": ASKED_BACK,
    "overflown": OVERFLOWN,
    "blind": BLIND,
    "blind given up": BLIND_GIVEN_UP,
    "blind busy": BLIND_BUSY,
    "blind substitute": BLIND_SUBSTITUTE,
    "employee cut": EMPLOYEE_CUT,
    "chain": CHAIN,
    "page joined": PAGE_JOINED,
    "page busy": PAGE_BUSY,
    "page, left alone": PAGE_OPERATOR_GONE,
    "three": THREE,
    "three, he leaves": THREE_LEFT_BY_CALLER,
    "phone joined": PHONE_JOINED,
    "phone busy": PHONE_BUSY,
    "automatic": AUTOMATIC_TAKEN,
    "automatic silent": AUTOMATIC_SILENT,
    "held": HELD,
    "taken over": TAKEN_OVER,
    "out": OUT,
    "out, other trunk": OUT_OTHER_TRUNK,
    "out, given up": OUT_GIVEN_UP,
    "given up first": OUT_GIVEN_UP_FIRST,
    "internal": INTERNAL,
    "called back": CALLED_BACK,
    "back, given up": BACK_GIVEN_UP,
    "back, silent": BACK_SILENT,
}
LINES = [[part.strip() for part in line.split("|")] for line in TABLE.split("\n") if line]


def told(table: str, **known: object) -> CallFacts:
    facts = interpret(events(table), **known)  # type: ignore[arg-type]
    assert facts
    return facts


def line(call: CallFacts) -> list[str]:
    """The facts as a line of the table says them."""
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


@pytest.mark.parametrize(("kind", "expected"), [(kind, rest) for kind, *rest in LINES])
def test_each_kind(kind: str, expected: list[str]) -> None:
    call = told(STORIES[kind])
    assert line(call) == expected
    assert call.stage == "ended"


def test_no_kind_is_left_out() -> None:
    assert [kind for kind, *_ in LINES] == list(STORIES)


@pytest.mark.parametrize("kind", STORIES)
def test_order_of_reading_does_not_matter(kind: str) -> None:
    shuffled = events(STORIES[kind])
    random.Random(kind).shuffle(shuffled)  # noqa: S311
    assert interpret(shuffled) == told(STORIES[kind])


def test_a_call_out_tells_whom_why_and_over_what() -> None:
    call = told(OUT)
    assert (call.direction, call.callee, call.caller) == ("outbound", E, "+998712000000")
    assert (call.by, call.reason, call.serves, call.trunk) == ("op01", "follow_up", "77", "carrier")
    [talk] = call.talks
    assert (talk.party, talk.extension) == ("outside", "1001")
    assert [(a.trunk, a.status) for a in call.attempts] == [("carrier", "ANSWER")]
    tried = told(OUT_OTHER_TRUNK)
    assert [(a.trunk, a.status, a.cause) for a in tried.attempts] == [
        ("carrier", "CONGESTION", "34"),
        ("second", "BUSY", "17"),
    ]
    assert tried.trunk == "second"
    assert [a.status for a in told(OUT_GIVEN_UP).attempts] == ["CANCEL"]


def test_a_callback_is_one_call_of_ours() -> None:
    call = told(CALLED_BACK)
    assert (call.direction, call.reason, call.serves, call.by) == (
        "outbound",
        "callback",
        "12",
        None,
    )
    assert (call.rating, call.language, call.menu_seconds) == (4, "uz", 0)
    assert [visit.why for visit in call.visits] == ["callback"]
    assert call.talks[0].party == "operator"


def test_talk_without_hold_and_conference_once() -> None:
    assert told(HELD).talk_seconds == pytest.approx(30)
    assert told(PHONE_JOINED).talk_seconds == pytest.approx(31.8 - 21 + 30)
    assert told(THREE).talk_seconds == pytest.approx(11.8 + 30)


def test_employees_are_told_from_operators() -> None:
    assert [t.party for t in told(CHAIN).talks] == ["operator", "operator", "employee"]
    assert [t.by for t in told(CHAIN).transfers] == ["op01", "op02"]


def test_each_leg_has_its_recording() -> None:
    names = [one.file for one in told(BLIND).recordings]
    assert names == ["2026/11/24/hotline-1.0.wav", "2026/11/24/hotline-1.0-2.wav"]
    assert [one.aside for one in told(PHONE_JOINED).recordings] == [False, True]


def test_topic_and_language_come_with_the_queue() -> None:
    call = told(OVERFLOWN)
    assert (call.topic, call.language) == ("housing", "ru")


def test_listening_in_is_no_call() -> None:
    assert interpret(events(SPY)) is None


def test_a_call_of_the_self_test_is_marked() -> None:
    assert told(ONLY_CLOSED.replace("CLOSED", "SYNTHETIC")).synthetic


@pytest.mark.parametrize(("table", "stage"), [(SENT_ON, "transfer"), (ASKING, "transfer")])
def test_stage_while_somebody_is_looked_for(table: str, stage: str) -> None:
    assert told(table).stage == stage


def test_death_of_asterisk_in_a_transfer() -> None:
    call = told(SENT_ON, cut=at(25))
    assert (call.outcome, call.ended_at) == ("answered", at(25))
    assert call.transfers[0].result == "failed"


@pytest.mark.parametrize("by", [3600.0, -3600.0, 40.0])
@pytest.mark.parametrize("table", [BLIND, CHAIN, BLIND_BUSY])
@pytest.mark.parametrize("after", [11.0, 25.0, 41.0])
def test_a_step_of_the_clock_that_was_noticed_changes_nothing(
    table: str, after: float, by: float
) -> None:
    step = Step(at(after + by + 0.4), dt.timedelta(seconds=by))
    assert interpret(events(jumped(table, after, by)), steps=[step]) == told(table)


def test_a_clock_set_back_in_the_talk_changes_only_what_nobody_can_know() -> None:
    back = "\n".join(
        f"{float(s) - 3600} |{rest}" if float(s) > 25 else f"{s}|{rest}"
        for s, rest in (row.split("|", 1) for row in BLIND.splitlines() if row.strip())
    )
    call, right = told(back), told(BLIND)
    assert [talk.who for talk in call.talks] == [talk.who for talk in right.talks]
    assert (call.outcome, call.rating, call.ended_by) == ("answered", 5, "operator")
    assert [t.result for t in call.transfers] == ["answered"]
    assert call.ended_at == at(62 - (54.2 - 24.2))  # the talk in which it was set back
    assert min(talk.seconds for talk in call.talks) >= 0


def test_what_is_recorded_of_the_caller_is_no_aside_under_either_id() -> None:
    call = told(PHONE_JOINED + "45 | RECORDING | b:caller | file=joined.wav")
    asides = {recording.file: recording.aside for recording in call.recordings}
    assert (asides["joined.wav"], sum(asides.values())) == (False, 1)
