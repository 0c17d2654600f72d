"""Workbooks, read back by another library."""

import datetime as dt
import io
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from appliance.reports import xlsx
from appliance.reports.xlsx import SUM, Cell, Formula, Seconds

TZ = ZoneInfo("Asia/Tashkent")
MADE_AT = dt.datetime(2026, 10, 1, 1, tzinfo=dt.UTC)
CELL_TIME = dt.datetime(2026, 9, 30, 20, 30, tzinfo=dt.UTC)  # already October at the site
SAMPLE_TABLE = xlsx.Table(
    heads=(
        (
            "Номи",
            Cell("Қўнғироқлар", column_span=2),
            Cell("Суҳбат", row_span=2),
            Cell("Қачон", row_span=2),
        ),
        (None, "Сони", "Фоизи", None, None),
    ),
    rows=(
        ("=1+1", 1234, Decimal("66.7"), Seconds(90), dt.date(2026, 9, 30)),
        (Cell("Фарғона", row_span=2), 617, Decimal("33.3"), Seconds(30), CELL_TIME),
        (None, "номаълум", None, None, None),
    ),
    total=("Жами", SUM, SUM, SUM, Formula("=D{row}/B{row}", Seconds(120 / 1851))),
    title="Жадвал",
    label="1-жадвал",
    notes=("Изоҳ",),
)


def workbook_bytes(*tables: xlsx.Table) -> bytes:
    sheet = xlsx.Sheet("1/2: жадвал", tables, (20, 12, 12, 12, 16), ("ҲИСОБОТ",), ("Баланс",))
    return xlsx.write_workbook(
        xlsx.Workbook("Ҳисобот", "Вазирлик", "uz-Cyrl", MADE_AT, TZ, (sheet,))
    )


def cell_time(*parts: int) -> dt.datetime:
    """Return a time as cells store it: office programs have no time zones."""
    return dt.datetime(*parts, tzinfo=TZ).replace(tzinfo=None)  # type: ignore[arg-type,misc]


def open_sheet(content: bytes, results: bool = False) -> Worksheet:
    page = openpyxl.load_workbook(io.BytesIO(content), data_only=results).active
    assert page is not None
    return page


@pytest.fixture
def page() -> Worksheet:
    return open_sheet(workbook_bytes(SAMPLE_TABLE))


def test_values_keep_their_type(page: Worksheet) -> None:
    assert [page.cell(7, n).value for n in range(1, 6)] == [
        "=1+1",
        1234,
        66.7,
        dt.timedelta(seconds=90),
        cell_time(2026, 9, 30),
    ]
    assert page["A7"].data_type == "s"  # typed text runs no formula
    assert page["E8"].value == cell_time(2026, 10, 1, 1, 30)
    assert page["B9"].value == "номаълум"
    assert page["C7"].number_format == "#,##0.0"


def test_totals_are_formulas_with_stored_results() -> None:
    content = workbook_bytes(SAMPLE_TABLE)
    page, results = open_sheet(content), open_sheet(content, results=True)
    assert page["B10"].value == "=SUM(B7:B9)"
    assert page["E10"].value == "=D10/B10"
    assert (results["B10"].value, results["C10"].value) == (1851, 100)
    assert results["D10"].value == dt.timedelta(minutes=2)


def test_heads_span_their_columns_and_repeat(page: Worksheet) -> None:
    assert {str(merged) for merged in page.merged_cells.ranges} >= {"B5:C5", "D5:D6", "A8:A9"}
    assert page["B5"].value == "Қўнғироқлар"
    assert page.print_title_rows == "$5:$6"
    assert page["A1"].value == "ҲИСОБОТ"
    assert page["A12"].value == "Баланс"


def test_the_total_of_an_empty_table_is_zero() -> None:
    empty = xlsx.Table(heads=(("Номи", "Сони"),), rows=(), total=("Жами", SUM))
    assert open_sheet(workbook_bytes(empty), results=True)["B4"].value == 0


def test_the_file_has_its_title_and_is_reproducible() -> None:
    file = openpyxl.load_workbook(io.BytesIO(workbook_bytes(SAMPLE_TABLE)))
    assert file.sheetnames == ["1 2  жадвал"]
    assert (file.properties.title, file.properties.creator) == ("Ҳисобот", "Вазирлик")
    assert workbook_bytes(SAMPLE_TABLE) == workbook_bytes(SAMPLE_TABLE)
