"""Shares add up, and none is further than a tenth from the truth."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.reports.shares import shares

COUNTS = st.lists(st.integers(0, 100_000), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([1, 1, 1], "33.4 33.3 33.3"),  # the tenth that is left goes to the earlier row
        ([2, 1], "66.7 33.3"),
        ([2, 2, 1, 1, 0, 1], "28.6 28.5 14.3 14.3 0.0 14.3"),
        ([5], "100.0"),
        ([0, 7, 0], "0.0 100.0 0.0"),
        ([9999, 1], "100.0 0.0"),
    ],
)
def test_largest_remainder(counts: list[int], expected: str) -> None:
    assert " ".join(str(share) for share in shares(counts)) == expected


def test_nothing_has_no_shares() -> None:
    assert shares([0, 0]) == [None, None]
    assert shares([]) == []


@given(COUNTS)
def test_they_add_up_and_keep_order(counts: list[int]) -> None:
    found = shares(counts)
    if not any(counts):
        assert found == [None] * len(counts)
        return
    assert sum(found) == Decimal("100.0")  # type: ignore[arg-type]
    for count, share in zip(counts, found, strict=True):
        assert share is not None
        assert abs(Fraction(share) - Fraction(100 * count, sum(counts))) < Fraction(1, 10)
        assert count or not share
        for other, others in zip(counts, found, strict=True):
            assert count <= other or share >= others  # type: ignore[operator]
