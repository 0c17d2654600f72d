"""Months and dates of the site, and the times at which they begin and end."""

import datetime as dt

import pytest

from appliance.reports import periods
from appliance.reports.periods import PeriodError
from tests.reports.ledger_world import TZ


@pytest.mark.usefixtures("new_year")
def test_a_month_begins_and_ends_at_the_sites_midnight() -> None:
    period = periods.parse_month("2026-12", TZ)
    assert period.begin == dt.datetime(2026, 11, 30, 19, tzinfo=dt.UTC)
    assert period.end == dt.datetime(2026, 12, 31, 19, tzinfo=dt.UTC)
    assert len(period.days) == 31


def test_a_period_up_to_a_date_includes_that_day() -> None:
    period = periods.parse_month("2026-10", TZ, "2026-10-20")
    assert (period.first, period.last) == (dt.date(2026, 10, 1), dt.date(2026, 10, 20))
    assert period.end == dt.datetime(2026, 10, 20, 19, tzinfo=dt.UTC)


@pytest.mark.usefixtures("at_noon")
def test_the_current_month_ends_today() -> None:
    assert periods.parse_month("2026-11", TZ).last == dt.date(2026, 11, 18)


@pytest.mark.parametrize(("month", "last"), [("2024-02", 29), ("2025-02", 28), ("2199-04", 30)])
def test_other_months_end_on_their_last_day(month: str, last: int) -> None:
    assert periods.parse_month(month, TZ).last.day == last


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "202610", "октябрь", "", "²⁰²⁶-10"]
)
def test_an_invalid_month_is_refused(month: str) -> None:
    with pytest.raises(PeriodError, match="not a month"):
        periods.parse_month(month, TZ)


@pytest.mark.parametrize("upto", ["2026-10-32", "20", "20.10.2026", ""])
def test_an_invalid_date_is_refused(upto: str) -> None:
    with pytest.raises(PeriodError, match="not a date"):
        periods.parse_month("2026-10", TZ, upto)


@pytest.mark.parametrize("upto", ["2026-09-30", "2026-11-01"])
def test_a_date_outside_the_month_is_refused(upto: str) -> None:
    with pytest.raises(PeriodError, match="is not in 2026-10"):
        periods.parse_month("2026-10", TZ, upto)


@pytest.mark.parametrize(
    ("quarter", "first", "last"),
    [
        ("2026-Q1", dt.date(2026, 1, 1), dt.date(2026, 3, 31)),
        ("2024-Q4", dt.date(2024, 10, 1), dt.date(2024, 12, 31)),
    ],
)
def test_a_quarter_has_its_first_and_last_day(quarter: str, first: dt.date, last: dt.date) -> None:
    period = periods.parse_quarter(quarter, TZ)
    assert (period.first, period.last) == (first, last)
    assert periods.quarter_name(first) == periods.quarter_name(last) == quarter


@pytest.mark.parametrize("quarter", ["2026-Q0", "2026-Q5", "2026-3", "Q3", "0000-Q1"])
def test_an_invalid_quarter_is_refused(quarter: str) -> None:
    with pytest.raises(PeriodError, match="not a quarter"):
        periods.parse_quarter(quarter, TZ)


def test_a_quarter_can_end_at_a_date() -> None:
    assert periods.parse_quarter("2026-Q3", TZ, "2026-08-15").last == dt.date(2026, 8, 15)
    with pytest.raises(PeriodError, match="is not in 2026-Q3"):
        periods.parse_quarter("2026-Q3", TZ, "2026-06-30")


def test_a_day_is_a_period() -> None:
    assert periods.parse_day("2026-10-20", TZ).days == [dt.date(2026, 10, 20)]
    with pytest.raises(PeriodError, match="not a date"):
        periods.parse_day("2026-10-32", TZ)


@pytest.mark.parametrize("text", ["0001-01", "1999-12", "2200-01", "9999-12"])
def test_months_outside_the_supported_years_are_refused(text: str) -> None:
    with pytest.raises(PeriodError, match="not between"):
        periods.parse_month(text, TZ)


@pytest.mark.parametrize("text", ["0001-Q1", "9999-Q4"])
def test_quarters_outside_the_supported_years_are_refused(text: str) -> None:
    with pytest.raises(PeriodError, match="not between"):
        periods.parse_quarter(text, TZ)


def test_a_period_longer_than_five_years_is_refused() -> None:
    assert len(periods.parse_range("2022-01-01", "2026-12-31", TZ).days) == 1826
    with pytest.raises(PeriodError, match="longer"):
        periods.parse_range("2021-01-01", "2026-12-31", TZ)
    with pytest.raises(PeriodError, match="not between"):
        periods.parse_range("0002-01-01", "9998-12-30", TZ)


def test_the_last_supported_day_has_an_end() -> None:
    period = periods.parse_range("2199-12-31", "2199-12-31", TZ)
    assert period.end - period.begin == dt.timedelta(days=1)
    with pytest.raises(ValueError, match="0001"):
        periods.parse_periods("01.01.0001-02.01.0001", TZ)
