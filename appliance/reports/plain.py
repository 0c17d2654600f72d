"""Tables of plain values that paper, workbook and CSV all print."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from appliance.reports import figures
from appliance.reports.xlsx import Seconds
from appliance.reports.xlsx.book import Plain


@dataclass(frozen=True)
class Sheet:
    """One table: a code for machines, a title, columns, rows, and their sum."""

    code: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Plain, ...], ...]
    total: tuple[Plain, ...] | None = None


def written(value: Plain) -> str:
    """A value on paper."""
    match value:
        case None:
            return ""
        case int():
            return figures.number(value)
        case Decimal() | float():
            return figures.decimal(value)
        case Seconds(seconds):
            return figures.clock(seconds)
        case dt.date():
            return figures.date(value)
    return str(value)
