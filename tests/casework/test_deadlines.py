"""Deadlines as tables: working hours, holidays, swapped days, the ends of months and years."""

import datetime as dt

import pytest

from appliance.casework import catalogs
from appliance.casework.appeals import deadlines
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Settings


@pytest.fixture
def calendar(settings: Settings) -> WorkingCalendar:
    """The shipped calendar: 12.12.2026 is a working Saturday, 31.12.2026 a day off in exchange."""
    return catalogs.working_calendar(settings)


def parse_date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007


@pytest.mark.parametrize(
    ("received", "registered"),
    [
        ("18.11.2026 10:21", "18.11.2026"),  # a Wednesday, during working hours
        ("18.11.2026 07:00", "18.11.2026"),  # before working hours
        ("18.11.2026 17:59", "18.11.2026"),
        ("18.11.2026 18:00", "19.11.2026"),  # after working hours
        ("20.11.2026 18:30", "23.11.2026"),  # Friday evening
        ("22.11.2026 12:00", "23.11.2026"),  # a Sunday
        ("08.12.2026 10:00", "09.12.2026"),  # a holiday
        ("11.12.2026 19:00", "12.12.2026"),  # before a working Saturday
        ("12.12.2026 11:00", "12.12.2026"),
        ("30.12.2026 18:00", "04.01.2027"),  # a swapped day off, New Year, a weekend
        ("19.03.2026 20:00", "24.03.2026"),  # Ramadan, Navroʻz, a Sunday, its observed day
    ],
)
def test_an_appeal_is_registered_on_the_next_working_day(calendar, received, registered):
    moment = dt.datetime.strptime(received, "%d.%m.%Y %H:%M").replace(tzinfo=calendar.tz)
    assert deadlines.registration_day(moment.astimezone(dt.UTC), calendar) == parse_date(registered)


@pytest.mark.parametrize(
    ("kind", "from_", "basic", "longer", "longest"),
    [
        ("application", "18.11.2026", "03.12.2026", "18.12.2026", "18.01.2027"),
        ("complaint", "06.11.2026", "21.11.2026", "06.12.2026", "06.01.2027"),  # days off count
        ("proposal", "24.10.2026", "24.11.2026", "24.12.2026", None),
        ("application", "31.12.2026", "15.01.2027", "31.01.2027", "28.02.2027"),
        ("proposal", "31.01.2028", "29.02.2028", "31.03.2028", None),  # a leap year
        ("shikoyat?", "17.12.2026", "01.01.2027", "17.01.2027", "17.02.2027"),  # a kind on no list
    ],
)
def test_each_kind_has_its_terms(kind, from_, basic, longer, longest):
    term = deadlines.initial_term(kind)
    for expected in (basic, longer, longest):
        if expected is None:
            assert term is None
        else:
            assert deadlines.term_end(parse_date(from_), term) == parse_date(expected)
            term = deadlines.extended_term(term)
    assert term is None


def test_forwarding_and_explanations_have_their_own_terms():
    assert deadlines.forwarding_deadline(parse_date("29.12.2026")) == parse_date("03.01.2027")
    assert deadlines.term_end(parse_date("29.12.2026"), "explain") == parse_date("08.01.2027")
    assert deadlines.extended_term("explain") is None


@pytest.mark.parametrize(
    ("today", "due_on", "expected"),
    [
        ("24.11.2026", "24.11.2026", 0),
        ("24.11.2026", "25.11.2026", 1),
        ("24.11.2026", "03.12.2026", 7),  # nine days, one weekend
        ("04.12.2026", "14.12.2026", 6),  # a holiday, and a working Saturday
        ("30.12.2026", "03.01.2027", 0),  # all of them are days off
        ("30.12.2026", "04.01.2027", 1),
        ("24.11.2026", "20.11.2026", 0),  # past
    ],
)
def test_working_days_until_the_deadline_are_counted(calendar, today, due_on, expected):
    assert deadlines.working_days_left(parse_date(today), parse_date(due_on), calendar) == expected


def test_an_unknown_term_raises_value_error():
    with pytest.raises(ValueError, match="no such term"):
        deadlines.term_end(parse_date("01.01.2026"), "soon")
