"""Tables: working hours and the rest of the day, the rows of a list, and unobserved periods."""

import datetime as dt

import pytest

from appliance.core.clock import WorkingCalendar
from appliance.reports import periods
from appliance.reports.tables import HoursSplit, count_by_list, count_by_weekday, unobserved_cells
from tests.reports.ledger_world import TZ, site_time

CALENDAR = WorkingCalendar(TZ, dt.time(9), dt.time(18), {dt.date(2026, 12, 8): False})
WEEK = periods.Period(dt.date(2026, 12, 1), dt.date(2026, 12, 7), TZ)  # Tue to Mon


def wall_clock(text: str) -> dt.datetime:
    """Return the local time that the site's clock shows."""
    return site_time(text).replace(tzinfo=None)


def test_only_values_outside_the_list_get_an_extra_row() -> None:
    names = {"a": "A", "b": "B"}
    assert [row.name for row in count_by_list({"b": 1}, names, "else").rows] == ["A", "B"]
    table = count_by_list({"b": 1, None: 1, "typed": 1, "": 1}, names, "else")
    assert [(r.code, r.name, r.count) for r in table.rows] == [
        ("a", "A", 0),
        ("b", "B", 1),
        (None, "else", 3),
    ]
    assert table.total == 4


def test_an_empty_table_has_no_shares() -> None:
    assert count_by_weekday({}, CALENDAR).total == HoursSplit(0, None, 0, None)
    table = count_by_list({}, {"a": "A"}, "else")
    assert (table.rows[0].share, table.total_share) == (None, None)


def test_an_unobserved_cell_is_unknown_and_not_zero() -> None:
    gap = (site_time("1 00:00:00"), site_time("2 12:00:00"))  # all of Tuesday, half of Wednesday
    unknown = unobserved_cells(WEEK, CALENDAR, [gap])
    assert unknown == {(2, True), (2, False)}
    table = count_by_weekday({wall_clock("3 10:00:00"): 1}, CALENDAR, unknown)
    assert (table.days[1].inside, table.days[1].inside_share) == (None, None)
    assert (table.days[2].inside, table.days[2].outside) == (0, 0)
    assert table.total.inside == 1
    assert table.total.outside is None  # no call is known: no reason to print a zero


def test_a_call_known_from_an_unobserved_time_still_counts() -> None:
    table = count_by_weekday({wall_clock("1 10:00:00"): 1}, CALENDAR, {(2, True)})
    assert table.days[1].inside == 1


def test_adjacent_gaps_count_as_one() -> None:
    noon = site_time("1 12:00:00")
    gaps = [(noon, site_time("2 00:00:00")), (site_time("1 00:00:00"), noon)]
    assert unobserved_cells(WEEK, CALENDAR, gaps) == {(2, True), (2, False)}
    assert unobserved_cells(WEEK, CALENDAR, []) == set()


@pytest.mark.parametrize("minute", [0, 59])
def test_one_observed_minute_makes_the_cell_known(minute: int) -> None:
    observed_at = site_time(f"1 09:{minute:02}:00")
    gaps = [
        (site_time("1 00:00:00"), observed_at),
        (observed_at + dt.timedelta(minutes=1), site_time("2 00:00:00")),
    ]
    assert unobserved_cells(WEEK, CALENDAR, gaps) == {(2, False)}
