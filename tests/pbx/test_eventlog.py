"""Bytes of the event log into records, whatever has happened to the file."""

from urllib.parse import parse_qsl

import pytest

from appliance.core.tables import DocumentField
from appliance.pbx import eventlog
from tests.pbx.stories import RATED
from tests.pbx.story import at, events, records

LINES = records(RATED)
LOG = b"".join(LINES)


def test_every_record_is_found() -> None:
    found = list(eventlog.pieces(LOG))
    assert [piece.text for piece in found] == LINES
    assert all(piece.event for piece in found)
    assert found[-1].end == len(LOG)


def test_what_a_record_says() -> None:
    key = next(event for event in events(RATED) if event.type == "KEY")
    assert (key.at, key.linkedid, key.extra) == (at(2), "hotline-1.0", {"key": "2"})
    hangup = [event for event in events(RATED) if event.type == "HANGUP"][0]
    assert (hangup.endpoint, hangup.extra["hangupcause"]) == ("1001", "16")


def test_line_breaks_quotes_and_bad_bytes_inside_a_field() -> None:
    odd = LINES[0].replace(b'"998935550147"', b'"a ""b"",\n""c\xff"')
    found = list(eventlog.pieces(odd + LINES[1]))
    assert [bool(piece.event) for piece in found] == [True, True]
    assert found[0].event
    assert found[0].event.fields["Num"] == 'a "b",\n"c\ufffd'


@pytest.mark.parametrize("held", ['a "b"', "\\", "o\u2018zbek\x7f", "\n\t\x00\x1f", ""])
def test_a_row_keeps_fields_as_every_document_is_kept(held: str) -> None:
    event = eventlog.own("KEY", "hotline-1.0", at(2), facts="key=2", Num=held)
    told = {name: text for name, text in event.fields.items() if text}
    assert event.fields_as_kept == DocumentField().db_value(told)


@pytest.mark.parametrize(
    "told",
    [
        *("", "key=2", "a=1&b=&c&&d=x=y", "&=v&", "a=1&a=2", "a;b=c d", "o\u2018=\u049b\x00"),
        *("number=%2B998&by=op+01", "a+b=%", "a=%zz&b=2"),
    ],
)
def test_facts_of_the_dialplan_are_read_as_a_query_is(told: str) -> None:
    event = eventlog.own("KEY", "hotline-1.0", at(2), facts=told)
    assert list(event.extra.items()) == list(dict(parse_qsl(told, keep_blank_values=True)).items())


@pytest.mark.parametrize("cut", range(1, len(LINES[3]) - 1, 7))
def test_a_cut_record_is_no_event_and_its_neighbours_are(cut: int) -> None:
    glued = LINES[2] + LINES[3][:cut] + LINES[4]
    found = [piece.event for piece in eventlog.pieces(glued)]
    assert [event is not None for event in found] == [True, False, True]


def test_same_hash_for_the_same_record_only() -> None:
    hashes = [event.hash for event in events(RATED)]
    assert len(set(hashes)) == len(hashes)
    assert hashes == [event.hash for event in events(RATED)]
