"""Writes workbooks as .xlsx files with XlsxWriter."""

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
    Cell,
    CellValue,
    Formula,
    Number,
    PlainValue,
    Seconds,
    Sheet,
    Table,
    Workbook,
)

_SECONDS_PER_DAY = 86400
_LINE_HEIGHT_POINTS = 15
_MAX_CELL_CHARACTERS = 32_767  # a limit of the file format
_TABLE_STYLE = {"border": 1, "valign": "vcenter", "text_wrap": True}
_HEAD_STYLE = _TABLE_STYLE | {"bold": True, "align": "center", "bg_color": "#F0F0F0"}
_PAPER_A4 = 9


def write_workbook(book: Workbook) -> bytes:
    """Return the bytes of a workbook as an .xlsx file; no file is written.

    The same workbook always gives the same bytes.
    """
    import xlsxwriter  # imported here because most processes write no workbook

    buffer = io.BytesIO()
    file = xlsxwriter.Workbook(buffer, {"in_memory": True})
    file.set_properties(
        {"title": book.title, "author": book.author, "created": book.made_at.replace(tzinfo=None)}
    )
    for sheet in book.sheets:
        _SheetWriter(book, file, sheet).write_sheet()
    file.close()
    return buffer.getvalue()


class _SheetWriter:
    """Writes one sheet of a workbook into XlsxWriter's file.

    `worksheet` is XlsxWriter's sheet, `row` the number of the next row to write, from 0, and
    `formats` are the file's formats by style.
    """

    def __init__(self, book: Workbook, file: Any, sheet: Sheet) -> None:
        """Add an empty worksheet to XlsxWriter's `file`, in which `sheet` will be written."""
        self.book, self.file, self.sheet, self.row = book, file, sheet, 0
        used_names = {worksheet.get_name().casefold() for worksheet in file.worksheets()}
        self.worksheet = file.add_worksheet(_sheet_name(sheet.name, used_names))
        self.formats: dict[str, Any] = {}

    def write_sheet(self) -> None:
        """Write the page setup, the heading, the tables and the notes."""
        self.worksheet.set_paper(_PAPER_A4)
        self.worksheet.fit_to_pages(1, 0)
        self.worksheet.set_margins(left=0.98, right=0.59)  # inches; left: space for the binder
        self.worksheet.set_footer("&R&P / &N")
        if self.sheet.landscape:
            self.worksheet.set_landscape()
        for column, width in enumerate(self.sheet.widths):
            self.worksheet.set_column(column, column, width)
        for text in self.sheet.heading:
            self._write_line(text, {"bold": True, "align": "center", "font_size": 13})
        for table in self.sheet.tables:
            self._write_table(table)
        for text in self.sheet.notes:
            self._write_line(text, {"font_size": 9})

    def _write_table(self, table: Table) -> None:
        """Write a table below what is already on the sheet.

        If it is the only table of the sheet, its heads are repeated on each printed page.
        """
        self.row += bool(self.row)
        if table.label:
            self._write_line(table.label, {"align": "right"})
        if table.title:
            self._write_line(table.title, {"bold": True, "align": "center"})
        first_head = self.row
        for heads in table.heads:
            self._write_row(heads, _HEAD_STYLE)
            self.worksheet.set_row(self.row - 1, self._head_height(heads))
        if len(self.sheet.tables) == 1:
            self.worksheet.repeat_rows(first_head, self.row - 1)
        first_summed_row = self.row
        for row in table.rows:
            self._write_row(row, _TABLE_STYLE)
        if table.total:
            sums = [_column_sum(column, table.rows) for column in range(len(self.sheet.widths))]
            self._write_row(table.total, _TABLE_STYLE | {"bold": True}, first_summed_row, sums)
        for note in table.notes:
            self._write_line(note, {"font_size": 9})

    def _write_row(
        self,
        values: Sequence[CellValue],
        style: dict[str, Any],
        first_summed_row: int = 0,
        sums: Sequence[Number] = (),
    ) -> None:
        """Write a row of cells in a style.

        A SUM becomes a formula that adds up the column from the row `first_summed_row`, counted
        from 0, to the row above; `sums` are the results of these formulas by column.
        """
        for column, cell in _cells_with_columns(values):
            value = cell.value
            if value is SUM:
                letter = _column_letters(column)
                value = Formula(
                    f"=SUM({letter}{first_summed_row + 1}:{letter}{self.row})", sums[column]
                )
            cell_format = self._cached_format(style | self._default_style(value))
            if (cell.column_span, cell.row_span) != (1, 1):
                last = self.row + cell.row_span - 1, column + cell.column_span - 1
                self.worksheet.merge_range(self.row, column, *last, "", cell_format)
            self._write_cell(column, value, cell_format)
        self.row += 1

    def _write_cell(self, column: int, value: PlainValue, cell_format: Any) -> None:
        """Write a value into a column of the current row, as the type of the value requires."""
        match value:
            case None:
                self.worksheet.write_blank(self.row, column, None, cell_format)
            case Formula(text, result):
                text = text.replace("{row}", str(self.row + 1))
                self.worksheet.write_formula(
                    self.row, column, text, cell_format, _excel_number(result)
                )
            case dt.datetime():
                local_time = value.astimezone(self.book.tz).replace(tzinfo=None, microsecond=0)
                self.worksheet.write_datetime(self.row, column, local_time, cell_format)
            case dt.date():
                self.worksheet.write_datetime(self.row, column, value, cell_format)
            case int() | float() | Decimal() | Seconds():
                self.worksheet.write_number(self.row, column, _excel_number(value), cell_format)
            case _:
                self.worksheet.write_string(
                    self.row, column, str(value)[:_MAX_CELL_CHARACTERS], cell_format
                )

    def _default_style(self, value: PlainValue) -> dict[str, Any]:
        """Return the style that a value's type gives it, in addition to the style of the row."""
        match value:
            case Formula(_, result):
                return self._default_style(result)
            case Seconds():
                return {"num_format": self.book.duration_format, "align": "right"}
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
                return _text_style(value)
        return {}

    def _write_line(self, text: str, style: dict[str, Any]) -> None:
        """Write a text across all columns, in a row that is high enough for it."""
        cell_format = self._cached_format(
            {"text_wrap": True, "valign": "top"} | style | _text_style(text)
        )
        last_column = len(self.sheet.widths) - 1
        if last_column:
            self.worksheet.merge_range(self.row, 0, self.row, last_column, "", cell_format)
        self.worksheet.write_string(self.row, 0, text[:_MAX_CELL_CHARACTERS], cell_format)
        size = style.get("font_size", 11) / 11
        self.worksheet.set_row(
            self.row, _LINE_HEIGHT_POINTS * size * _line_count(text, sum(self.sheet.widths) / size)
        )
        self.row += 1

    def _head_height(self, heads: Sequence[CellValue]) -> float:
        """Return the height of a row of heads, since programs do not fit rows to merged cells."""
        widths = self.sheet.widths
        line_counts = [
            _line_count(
                str(cell.value or ""), sum(widths[column : column + cell.column_span]) * 0.75
            )
            / cell.row_span
            for column, cell in _cells_with_columns(heads)
        ]
        return _LINE_HEIGHT_POINTS * math.ceil(max([1.0, *line_counts]))

    def _cached_format(self, style: dict[str, Any]) -> Any:
        """Return the file's format with this style; equal styles share one format."""
        key = repr(sorted(style.items()))
        if key not in self.formats:
            self.formats[key] = self.file.add_format(style)
        return self.formats[key]


def _cells_with_columns(values: Sequence[CellValue]) -> Iterator[tuple[int, Cell]]:
    """Yield each cell with its column, counted from 0."""
    column = 0
    for value in values:
        cell = value if isinstance(value, Cell) else Cell(value)
        yield column, cell
        column += cell.column_span


def _column_sum(column: int, rows: Sequence[Sequence[CellValue]]) -> Number:
    """Return the sum of the numbers in a column (counted from 0) of the rows of a table.

    It is Seconds or a Decimal if the column contains such values; texts count nothing.
    """
    values = [
        cell.value
        for row in rows
        for cell_column, cell in _cells_with_columns(row)
        if cell_column == column
    ]
    numbers = [value.result if isinstance(value, Formula) else value for value in values]
    if durations := [value.value for value in numbers if isinstance(value, Seconds)]:
        return Seconds(sum(durations))
    if decimals := [value for value in numbers if isinstance(value, Decimal)]:
        return sum(decimals, Decimal(0))
    return sum(value for value in numbers if isinstance(value, (int, float)))


def _text_style(text: str) -> dict[str, Any]:
    """Return a style that keeps a text from becoming a formula, even after the cell is edited."""
    return {} if spreadsheets.escape_formulas(text) == text else {"quote_prefix": True}


def _excel_number(value: Number) -> float:
    """Return a number as spreadsheets store it: a duration is stored in days."""
    return value.value / _SECONDS_PER_DAY if isinstance(value, Seconds) else float(value)


def _line_count(text: str, width: float) -> int:
    """Return the number of lines that a text fills in a column of `width` characters."""
    return sum(max(1, math.ceil(len(line) / max(1.0, width))) for line in text.split("\n"))


def _column_letters(column: int) -> str:
    """Return the letters of a column counted from 0: "A" for 0, "AA" for 26."""
    text = ""
    column += 1
    while column:
        column, remainder = divmod(column - 1, 26)
        text = chr(65 + remainder) + text
    return text


def _sheet_name(text: str, used_names: Collection[str]) -> str:
    """Return a valid name for a sheet, made from `text`.

    It has at most 31 characters, no forbidden ones, and differs from `used_names`, which are
    case-folded, regardless of case.
    """
    name = re.sub(r"[\[\]:*?/\\]", " ", text).strip("' ") or "1"
    suffixes = itertools.chain([""], (f" ({n})" for n in itertools.count(2)))
    candidates = (name[: 31 - len(suffix)] + suffix for suffix in suffixes)
    return next(candidate for candidate in candidates if candidate.casefold() not in used_names)
