"""The content of a workbook before it becomes a file: sheets of tables of plain values.

A value is a text, a whole number, a Decimal (shown with its own decimals), a float (shown with one
decimal), a date, an aware datetime (shown in the workbook's time zone), Seconds, a Formula, SUM, or
None for an empty cell. A text is always written as text, so typed input cannot become a formula.
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
    """A duration, written as a number and shown in the workbook's `duration_format`."""

    value: float


@dataclass(frozen=True)
class Formula:
    """A formula, in which {row} is replaced by the number of its own row, and its result.

    `result` determines the number format. It is also stored as the cell's value, for programs that
    do not calculate formulas.
    """

    text: str  # "=E{row}/C{row}"
    result: "Number"


type Number = int | float | Decimal | Seconds
type PlainValue = (
    str | int | float | Decimal | dt.date | dt.datetime | Seconds | Formula | _Sum | None
)


@dataclass(frozen=True)
class Cell:
    """A value in a cell that may cover several columns or rows."""

    value: PlainValue
    column_span: int = 1
    row_span: int = 1


type CellValue = PlainValue | Cell


@dataclass(frozen=True)
class Table:
    """Rows of column heads, rows, and a row of totals in bold.

    A row has a value for each column, except for those that a Cell to their left covers. In the
    rows below such a Cell, the covered values are None.
    """

    heads: Sequence[Sequence[CellValue]]  # texts
    rows: Sequence[Sequence[CellValue]]
    total: Sequence[CellValue] | None = None  # None: the table has no totals
    title: str = ""  # above the table; "" for no title
    label: str = ""  # above the title, at the right: "1-жадвал"
    notes: Sequence[str] = ()  # lines below the table


@dataclass(frozen=True)
class Sheet:
    """A sheet: tables below one another. `widths` are the widths of its columns in characters."""

    name: str
    tables: Sequence[Table]
    widths: Sequence[float]
    heading: Sequence[str] = ()  # lines above the tables
    notes: Sequence[str] = ()  # at the end of the sheet, such as the balance
    landscape: bool = False


@dataclass(frozen=True)
class Workbook:
    """A workbook: its sheets, and the properties of the file."""

    title: str
    author: str
    language: str  # BCP 47
    made_at: dt.datetime
    tz: ZoneInfo  # of the datetimes in cells
    sheets: Sequence[Sheet]
    duration_format: str = "[m]:ss"  # the number format for Seconds
