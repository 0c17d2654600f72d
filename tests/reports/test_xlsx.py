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
MADE = dt.datetime(2026, 10, 1, 1, tzinfo=dt.UTC)
WHEN = dt.datetime(2026, 9, 30, 20, 30, tzinfo=dt.UTC)  # already October at the site
TABLE = xlsx.Table(
    heads=(
        ("Номи", Cell("Қўнғироқлар", across=2), Cell("Суҳбат", down=2), Cell("Қачон", down=2)),
        (None, "Сони", "Фоизи", None, None),
    ),
    rows=(
        ("=1+1", 1234, Decimal("66.7"), Seconds(90), dt.date(2026, 9, 30)),
        (Cell("Фарғона", down=2), 617, Decimal("33.3"), Seconds(30), WHEN),
        (None, "номаълум", None, None, None),
    ),
    total=("Жами", SUM, SUM, SUM, Formula("=D{row}/B{row}", Seconds(120 / 1851))),
    title="Жадвал",
    label="1-жадвал",
    notes=("Изоҳ",),
)


def book(*tables: xlsx.Table) -> bytes:
    sheet = xlsx.Sheet("1/2: жадвал", tables, (20, 12, 12, 12, 16), ("ҲИСОБОТ",), ("Баланс",))
    return xlsx.write(xlsx.Book("Ҳисобот", "Вазирлик", "uz-Cyrl", MADE, TZ, (sheet,)))


def plain(*parts: int) -> dt.datetime:
    """A moment as cells hold it: office programs know no zones."""
    return dt.datetime(*parts, tzinfo=TZ).replace(tzinfo=None)  # type: ignore[arg-type,misc]


def opened(content: bytes, results: bool = False) -> Worksheet:
    page = openpyxl.load_workbook(io.BytesIO(content), data_only=results).active
    assert page is not None
    return page


@pytest.fixture
def page() -> Worksheet:
    return opened(book(TABLE))


def test_values_keep_their_kind(page: Worksheet) -> None:
    assert [page.cell(7, n).value for n in range(1, 6)] == [
        "=1+1",
        1234,
        66.7,
        dt.timedelta(seconds=90),
        plain(2026, 9, 30),
    ]
    assert page["A7"].data_type == "s"  # typed text runs no formula
    assert page["E8"].value == plain(2026, 10, 1, 1, 30)
    assert page["B9"].value == "номаълум"
    assert page["C7"].number_format == "#,##0.0"


def test_totals_are_formulas_with_their_results() -> None:
    content = book(TABLE)
    page, results = opened(content), opened(content, results=True)
    assert page["B10"].value == "=SUM(B7:B9)"
    assert page["E10"].value == "=D10/B10"
    assert (results["B10"].value, results["C10"].value) == (1851, 100)
    assert results["D10"].value == dt.timedelta(minutes=2)


def test_heads_stand_over_their_columns_and_repeat(page: Worksheet) -> None:
    assert {str(merged) for merged in page.merged_cells.ranges} >= {"B5:C5", "D5:D6", "A8:A9"}
    assert page["B5"].value == "Қўнғироқлар"
    assert page.print_title_rows == "$5:$6"
    assert page["A1"].value == "ҲИСОБОТ"
    assert page["A12"].value == "Баланс"


def test_an_empty_table_adds_up_to_nothing() -> None:
    empty = xlsx.Table(heads=(("Номи", "Сони"),), rows=(), total=("Жами", SUM))
    assert opened(book(empty), results=True)["B4"].value == 0


def test_the_file_is_named_and_always_the_same() -> None:
    file = openpyxl.load_workbook(io.BytesIO(book(TABLE)))
    assert file.sheetnames == ["1 2  жадвал"]
    assert (file.properties.title, file.properties.creator) == ("Ҳисобот", "Вазирлик")
    assert book(TABLE) == book(TABLE)
