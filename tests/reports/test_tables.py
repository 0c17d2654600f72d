"""Tables: the half of the day, the list's rows, and what was not observed."""

import datetime as dt

import pytest

from appliance.core.clock import WorkingCalendar
from appliance.reports import periods
from appliance.reports.tables import Split, by_list, by_weekday, never_observed
from tests.reports.ledger_world import TZ, at

CALENDAR = WorkingCalendar(TZ, dt.time(9), dt.time(18), {dt.date(2026, 12, 8): False})
WEEK = periods.Period(dt.date(2026, 12, 1), dt.date(2026, 12, 7), TZ)  # Tue to Mon


def shown(text: str) -> dt.datetime:
    """What the site's clock shows."""
    return at(text).replace(tzinfo=None)


def test_only_what_is_off_the_list_gets_a_row_of_its_own() -> None:
    names = {"a": "A", "b": "B"}
    assert [row.name for row in by_list({"b": 1}, names, "else").rows] == ["A", "B"]
    table = by_list({"b": 1, None: 1, "typed": 1, "": 1}, names, "else")
    assert [(r.code, r.name, r.count) for r in table.rows] == [
        ("a", "A", 0),
        ("b", "B", 1),
        (None, "else", 3),
    ]
    assert table.total == 4


def test_an_empty_table_has_no_shares() -> None:
    assert by_weekday({}, CALENDAR).total == Split(0, None, 0, None)
    table = by_list({}, {"a": "A"}, "else")
    assert (table.rows[0].share, table.total_share) == (None, None)


def test_what_was_never_observed_is_unknown_not_zero() -> None:
    gap = (at("1 00:00:00"), at("2 12:00:00"))  # all of Tuesday, half of Wednesday
    unknown = never_observed(WEEK, CALENDAR, [gap])
    assert unknown == {(2, True), (2, False)}
    table = by_weekday({shown("3 10:00:00"): 1}, CALENDAR, unknown)
    assert (table.days[1].inside, table.days[1].inside_share) == (None, None)
    assert (table.days[2].inside, table.days[2].outside) == (0, 0)
    assert table.total.inside == 1
    assert table.total.outside is None  # nothing known came: no ground to print a zero


def test_a_call_known_from_an_unobserved_time_still_counts() -> None:
    table = by_weekday({shown("1 10:00:00"): 1}, CALENDAR, {(2, True)})
    assert table.days[1].inside == 1


def test_gaps_that_touch_are_one() -> None:
    noon = at("1 12:00:00")
    gaps = [(noon, at("2 00:00:00")), (at("1 00:00:00"), noon)]
    assert never_observed(WEEK, CALENDAR, gaps) == {(2, True), (2, False)}
    assert never_observed(WEEK, CALENDAR, []) == set()


@pytest.mark.parametrize("minute", [0, 59])
def test_a_minute_seen_makes_the_cell_known(minute: int) -> None:
    seen = at(f"1 09:{minute:02}:00")
    gaps = [(at("1 00:00:00"), seen), (seen + dt.timedelta(minutes=1), at("2 00:00:00"))]
    assert never_observed(WEEK, CALENDAR, gaps) == {(2, False)}
