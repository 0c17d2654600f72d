"""The content of a workbook before it becomes a file: sheets of tables of plain values.

A value is a text, a whole number, a Decimal (printed with its own decimals), a float (one decimal),
a date, an aware datetime (written in the book's zone), Seconds, a Formula, SUM, or None for an
empty cell. Text is always text: typed input cannot become a formula.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo


class _Sum(Enum):
    SUM = "sum"


SUM = _Sum.SUM
"""In a table's last row: a formula that adds up the column above it. Texts count nothing."""


@dataclass(frozen=True)
class Seconds:
    """A duration: a number that can be added, displayed in the book's `duration_format`."""

    value: float


@dataclass(frozen=True)
class Formula:
    """A formula whose {row} is its own row's number, and its result.

    `result` determines the number format, and is the value of the cell for programs that do not
    calculate, or until the formula is recalculated.
    """

    text: str  # "=E{row}/C{row}"
    result: "Number"


type Number = int | float | Decimal | Seconds
type PlainValue = (
    str | int | float | Decimal | dt.date | dt.datetime | Seconds | Formula | _Sum | None
)


@dataclass(frozen=True)
class Cell:
    """A value that covers several columns or rows."""

    value: PlainValue
    column_span: int = 1
    row_span: int = 1


type CellValue = PlainValue | Cell


@dataclass(frozen=True)
class Table:
    """Heads (one row or more), rows, and a highlighted last row.

    Each row has a value for every column. Columns that a Cell covers to the right have no value;
    cells that it covers below are None.
    """

    heads: Sequence[Sequence[CellValue]]  # texts
    rows: Sequence[Sequence[CellValue]]
    total: Sequence[CellValue] | None = None
    title: str = ""
    label: str = ""  # above the title, at the right: "1-жадвал"
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Sheet:
    """Tables below one another. `widths` are the widths of columns in characters."""

    name: str
    tables: Sequence[Table]
    widths: Sequence[float]
    heading: Sequence[str] = ()
    notes: Sequence[str] = ()  # at the end of the sheet: the balance
    landscape: bool = False


@dataclass(frozen=True)
class Workbook:
    """A workbook. `duration_format` is the number format for Seconds."""

    title: str
    author: str
    language: str
    made_at: dt.datetime
    tz: ZoneInfo
    sheets: Sequence[Sheet]
    duration_format: str = "[m]:ss"
