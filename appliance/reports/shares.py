"""The percentages of a table's rows, which add up to 100.0 (docs/figures.md, shares)."""

from collections.abc import Sequence
from decimal import Decimal

FULL_SHARE = Decimal("100.0")
_TENTHS_IN_FULL_SHARE = 1000  # tenths of a per cent in 100.0


def percentage_shares(counts: Sequence[int]) -> list[Decimal | None]:
    """Return each count as a percentage of all, with one decimal, so that they add up to 100.0.

    The largest remainder method is used: every percentage is rounded down, and the missing tenths
    go to the rows with the largest remainders, to the earlier row if they are equal. All shares are
    None if the counts add up to zero.
    """
    total = sum(counts)
    if not total:
        return [None] * len(counts)
    tenths, remainders = zip(
        *(divmod(count * _TENTHS_IN_FULL_SHARE, total) for count in counts), strict=True
    )
    missing_tenths = _TENTHS_IN_FULL_SHARE - sum(tenths)
    raised_rows = set(sorted(range(len(counts)), key=lambda row: -remainders[row])[:missing_tenths])
    return [
        Decimal(share + (row in raised_rows)).scaleb(-1).quantize(Decimal("0.1"))
        for row, share in enumerate(tenths)
    ]


def percentage(part: float, total: float) -> float | None:
    """Return a part as an unrounded percentage of a total, unless the total is zero."""
    return 100 * part / total if total else None


def total_share(total: int) -> Decimal | None:
    """Return the share printed next to a column's total: 100.0, or None if the total is zero."""
    return FULL_SHARE if total else None
