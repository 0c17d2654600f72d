"""Workbooks made into files by XlsxWriter."""

import datetime as dt
import io
import itertools
import math
import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any

from appliance.core import spreadsheets
from appliance.reports.xlsx.book import (
    SUM,
    Book,
    Cell,
    Formula,
    Number,
    Plain,
    Seconds,
    Sheet,
    Table,
    Value,
)

_DAY = 86400
_LINE = 15  # points
_LONGEST = 32_767  # letters of a cell
_TABLE = {"border": 1, "valign": "vcenter", "text_wrap": True}
_HEAD = _TABLE | {"bold": True, "align": "center", "bg_color": "#F0F0F0"}
_A4 = 9


def write(book: Book) -> bytes:
    """The book as an .xlsx file. The same book gives the same bytes."""
    import xlsxwriter  # as for PDF: most processes write none

    out = io.BytesIO()
    file = xlsxwriter.Workbook(out, {"in_memory": True})
    file.set_properties(
        {"title": book.title, "author": book.author, "created": book.made_at.replace(tzinfo=None)}
    )
    for sheet in book.sheets:
        _Writer(book, file, sheet).write()
    file.close()
    return out.getvalue()


class _Writer:
    """One sheet on its way into the file; `row` is the next one, counted from 0."""

    def __init__(self, book: Book, file: Any, sheet: Sheet) -> None:
        self.book, self.file, self.sheet, self.row = book, file, sheet, 0
        taken = {page.get_name().casefold() for page in file.worksheets()}
        self.page = file.add_worksheet(_sheet_name(sheet.name, taken))
        self.formats: dict[str, Any] = {}

    def write(self) -> None:
        self.page.set_paper(_A4)
        self.page.fit_to_pages(1, 0)
        self.page.set_margins(left=0.98, right=0.59)  # inches; the left one is for the binder
        self.page.set_footer("&R&P / &N")
        if self.sheet.landscape:
            self.page.set_landscape()
        for column, width in enumerate(self.sheet.widths):
            self.page.set_column(column, column, width)
        for text in self.sheet.heading:
            self._line(text, {"bold": True, "align": "center", "font_size": 13})
        for table in self.sheet.tables:
            self._table(table)
        for text in self.sheet.notes:
            self._line(text, {"font_size": 9})

    def _table(self, table: Table) -> None:
        self.row += bool(self.row)
        if table.label:
            self._line(table.label, {"align": "right"})
        if table.title:
            self._line(table.title, {"bold": True, "align": "center"})
        first_head = self.row
        for heads in table.heads:
            self._row(heads, _HEAD)
            self.page.set_row(self.row - 1, self._height(heads))
        if len(self.sheet.tables) == 1:
            self.page.repeat_rows(first_head, self.row - 1)
        first = self.row
        for row in table.rows:
            self._row(row, _TABLE)
        if table.total:
            summed = [_sum(column, table.rows) for column in range(len(self.sheet.widths))]
            self._row(table.total, _TABLE | {"bold": True}, first, summed)
        for note in table.notes:
            self._line(note, {"font_size": 9})

    def _row(
        self,
        values: Sequence[Value],
        style: dict[str, Any],
        first: int = 0,
        sums: Sequence[Number] = (),
    ) -> None:
        for column, cell in _placed(values):
            value = cell.value
            if value is SUM:
                letter = _letter(column)
                value = Formula(f"=SUM({letter}{first + 1}:{letter}{self.row})", sums[column])
            form = self._format(style | self._kind(value))
            if (cell.across, cell.down) != (1, 1):
                last = self.row + cell.down - 1, column + cell.across - 1
                self.page.merge_range(self.row, column, *last, "", form)
            self._put(column, value, form)
        self.row += 1

    def _put(self, column: int, value: Plain, form: Any) -> None:
        match value:
            case None:
                self.page.write_blank(self.row, column, None, form)
            case Formula(text, shown):
                text = text.replace("{row}", str(self.row + 1))
                self.page.write_formula(self.row, column, text, form, _number(shown))
            case dt.datetime():
                local = value.astimezone(self.book.tz).replace(tzinfo=None, microsecond=0)
                self.page.write_datetime(self.row, column, local, form)
            case dt.date():
                self.page.write_datetime(self.row, column, value, form)
            case int() | float() | Decimal() | Seconds():
                self.page.write_number(self.row, column, _number(value), form)
            case _:
                self.page.write_string(self.row, column, str(value)[:_LONGEST], form)

    def _kind(self, value: Plain) -> dict[str, Any]:
        """How a value is shown, unless the row's style says otherwise."""
        match value:
            case Formula(_, shown):
                return self._kind(shown)
            case Seconds():
                return {"num_format": self.book.lengths, "align": "right"}
            case dt.datetime():
                return {"num_format": "dd.mm.yyyy hh:mm", "align": "center"}
            case dt.date():
                return {"num_format": "dd.mm.yyyy", "align": "center"}
            case int():
                return {"num_format": "#,##0", "align": "right"}
            case Decimal():
                places = max(0, -int(value.as_tuple().exponent))
                return {"num_format": f"#,##0.{'0' * places}".rstrip("."), "align": "right"}
            case float():
                return {"num_format": "#,##0.0", "align": "right"}
            case str():
                return _quoted(value)
        return {}

    def _line(self, text: str, style: dict[str, Any]) -> None:
        """A text over all columns, as high as it needs."""
        form = self._format({"text_wrap": True, "valign": "top"} | style | _quoted(text))
        last = len(self.sheet.widths) - 1
        if last:
            self.page.merge_range(self.row, 0, self.row, last, "", form)
        self.page.write_string(self.row, 0, text[:_LONGEST], form)
        size = style.get("font_size", 11) / 11
        self.page.set_row(self.row, _LINE * size * _lines(text, sum(self.sheet.widths) / size))
        self.row += 1

    def _height(self, heads: Sequence[Value]) -> float:
        """Heads are merged, and office programs give merged cells no height of their own."""
        widths = self.sheet.widths
        needed = [
            _lines(str(cell.value or ""), sum(widths[column : column + cell.across]) * 0.75)
            / cell.down
            for column, cell in _placed(heads)
        ]
        return _LINE * math.ceil(max([1.0, *needed]))

    def _format(self, style: dict[str, Any]) -> Any:
        key = repr(sorted(style.items()))
        if key not in self.formats:
            self.formats[key] = self.file.add_format(style)
        return self.formats[key]


def _placed(values: Sequence[Value]) -> Iterator[tuple[int, Cell]]:
    """Each cell with its column, counted from 0."""
    column = 0
    for value in values:
        cell = value if isinstance(value, Cell) else Cell(value)
        yield column, cell
        column += cell.across


def _sum(column: int, rows: Sequence[Sequence[Value]]) -> Number:
    """What the numbers of a column add up to, in their own kind."""
    found = [cell.value for row in rows for at, cell in _placed(row) if at == column]
    plain = [v.shown if isinstance(v, Formula) else v for v in found]
    if lengths := [v.value for v in plain if isinstance(v, Seconds)]:
        return Seconds(sum(lengths))
    if decimals := [v for v in plain if isinstance(v, Decimal)]:
        return sum(decimals, Decimal(0))
    return sum(v for v in plain if isinstance(v, (int, float)))


def _quoted(text: str) -> dict[str, Any]:
    """Keeps a text that looks like a formula a text, also when somebody edits its cell."""
    return {} if spreadsheets.harmless(text) == text else {"quote_prefix": True}


def _number(value: Number) -> float:
    return value.value / _DAY if isinstance(value, Seconds) else float(value)


def _lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(len(line) / max(1.0, width))) for line in text.split("\n"))


def _letter(column: int) -> str:
    """0 → "A", 26 → "AA"."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _sheet_name(text: str, taken: Collection[str]) -> str:
    """What office programs take for a sheet's name: 31 letters, some signs not among them.

    No two sheets of a book have the same, whatever the case of its letters.
    """
    name = re.sub(r"[\[\]:*?/\\]", " ", text).strip("' ") or "1"
    ends = itertools.chain([""], (f" ({n})" for n in itertools.count(2)))
    names = (name[: 31 - len(end)] + end for end in ends)
    return next(one for one in names if one.casefold() not in taken)
