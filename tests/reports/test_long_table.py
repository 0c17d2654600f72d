"""A table of any length as a workbook: types, further sheets, texts that look like formulas."""

import datetime as dt
import io
import itertools

import openpyxl

from appliance.reports import xlsx
from appliance.reports.xlsx import LongTable, Seconds
from tests.reports.ledger_world import TZ

NOON = dt.datetime(2026, 12, 7, 7, tzinfo=dt.UTC)


def build_table(rows) -> LongTable:
    heads, widths = ("Поступил", "Тема", "Разговор", "Оценка"), (19, 30, 10, 8)
    return LongTable("Звонки", "Вазирлик", NOON, TZ, "Звонки", heads, widths, rows)


def read_sheets(content: bytes) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_each_value_has_its_type_and_nothing_becomes_a_formula() -> None:
    row = NOON, "=HYPERLINK(1)", Seconds(90), 5
    content = xlsx.write_long_table(build_table([row, (None, None, None, None)]))
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = book.active[2]
    assert str(cells[0].value) == "2026-12-07 12:00:00"
    assert (cells[1].value, cells[1].data_type) == ("=HYPERLINK(1)", "s")
    assert (cells[2].value, cells[2].number_format) == (dt.timedelta(seconds=90), "[m]:ss")
    assert cells[3].value == 5
    assert book.active.auto_filter.ref == "A1:D3"
    assert book.active.freeze_panes == "A2"


def test_rows_continue_on_a_further_sheet() -> None:
    rows = [(NOON, str(number), Seconds(1), number) for number in range(7)]
    sheets = read_sheets(xlsx.write_long_table(build_table(rows), max_sheet_rows=3))
    assert list(sheets) == ["Звонки", "Звонки 2", "Звонки 3"]
    heads = {tuple(lines[0]) for lines in sheets.values()}
    assert heads == {("Поступил", "Тема", "Разговор", "Оценка")}
    numbers = itertools.chain.from_iterable(lines[1:] for lines in sheets.values())
    assert [line[3] for line in numbers] == list(range(7))


def test_a_table_without_rows_has_its_heads() -> None:
    assert len(read_sheets(xlsx.write_long_table(build_table([])))["Звонки"]) == 1
