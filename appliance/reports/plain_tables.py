"""Tables of plain values that are printed as PDF, workbook and CSV."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from appliance.reports import formatting
from appliance.reports.xlsx import PlainValue, Seconds


@dataclass(frozen=True)
class PlainTable:
    """One table: a title, column heads, rows and a row of totals, if it has one."""

    code: str  # names the table in CSV and in templates
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[PlainValue, ...], ...]
    total: tuple[PlainValue, ...] | None = None


def plain_text(value: PlainValue) -> str:
    """Return the printed text of a value, such as "20 379", "13,8" or "3:42"; None as ""."""
    match value:
        case None:
            return ""
        case int():
            return formatting.format_number(value)
        case Decimal() | float():
            return formatting.format_decimal(value)
        case Seconds(seconds):
            return formatting.format_clock(seconds)
        case dt.date():
            return formatting.format_date(value)
    return str(value)
