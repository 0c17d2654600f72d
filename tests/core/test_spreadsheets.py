"""What people typed reaches no office program as a formula, whatever it begins with."""

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
# Signs that matter, more often than chance would have them.
texts = st.text(st.sampled_from("=-;, \n\"'0a")) | st.text(
    st.sampled_from("=+-@;,|\t\r\n\"' 0a1.\u00a0\uff1d\uff0d") | st.characters(codec="utf-8")
)
NUMBER = re.compile(r"[+-]?\d[\d \u00a0]*([.,]\d+)?", re.ASCII)
rows = st.lists(st.lists(texts, min_size=1, max_size=4), max_size=4)


def formula(cell: str) -> bool:
    """Whether an office program would calculate it; what is a number is itself."""
    return cell[:1] in tuple("=+-@＝＋－＠") and not NUMBER.fullmatch(cell)


def read(file: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file, newline=""), delimiter=separator))


def opened(text: str) -> None:
    """Open a file with the text in it, rightly or not."""
    for delimiter in ",;":
        file = "".join(spreadsheets.pieces([["1", text, "2"]], delimiter))
        for separator in ",;\t|":
            cells = [cell for row in read(file, separator) for cell in row]
            assert not any(formula(cell) for cell in cells), (file, separator)


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_a_text(text: str) -> None:
    opened(text)


@given(texts)
def test_no_cell_is_a_formula_whatever_the_file_is_opened_with(text: str) -> None:
    opened(text)


@given(rows)
@example([list(ATTACKS)])
def test_every_text_comes_back(table: list[list[str]]) -> None:
    for delimiter in ",;":
        found = read("".join(spreadsheets.pieces(table, delimiter)), delimiter)
        assert [[spreadsheets.typed(cell) for cell in row] for row in found] == table
        assert not any(formula(cell.lstrip()) for row in found for cell in row)


@pytest.mark.parametrize(
    "text", ["-5", "+998712000600", "+998 71 200 06 00", "3,5", "Oʻtkir", "a - b", "9:00-18:00", ""]
)
def test_what_is_harmless_is_left_alone(text: str) -> None:
    assert spreadsheets.harmless(text) == text


def test_values_that_are_no_text_stay_what_they_are() -> None:
    row = [-5, -0.5, Decimal("-1.50"), None, True, "-5"]
    assert spreadsheets.written([row]) == "-5,-0.5,-1.50,,True,-5\r\n"


def test_many_rows_come_in_pieces() -> None:
    count = 2 * spreadsheets.ROWS + 1
    found = list(spreadsheets.pieces([number] for number in range(count)))
    assert len(found) == 3
    assert "".join(found).splitlines() == [str(number) for number in range(count)]


@given(texts.filter(lambda text: text.isprintable() and text.strip()))
@example("-2+3+cmd|' /C calc'!A0")
def test_a_workbooks_text_stays_one_when_it_is_edited(text: str) -> None:
    table = xlsx.Table((("№",),), ((text,),), notes=(text,))
    sheet = xlsx.Sheet("1", (table,), (20,), (text,), (text,))
    moment = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    content = xlsx.write(xlsx.Book("1", "1", "uz", moment, dt.UTC, (sheet,)))  # type: ignore[arg-type]
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    assert page is not None
    found = [cell for row in page.iter_rows() for cell in row if cell.value not in (None, "№")]
    assert [cell.value for cell in found] == [text] * 4
    assert all(cell.data_type == "s" for cell in found)
    assert {cell.quotePrefix for cell in found} == {spreadsheets.harmless(text) != text}
