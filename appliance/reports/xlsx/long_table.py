"""Writes a table of any length as .xlsx, row by row, so that memory use does not grow with it."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from appliance.reports.xlsx.book import Seconds

MAX_SHEET_ROWS = 1_000_000  # without the head; the file format allows 1,048,576 rows
_SECONDS_PER_DAY = 86400
_NUMBER_FORMATS = {dt.datetime: "dd.mm.yyyy hh:mm:ss", Seconds: "[m]:ss"}

type LongTableValue = str | int | dt.datetime | Seconds | None


@dataclass(frozen=True)
class LongTable:
    """A table with one row of heads; `widths` are in characters, one for each column.

    A row has a value for each column: a text, a whole number, an aware datetime (shown in `tz`),
    Seconds, or None for an empty cell.
    """

    title: str  # a property of the file
    author: str
    made_at: dt.datetime
    tz: ZoneInfo
    sheet_name: str
    heads: Sequence[str]
    widths: Sequence[float]
    rows: Iterable[Sequence[LongTableValue]]


def write_long_table(table: LongTable, max_sheet_rows: int = MAX_SHEET_ROWS) -> bytes:
    """Return the bytes of an .xlsx file; the rows continue on a further sheet after the maximum.

    The head of each sheet stays visible and has a filter. Texts are always written as text, so
    typed input cannot become a formula.
    """
    import xlsxwriter  # imported here because most processes write no workbook

    buffer = io.BytesIO()
    file = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    created = table.made_at.astimezone(table.tz).replace(tzinfo=None)
    file.set_properties({"title": table.title, "author": table.author, "created": created})
    head_format = file.add_format({"bold": True, "bg_color": "#F0F0F0", "text_wrap": True})
    formats = {
        kind: file.add_format({"num_format": number_format})
        for kind, number_format in _NUMBER_FORMATS.items()
    }
    sheet, row_number = None, 0
    for row in table.rows:
        if sheet is None or row_number == max_sheet_rows:
            _add_filter(sheet, row_number, table)
            sheet, row_number = _add_sheet(file, table, head_format), 0
        row_number += 1
        for column, value in enumerate(row):
            _write_value(sheet, row_number, column, value, formats, table.tz)
    if sheet is None:
        sheet = _add_sheet(file, table, head_format)
    _add_filter(sheet, row_number, table)
    file.close()
    return buffer.getvalue()


def _add_sheet(file: Any, table: LongTable, head_format: Any) -> Any:
    """Add a sheet with the heads to XlsxWriter's `file`; returns XlsxWriter's sheet."""
    number = len(file.worksheets()) + 1
    sheet = file.add_worksheet(table.sheet_name if number == 1 else f"{table.sheet_name} {number}")
    for column, (head, width) in enumerate(zip(table.heads, table.widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, head, head_format)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    return sheet


def _add_filter(sheet: Any, row_count: int, table: LongTable) -> None:
    """Add a filter to the heads of a complete sheet of `row_count` rows, if there is a sheet."""
    if sheet is not None:
        sheet.autofilter(0, 0, row_count, len(table.heads) - 1)


def _write_value(
    sheet: Any,
    row: int,
    column: int,
    value: LongTableValue,
    formats: dict[type, Any],
    tz: ZoneInfo,
) -> None:
    """Write a value into a cell, as the type of the value requires."""
    match value:
        case None:
            pass
        case Seconds(seconds):
            sheet.write_number(row, column, seconds / _SECONDS_PER_DAY, formats[Seconds])
        case dt.datetime():
            local_time = value.astimezone(tz).replace(tzinfo=None)
            sheet.write_datetime(row, column, local_time, formats[dt.datetime])
        case int():
            sheet.write_number(row, column, value)
        case str():
            sheet.write_string(row, column, value)
