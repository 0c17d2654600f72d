"""Which numbers of what is registered a hurried person means."""

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
def test_with_its_year(typed: str) -> None:
    assert numbers.meant(typed) == ["2026-000015"]
    assert numbers.is_whole(typed)


@pytest.mark.parametrize(("typed", "whole"), [("000015", True), ("0015", False), ("015", False)])
def test_by_the_digits_at_its_end(typed: str, whole: bool) -> None:
    assert numbers.meant(typed) == ["2026-000015", "2025-000015"]
    assert numbers.is_whole(typed) is whole


@pytest.mark.parametrize(
    "typed", ["", "15", "000000", "2026-000", "2026", "935550147", "93 555 01 47", "olim", "2026-x"]
)
def test_what_is_no_number(typed: str) -> None:
    assert not numbers.is_whole(typed)
    assert typed == "2026" or numbers.meant(typed) == []
