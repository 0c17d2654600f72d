"""Deadlines as tables: working hours, holidays, swapped days, the ends of months and years."""

import datetime as dt

import pytest

from appliance.casework import catalogs
from appliance.casework.appeals import deadlines
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Settings


@pytest.fixture
def calendar(settings: Settings) -> WorkingCalendar:
    """The calendar that comes along: 12.12.2026 is worked, 31.12.2026 is off for it."""
    return catalogs.working_calendar(settings)


def day(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007


@pytest.mark.parametrize(
    ("received", "registered"),
    [
        ("18.11.2026 10:21", "18.11.2026"),  # a Wednesday, at work
        ("18.11.2026 07:00", "18.11.2026"),  # before they begin
        ("18.11.2026 17:59", "18.11.2026"),
        ("18.11.2026 18:00", "19.11.2026"),  # after they end
        ("20.11.2026 18:30", "23.11.2026"),  # Friday evening
        ("22.11.2026 12:00", "23.11.2026"),  # a Sunday
        ("08.12.2026 10:00", "09.12.2026"),  # a holiday
        ("11.12.2026 19:00", "12.12.2026"),  # before a Saturday that is worked
        ("12.12.2026 11:00", "12.12.2026"),
        ("30.12.2026 18:00", "04.01.2027"),  # a swapped day off, New Year, a weekend
        ("19.03.2026 20:00", "24.03.2026"),  # Ramadan, Navroʻz, a Sunday, its observed day
    ],
)
def test_the_day_of_registering(calendar, received, registered):
    moment = dt.datetime.strptime(received, "%d.%m.%Y %H:%M").replace(tzinfo=calendar.tz)
    assert deadlines.registered_on(moment.astimezone(dt.UTC), calendar) == day(registered)


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
def test_terms(kind, from_, basic, longer, longest):
    term = deadlines.first_term(kind)
    for expected in (basic, longer, longest):
        if expected is None:
            assert term is None
        else:
            assert deadlines.due(day(from_), term) == day(expected)
            term = deadlines.longer(term)
    assert term is None


def test_forwarding_and_explaining():
    assert deadlines.forward_by(day("29.12.2026")) == day("03.01.2027")
    assert deadlines.due(day("29.12.2026"), "explain") == day("08.01.2027")
    assert deadlines.longer("explain") is None


@pytest.mark.parametrize(
    ("today", "due_on", "left"),
    [
        ("24.11.2026", "24.11.2026", 0),
        ("24.11.2026", "25.11.2026", 1),
        ("24.11.2026", "03.12.2026", 7),  # nine days, one weekend
        ("04.12.2026", "14.12.2026", 6),  # a holiday, and a Saturday that is worked
        ("30.12.2026", "03.01.2027", 0),  # all of them off
        ("30.12.2026", "04.01.2027", 1),
        ("24.11.2026", "20.11.2026", 0),  # over
    ],
)
def test_the_working_days_that_remain(calendar, today, due_on, left):
    assert deadlines.working_days(day(today), day(due_on), calendar) == left


def test_an_unknown_term_is_no_term():
    with pytest.raises(ValueError, match="no such term"):
        deadlines.due(day("01.01.2026"), "soon")
