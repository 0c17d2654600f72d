"""Registration numbers are recognised in the forms in which people type them."""

import pytest

from appliance.casework import numbers
from appliance.models import CallNumberSeries, NumberSeries


@pytest.fixture(autouse=True)
def two_years(settings) -> None:
    NumberSeries.create(year=2025, last=70)
    NumberSeries.create(year=2026, last=4)
    CallNumberSeries.create(year=2026, last=9)


@pytest.mark.parametrize(
    "typed",
    [
        *("2026-000015", "2026-15", "2026/000015", "2026 000015", "2026000015", "Q-2026-000015"),
        *("№ 2026-000015", "2026–00015", "2026-OOO015", "2026_0015", " 2026.15"),
    ],
)
def test_a_number_with_its_year_is_recognised(typed: str) -> None:
    assert numbers.candidate_numbers(typed) == ["2026-000015"]
    assert numbers.is_full_number(typed)


@pytest.mark.parametrize(
    ("typed", "is_complete"),
    [("000015", True), (" 000015 ", True), ("№000015", True), ("0015", False), ("015", False)],
)
def test_a_number_is_recognised_by_its_last_digits(typed: str, is_complete: bool) -> None:
    assert numbers.candidate_numbers(typed) == ["2026-000015", "2025-000015"]
    assert numbers.is_full_number(typed) is is_complete


@pytest.mark.parametrize(
    "typed", ["", "15", "000000", "2026-000", "2026", "935550147", "93 555 01 47", "olim", "2026-x"]
)
def test_other_texts_are_not_numbers(typed: str) -> None:
    assert not numbers.is_full_number(typed)
    assert typed == "2026" or numbers.candidate_numbers(typed) == []
