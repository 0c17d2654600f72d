"""Months and dates of the site, and the moments they begin and end."""

import datetime as dt

import pytest

from appliance.reports import periods
from appliance.reports.periods import PeriodError
from tests.reports.ledger_world import TZ


@pytest.mark.usefixtures("new_year")
def test_a_month_begins_and_ends_at_the_sites_midnight() -> None:
    period = periods.month("2026-12", TZ)
    assert period.begin == dt.datetime(2026, 11, 30, 19, tzinfo=dt.UTC)
    assert period.end == dt.datetime(2026, 12, 31, 19, tzinfo=dt.UTC)
    assert len(period.days) == 31


def test_to_a_date_includes_it() -> None:
    period = periods.month("2026-10", TZ, "2026-10-20")
    assert (period.first, period.last) == (dt.date(2026, 10, 1), dt.date(2026, 10, 20))
    assert period.end == dt.datetime(2026, 10, 20, 19, tzinfo=dt.UTC)


@pytest.mark.usefixtures("at_noon")
def test_the_running_month_goes_to_today() -> None:
    assert periods.month("2026-11", TZ).last == dt.date(2026, 11, 18)


@pytest.mark.parametrize(("month", "last"), [("2024-02", 29), ("2025-02", 28), ("2199-04", 30)])
def test_other_months_go_to_their_last_day(month: str, last: int) -> None:
    assert periods.month(month, TZ).last.day == last


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "202610", "октябрь", "", "²⁰²⁶-10"]
)
def test_no_month(month: str) -> None:
    with pytest.raises(PeriodError, match="not a month"):
        periods.month(month, TZ)


@pytest.mark.parametrize("upto", ["2026-10-32", "20", "20.10.2026", ""])
def test_no_date(upto: str) -> None:
    with pytest.raises(PeriodError, match="not a date"):
        periods.month("2026-10", TZ, upto)


@pytest.mark.parametrize("upto", ["2026-09-30", "2026-11-01"])
def test_a_date_outside_of_the_month(upto: str) -> None:
    with pytest.raises(PeriodError, match="is not in 2026-10"):
        periods.month("2026-10", TZ, upto)


@pytest.mark.parametrize(
    ("quarter", "first", "last"),
    [
        ("2026-Q1", dt.date(2026, 1, 1), dt.date(2026, 3, 31)),
        ("2024-Q4", dt.date(2024, 10, 1), dt.date(2024, 12, 31)),
    ],
)
def test_quarters(quarter: str, first: dt.date, last: dt.date) -> None:
    period = periods.quarter(quarter, TZ)
    assert (period.first, period.last) == (first, last)
    assert periods.quarter_of(first) == periods.quarter_of(last) == quarter


@pytest.mark.parametrize("quarter", ["2026-Q0", "2026-Q5", "2026-3", "Q3", "0000-Q1"])
def test_no_quarter(quarter: str) -> None:
    with pytest.raises(PeriodError, match="not a quarter"):
        periods.quarter(quarter, TZ)


def test_a_quarter_to_a_date() -> None:
    assert periods.quarter("2026-Q3", TZ, "2026-08-15").last == dt.date(2026, 8, 15)
    with pytest.raises(PeriodError, match="is not in 2026-Q3"):
        periods.quarter("2026-Q3", TZ, "2026-06-30")


def test_a_day() -> None:
    assert periods.day("2026-10-20", TZ).days == [dt.date(2026, 10, 20)]
    with pytest.raises(PeriodError, match="not a date"):
        periods.day("2026-10-32", TZ)


@pytest.mark.parametrize("text", ["0001-01", "1999-12", "2200-01", "9999-12"])
def test_months_that_no_hotline_had(text: str) -> None:
    with pytest.raises(PeriodError, match="not between"):
        periods.month(text, TZ)


@pytest.mark.parametrize("text", ["0001-Q1", "9999-Q4"])
def test_quarters_that_no_hotline_had(text: str) -> None:
    with pytest.raises(PeriodError, match="not between"):
        periods.quarter(text, TZ)


def test_no_more_than_five_years_are_worked_out() -> None:
    assert len(periods.between("2022-01-01", "2026-12-31", TZ).days) == 1826
    with pytest.raises(PeriodError, match="longer"):
        periods.between("2021-01-01", "2026-12-31", TZ)
    with pytest.raises(PeriodError, match="not between"):
        periods.between("0002-01-01", "9998-12-30", TZ)


def test_the_last_day_has_an_end() -> None:
    period = periods.between("2199-12-31", "2199-12-31", TZ)
    assert period.end - period.begin == dt.timedelta(days=1)
    with pytest.raises(ValueError, match="0001"):
        periods.read("01.01.0001-02.01.0001", TZ)
