"""Percentages of a table's rows that add up (docs/figures.md, shares)."""

from collections.abc import Sequence
from decimal import Decimal

WHOLE = Decimal("100.0")
_TENTHS = 1000  # of a per cent in the whole


def shares(counts: Sequence[int]) -> list[Decimal | None]:
    """Each count's share in per cent to one decimal, adding up to exactly 100.0.

    Largest remainder: every share is rounded down, and the tenths that are left go to those that
    lost most, the earlier row first. None for every row when the counts add up to nothing.
    """
    total = sum(counts)
    if not total:
        return [None] * len(counts)
    tenths, lost = zip(*(divmod(count * _TENTHS, total) for count in counts), strict=True)
    left = _TENTHS - sum(tenths)
    raised = set(sorted(range(len(counts)), key=lambda row: -lost[row])[:left])
    return [
        Decimal(share + (row in raised)).scaleb(-1).quantize(Decimal("0.1"))
        for row, share in enumerate(tenths)
    ]


def whole(total: int) -> Decimal | None:
    """The share to print beside a column's total: 100.0, or None for a column of nothing."""
    return WHOLE if total else None
