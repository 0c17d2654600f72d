"""Shares add up, and each is within a tenth of the exact value."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.reports.shares import percentage_shares

COUNTS = st.lists(st.integers(0, 100_000), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([1, 1, 1], "33.4 33.3 33.3"),  # the remaining tenth goes to the earlier row
        ([2, 1], "66.7 33.3"),
        ([2, 2, 1, 1, 0, 1], "28.6 28.5 14.3 14.3 0.0 14.3"),
        ([5], "100.0"),
        ([0, 7, 0], "0.0 100.0 0.0"),
        ([9999, 1], "100.0 0.0"),
    ],
)
def test_the_largest_remainders_are_rounded_up(counts: list[int], expected: str) -> None:
    assert " ".join(str(share) for share in percentage_shares(counts)) == expected


def test_zero_counts_have_no_shares() -> None:
    assert percentage_shares([0, 0]) == [None, None]
    assert percentage_shares([]) == []


@given(COUNTS)
def test_shares_add_up_and_keep_their_order(counts: list[int]) -> None:
    result = percentage_shares(counts)
    if not any(counts):
        assert result == [None] * len(counts)
        return
    assert sum(result) == Decimal("100.0")  # type: ignore[arg-type]
    for count, share in zip(counts, result, strict=True):
        assert share is not None
        assert abs(Fraction(share) - Fraction(100 * count, sum(counts))) < Fraction(1, 10)
        assert count or not share
        for other, other_share in zip(counts, result, strict=True):
            assert count <= other or share >= other_share  # type: ignore[operator]
