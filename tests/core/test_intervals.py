"""Intervals subtracted from others."""

import pytest

from appliance.core.intervals import subtract_intervals

Spans = list[tuple[int, int]]


@pytest.mark.parametrize(
    ("wholes", "holes", "expected"),
    [
        ([(0, 10)], [], [(0, 10)]),
        ([(0, 10)], [(2, 4), (6, 7)], [(0, 2), (4, 6), (7, 10)]),
        ([(0, 10)], [(0, 4)], [(4, 10)]),
        ([(0, 10)], [(4, 12)], [(0, 4)]),
        ([(0, 10)], [(10, 12)], [(0, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10), (20, 30)], [(5, 25)], [(0, 5), (25, 30)]),
        ([(0, 10), (5, 15)], [(8, 9)], [(0, 8), (9, 15)]),
    ],
)
def test_holes_are_removed_from_intervals(wholes: Spans, holes: Spans, expected: Spans) -> None:
    assert subtract_intervals(wholes, holes) == expected  # type: ignore[arg-type, comparison-overlap]  # numbers do
