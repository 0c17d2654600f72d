"""Parsing the bytes of the event log into records, whatever has happened to the file."""

from urllib.parse import parse_qsl

import pytest

from appliance.core.tables import DocumentField
from appliance.pbx import eventlog
from tests.pbx.stories import RATED_CALL
from tests.pbx.story import log_records, table_events, table_time

RATED_LINES = log_records(RATED_CALL)
RATED_LOG = b"".join(RATED_LINES)


def test_every_record_is_parsed() -> None:
    pieces = list(eventlog.split_log(RATED_LOG))
    assert [piece.text for piece in pieces] == RATED_LINES
    assert all(piece.event for piece in pieces)
    assert pieces[-1].end == len(RATED_LOG)


def test_the_fields_of_a_record_are_read() -> None:
    key = next(event for event in table_events(RATED_CALL) if event.type == "KEY")
    assert (key.at, key.linkedid, key.extra) == (table_time(2), "hotline-1.0", {"key": "2"})
    hangup = [event for event in table_events(RATED_CALL) if event.type == "HANGUP"][0]
    assert (hangup.endpoint, hangup.extra["hangupcause"]) == ("1001", "16")


def test_a_field_may_contain_line_breaks_quotes_and_invalid_bytes() -> None:
    odd = RATED_LINES[0].replace(b'"998935550147"', b'"a ""b"",\n""c\xff"')
    pieces = list(eventlog.split_log(odd + RATED_LINES[1]))
    assert [bool(piece.event) for piece in pieces] == [True, True]
    assert pieces[0].event
    assert pieces[0].event.fields["Num"] == 'a "b",\n"c\ufffd'


@pytest.mark.parametrize("field_text", ['a "b"', "\\", "o\u2018zbek\x7f", "\n\t\x00\x1f", ""])
def test_a_row_stores_its_fields_like_any_document(field_text: str) -> None:
    event = eventlog.create_event(
        "KEY", "hotline-1.0", table_time(2), facts="key=2", Num=field_text
    )
    nonempty_fields = {name: text for name, text in event.fields.items() if text}
    assert event.fields_json == DocumentField().db_value(nonempty_fields)


@pytest.mark.parametrize(
    "query",
    [
        *("", "key=2", "a=1&b=&c&&d=x=y", "&=v&", "a=1&a=2", "a;b=c d", "o\u2018=\u049b\x00"),
        *("number=%2B998&by=op+01", "a+b=%", "a=%zz&b=2"),
    ],
)
def test_facts_of_the_dialplan_are_parsed_like_a_query_string(query: str) -> None:
    event = eventlog.create_event("KEY", "hotline-1.0", table_time(2), facts=query)
    assert list(event.extra.items()) == list(dict(parse_qsl(query, keep_blank_values=True)).items())


@pytest.mark.parametrize("cut", range(1, len(RATED_LINES[3]) - 1, 7))
def test_a_truncated_record_is_not_an_event_and_its_neighbours_are(cut: int) -> None:
    glued = RATED_LINES[2] + RATED_LINES[3][:cut] + RATED_LINES[4]
    parsed_events = [piece.event for piece in eventlog.split_log(glued)]
    assert [event is not None for event in parsed_events] == [True, False, True]


def test_only_identical_records_have_the_same_hash() -> None:
    hashes = [event.hash for event in table_events(RATED_CALL)]
    assert len(set(hashes)) == len(hashes)
    assert hashes == [event.hash for event in table_events(RATED_CALL)]
