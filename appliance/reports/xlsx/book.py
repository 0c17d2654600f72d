"""What a workbook holds, before it is a file: sheets of tables of plain values.

A value is a text, a whole number, a Decimal (printed with its own decimals), a float (one decimal),
a date, an aware moment (written in the book's zone), Seconds, a Formula, SUM, or None for an empty
cell. Text is always text: what people typed cannot become a formula.
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
    """A length of time: a number that can be added, shown by the book's pattern for lengths."""

    value: float


@dataclass(frozen=True)
class Formula:
    """A formula whose {row} is its own row's number, and its result for who does not calculate.

    `shown` gives the result's kind and is what the cell holds until it is calculated anew.
    """

    text: str  # "=E{row}/C{row}"
    shown: "Number"


type Number = int | float | Decimal | Seconds
type Plain = str | int | float | Decimal | dt.date | dt.datetime | Seconds | Formula | _Sum | None


@dataclass(frozen=True)
class Cell:
    """A value that covers several columns or rows."""

    value: Plain
    across: int = 1
    down: int = 1


type Value = Plain | Cell


@dataclass(frozen=True)
class Table:
    """Heads (one row or more), rows, and a last row that stands out.

    Each row has a value for every column. Of what a Cell covers to the right nothing is given; of
    what it covers below, None.
    """

    heads: Sequence[Sequence[Value]]  # texts
    rows: Sequence[Sequence[Value]]
    total: Sequence[Value] | None = None
    title: str = ""
    label: str = ""  # over the title, at the right: "1-жадвал"
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Sheet:
    """Tables below one another. `widths` are columns' widths in letters."""

    name: str
    tables: Sequence[Table]
    widths: Sequence[float]
    heading: Sequence[str] = ()
    notes: Sequence[str] = ()  # below everything: the balance
    landscape: bool = False


@dataclass(frozen=True)
class Book:
    """A workbook. `lengths` is the office programs' pattern for Seconds."""

    title: str
    author: str
    language: str
    made_at: dt.datetime
    tz: ZoneInfo
    sheets: Sequence[Sheet]
    lengths: str = "[m]:ss"
