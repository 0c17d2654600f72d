"""A talk whose operator's page is lost: one talk with a gap, from the records alone."""

import pytest

from appliance.pbx.interpret import interpret_call
from appliance.telephony.calls import CallFacts
from tests.pbx.stories import TALK_RESUMED, TO_GAP
from tests.pbx.story import table_events, table_time

ENDED_BY_OPERATOR = """
48.2 | BRIDGE_EXIT  | 1001#2 | bridge=b2
48.2 | BRIDGE_EXIT  | caller | bridge=b2
48.2 | APP_END      | caller | app=Dial
48.2 | HANGUP       | 1001#2 | source=1001#2
52   | RATING       | caller | mark=4 operator=op01
54   | HANGUP       | caller | source=1001#2
54   | LINKEDID_END | caller |
"""
ENDED_BY_CALLER = """
48.2 | BRIDGE_EXIT  | caller | bridge=b2
48.2 | BRIDGE_EXIT  | 1001#2 | bridge=b2
48.2 | HANGUP       | 1001#2 | source=caller
48.2 | HANGUP       | caller | source=caller
48.2 | LINKEDID_END | caller |
"""
LOST_AGAIN = """
40   | BRIDGE_EXIT  | 1001#2 | bridge=b2
40   | BRIDGE_EXIT  | caller | bridge=b2
40   | APP_END      | caller | app=Dial
40   | LOST         | caller | extension=1001
40   | HANGUP       | 1001#2 | source=none cause=44
41   | CHAN_START   | 1001#3 |
44   | HANGUP       | 1001#3 | source=none cause=0
44.2 | CHAN_START   | 1001#4 |
45   | ANSWER       | 1001#4 | app=AppDial
45   | BRIDGE_ENTER | 1001#4 | bridge=b3
45   | BRIDGE_ENTER | caller | bridge=b3
48.2 | BRIDGE_EXIT  | caller | bridge=b3
48.2 | BRIDGE_EXIT  | 1001#4 | bridge=b3
48.2 | HANGUP       | 1001#4 | source=caller
48.2 | HANGUP       | caller | source=caller
48.2 | LINKEDID_END | caller |
"""
NEVER_RESUMED = """
29   | CHAN_START   | 1001#2 |
32   | HANGUP       | 1001#2 | source=none cause=0
58.2 | GIVEN_UP     | caller | extension=1001
58.2 | QUEUE        | caller | queue=ru language=ru topic= why=returned
58.2 | APP_START    | caller | app=Queue data=ru,c,,,300
58.5 | CHAN_START   | {phone} |
60   | ANSWER       | {phone} |
60   | BRIDGE_ENTER | {phone} | bridge=b2
60   | BRIDGE_ENTER | caller | bridge=b2
70   | BRIDGE_EXIT  | caller | bridge=b2
70   | BRIDGE_EXIT  | {phone} | bridge=b2
70   | HANGUP       | {phone} | source=caller
70   | HANGUP       | caller | source=caller
70   | LINKEDID_END | caller |
"""
CALLER_HANGS_UP = """
29   | CHAN_START   | 1001#2 |
31   | HANGUP       | 1001#2 | source=none cause=0
31   | HANGUP       | caller | source=caller
31   | LINKEDID_END | caller |
"""


def interpret_table(table: str, **options: object) -> CallFacts:
    facts = interpret_call(table_events(table), **options)  # type: ignore[arg-type]
    assert facts
    return facts


@pytest.mark.parametrize(
    ("end", "by"), [(ENDED_BY_OPERATOR, "operator"), (ENDED_BY_CALLER, "caller")]
)
def test_a_talk_with_a_page_that_returns_is_one_talk(end: str, by: str) -> None:
    call = interpret_table(TALK_RESUMED + end)
    [talk], [visit] = call.talks, call.visits
    assert (talk.who, talk.started_at, talk.ended_at) == ("op01", table_time(8.2), table_time(48.2))
    assert talk.gaps == [(table_time(28.2), table_time(30.2))]
    assert (talk.seconds, call.talk_seconds, call.hold_seconds) == (38.0, 38.0, 0.0)
    assert (visit.result, len(visit.rings)) == ("answered", 1)
    assert (call.outcome, call.ended_by) == ("answered", by)
    assert [recording.file[-6:] for recording in call.recordings] == [".0.wav", "-2.wav"]
    assert call.wait_seconds == pytest.approx(3.2)


def test_a_page_lost_twice_leaves_two_gaps() -> None:
    call = interpret_table(TALK_RESUMED + LOST_AGAIN)
    [talk] = call.talks
    assert talk.gaps == [(table_time(28.2), table_time(30.2)), (table_time(40), table_time(45))]
    assert call.talk_seconds == pytest.approx(33.0)
    assert (call.ended_by, len(call.visits[0].rings)) == ("caller", 1)


@pytest.mark.parametrize(("phone", "who"), [("1002", "op02"), ("1001#3", "op01")])
def test_a_page_that_never_returns_leads_to_another_talk(phone: str, who: str) -> None:
    call = interpret_table(TO_GAP + NEVER_RESUMED.format(phone=phone, call="{call}"))
    first, second = call.talks
    assert (first.who, first.ended_at, first.gaps) == (
        "op01",
        table_time(28.2),
        [(table_time(28.2), table_time(58.2))],
    )
    assert (second.who, second.gaps) == (who, [])
    assert call.talk_seconds == pytest.approx(30.0)
    assert [(v.why, v.result) for v in call.visits] == [
        ("first", "answered"),
        ("returned", "answered"),
    ]
    assert call.wait_seconds == pytest.approx(3.2)


def test_a_caller_who_hangs_up_in_a_gap_ends_the_call() -> None:
    call = interpret_table(TO_GAP + CALLER_HANGS_UP)
    [talk] = call.talks
    assert (talk.ended_at, talk.gaps) == (table_time(28.2), [(table_time(28.2), table_time(31))])
    assert (call.outcome, call.ended_by, call.talk_seconds) == ("answered", "caller", 20.0)


def test_the_talk_continues_during_a_gap() -> None:
    call = interpret_table(TO_GAP)
    [talk] = call.talks
    assert (talk.ended_at, talk.gaps, call.stage) == (None, [(table_time(28.2), None)], "talk")


def test_the_end_of_asterisk_during_a_gap_ends_the_call() -> None:
    call = interpret_table(TO_GAP, died_at=table_time(35))
    [talk] = call.talks
    assert (talk.ended_at, talk.gaps) == (table_time(28.2), [(table_time(28.2), table_time(35))])
    assert (call.outcome, call.ended_by) == ("answered", "system")
