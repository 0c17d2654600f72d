"""Typed text never reaches an office program as a formula, whatever it begins with."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core import spreadsheets
from appliance.reports import xlsx

ATTACKS = (
    "-2+3+cmd|' /C calc'!A0",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    " =1+1",
    "\t=1+1",
    "\r=1+1",
    "\n-1+1",
    '"=1+1"',
    "'=1+1",
    "＝1+1",
    "－2+3",
    "narx;=1+1",
    'narx,"=1+1',
    "birinchi\n=1+1\r\n@A1",
    "a|+1+1",
    "a\t-1+1",
)
# Significant characters, more often than chance would produce them.
cell_texts = st.text(st.sampled_from("=-;, \n\"'0a")) | st.text(
    st.sampled_from("=+-@;,|\t\r\n\"' 0a1.\u00a0\uff1d\uff0d") | st.characters(codec="utf-8")
)
NUMBER_PATTERN = re.compile(r"[+-]?\d[\d \u00a0]*([.,]\d+)?", re.ASCII)
table_rows = st.lists(st.lists(cell_texts, min_size=1, max_size=4), max_size=4)


def is_formula(cell: str) -> bool:
    """Return True if an office program would calculate the cell; numbers are not formulas."""
    return cell[:1] in tuple("=+-@＝＋－＠") and not NUMBER_PATTERN.fullmatch(cell)


def read_csv(file: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file, newline=""), delimiter=separator))


def assert_no_formula(text: str) -> None:
    """Open a file with the text in it, with the right and with wrong separators."""
    for delimiter in ",;":
        file = "".join(spreadsheets.csv_pieces([["1", text, "2"]], delimiter))
        for separator in ",;\t|":
            cells = [cell for row in read_csv(file, separator) for cell in row]
            assert not any(is_formula(cell) for cell in cells), (file, separator)


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_read_as_text(text: str) -> None:
    assert_no_formula(text)


@given(cell_texts)
def test_no_cell_is_a_formula_with_any_separator(text: str) -> None:
    assert_no_formula(text)


@given(table_rows)
@example([list(ATTACKS)])
def test_every_text_is_read_back_unchanged(table: list[list[str]]) -> None:
    for delimiter in ",;":
        cells_by_row = read_csv("".join(spreadsheets.csv_pieces(table, delimiter)), delimiter)
        assert [
            [spreadsheets.unescape_formulas(cell) for cell in row] for row in cells_by_row
        ] == table
        assert not any(is_formula(cell.lstrip()) for row in cells_by_row for cell in row)


@pytest.mark.parametrize(
    "text", ["-5", "+998712000600", "+998 71 200 06 00", "3,5", "Oʻtkir", "a - b", "9:00-18:00", ""]
)
def test_harmless_text_is_not_changed(text: str) -> None:
    assert spreadsheets.escape_formulas(text) == text


def test_values_other_than_text_are_not_changed() -> None:
    row = [-5, -0.5, Decimal("-1.50"), None, True, "-5"]
    assert spreadsheets.csv_text([row]) == "-5,-0.5,-1.50,,True,-5\r\n"


def test_many_rows_are_written_in_pieces() -> None:
    count = 2 * spreadsheets.ROWS_PER_PIECE + 1
    pieces = list(spreadsheets.csv_pieces([number] for number in range(count)))
    assert len(pieces) == 3
    assert "".join(pieces).splitlines() == [str(number) for number in range(count)]


@given(cell_texts.filter(lambda text: text.isprintable() and text.strip()))
@example("-2+3+cmd|' /C calc'!A0")
def test_text_in_a_workbook_stays_text_when_it_is_edited(text: str) -> None:
    table = xlsx.Table((("№",),), ((text,),), notes=(text,))
    sheet = xlsx.Sheet("1", (table,), (20,), (text,), (text,))
    moment = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    content = xlsx.write_workbook(xlsx.Workbook("1", "1", "uz", moment, dt.UTC, (sheet,)))  # type: ignore[arg-type]
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    assert page is not None
    cells = [cell for row in page.iter_rows() for cell in row if cell.value not in (None, "№")]
    assert [cell.value for cell in cells] == [text] * 4
    assert all(cell.data_type == "s" for cell in cells)
    assert {cell.quotePrefix for cell in cells} == {spreadsheets.escape_formulas(text) != text}
