"""The PDF files, read back."""

import dataclasses
import datetime as dt
import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from weasyprint.urls import FatalURLFetchingError

from appliance.casework import catalogs
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.reports import files, kpi, monthly, report_texts
from appliance.reports.monthly import MonthlyReport
from appliance.reports.pdf import engine
from appliance.reports.periods import Period
from appliance.reports.tables import WeekdayTable, count_by_weekday
from appliance.telephony.calls import Balance
from tests.reports.ledger_world import TZ, World, site_time

DECEMBER = Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31), TZ)
TITLE = (
    "Камбағалликни қисқартириш ва бандлик вазирлигининг ишонч рақамларига 2026 йил декабрь "
    "ойининг 31-санасига қадар келиб тушган мурожаатлар тўғрисида МАЪЛУМОТ"
)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], list[str]]:
    """Return a function that returns a file's pages as text in the layout of the paper."""

    def pages(content: bytes) -> list[str]:
        file = tmp_path / "report.pdf"
        file.write_bytes(content)
        done = subprocess.run(
            ["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True
        )
        return [page.replace("\u00a0", " ") for page in done.stdout.split("\f")[:-1]]

    return pages


def render_pdf(report: MonthlyReport) -> bytes:
    return files.render_file("monthly", report, "pdf")


def table_rows(page: str) -> list[list[str]]:
    """Return a page's lines as lists of cells."""
    return [re.split(r"\s{2,}", line.strip()) for line in page.splitlines() if line.strip()]


def flat_text(page: str) -> str:
    return " ".join(page.split())


@pytest.fixture
def paper(december: Settings) -> bytes:
    return render_pdf(monthly.build_monthly_report(december, DECEMBER))


def test_each_figure_is_in_its_cell(paper: bytes, read: Callable[[bytes], list[str]]) -> None:
    first, second, third, annex, _ = read(paper)
    assert TITLE in flat_text(first)
    appeals, calls = first.split("2-жадвал")
    assert ["1", "Душанба", "1", "50,0", "1", "33,4"] in table_rows(appeals)
    assert ["6", "Шанба", "1", "50,0", "0", "0,0"] in table_rows(appeals)
    assert ["Жами", "2", "100,0", "3", "100,0"] in table_rows(appeals)
    assert ["1", "Душанба", "2", "50,0", "2", "20,0"] in table_rows(calls)
    assert ["4", "Пайшанба", "0", "0,0", "3", "30,0"] in table_rows(calls)
    assert ["7", "Якшанба", "0", "0,0", "1", "10,0"] in table_rows(calls)
    assert ["Жами", "4", "100,0", "10", "100,0"] in table_rows(calls)
    regions, directions = second.split("4-жадвал")
    assert ["1", "Қашқадарё вилояти", "2", "40,0"] in table_rows(regions)
    assert ["12", "Қорақалпоғистон Республикаси", "1", "20,0"] in table_rows(regions)
    assert ["Ҳудуди аниқланмаган", "1", "20,0"] in table_rows(regions)
    assert ["2", "Субсидиялар олиш бўйича", "2", "40,0"] in table_rows(directions)
    assert ["Жами", "5", "100,0"] in table_rows(directions)
    assert [
        "1",
        "12.12.2026",
        "Иш ҳақи уч ой тўланмагани",
        "Меҳнат инспекцияси, Н. Саидова",
    ] in table_rows(third)
    assert ["2", "13.12.2026", "Таътил", "–"] in table_rows(third)
    assert "Лойиҳа раҳбари" in third
    assert "Вазирликнинг масъул ходими" in third
    assert ["Линияга келиб тушган қўнғироқлар", "14", "–"] in table_rows(annex)
    assert ["Қабул қилинган қўнғироқлар", "13", "–"] in table_rows(annex)
    assert ["Ўртача жавоб вақти, навбатга киргандан", "12,0 сония", "20 сониягача"] in table_rows(
        annex
    )
    assert ["Хизмат даражаси 80/20", "100,0 %", "камида 80,0 %"] in table_rows(annex)


def test_each_page_has_the_balance_and_its_number(
    paper: bytes, read: Callable[[bytes], list[str]]
) -> None:
    pages = read(paper)
    assert len(pages) == 5
    for number, page in enumerate(pages, 1):
        assert f"{number} / 5" in page or f"{number}/5" in page
        text = re.sub(rf" {number} ?/ ?5\b", "", flat_text(page))
        assert (
            "Баланс: 16 келиб тушган (шундан 1 синов) = 14 қабул қилинди + 1 рад этилди + "
            "1 давом этмоқда; фарқ 0. Жадвалларда келиб тушган: 16 − 1 рад этилган − 1 синов = 14; "
            "қабул қилинган: 14 − 1 синов = 13"
        ) in text
    grounds = (
        "Алоқа линиялари ҳисоби 16. Кузатилмаган оралиқ йўқ. Ёзувлар 15 / 15. "
        f"Формулалар {kpi.FORMULAS_VERSION}. Тузилди "
    )
    assert [grounds in flat_text(page) for page in pages] == [False, False, True, False, False]


def test_the_file_is_tagged_and_titled_and_embeds_its_fonts(
    december: Settings, world: World
) -> None:
    letters = "Ўзбекистон, Oʻzbekiston, Қарақалпақстан әңөү, Qaraqalpaqstan ǵńı, №, «–»"
    world.add_appeal("7 11:00:00", "1735", "other", consultation=True, consultation_issue=letters)
    paper = render_pdf(monthly.build_monthly_report(december, DECEMBER))
    file = pypdf.PdfReader(io.BytesIO(paper))
    assert file.metadata is not None
    assert file.metadata.title == "Ҳисобот шакли №2: 2026 йил декабрь, 31-санасига қадар"
    assert file.metadata.author == report_texts.load_texts("uz_Cyrl").author
    root = file.trailer["/Root"]
    assert root["/Lang"] == "uz-Cyrl"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" not in paper
    assert "/Metadata" not in root  # where a file declares that it follows PDF/UA-1
    fonts = {
        font["/BaseFont"]: font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        for page in file.pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert fonts
    for name, descriptor in fonts.items():
        assert "Source-Serif-4" in name
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_headings_heads_and_totals_are_bold_in_cyrillic(december: Settings) -> None:
    """Each part of the alphabet comes from a font file of its own, with its own bold file."""
    paper = render_pdf(monthly.build_monthly_report(december, DECEMBER, "uz_Cyrl"))
    words: dict[bool, list[str]] = {True: [], False: []}

    def note_words(text: str, _matrix: object, _place: object, font: dict, _size: float) -> None:
        if font:
            words["Semi-Bold" in font["/BaseFont"]] += text.split()

    pypdf.PdfReader(io.BytesIO(paper)).pages[0].extract_text(visitor_text=note_words)
    assert {"МАЪЛУМОТ", "2026", "Фоизи", "Жами"} <= {*words[True]}
    assert {"ғ", "қ"} <= {*words[True]}
    assert "Душанба" in words[False]
    assert not {"МАЪЛУМОТ", "Фоизи", "Жами"} & {*words[False]}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_figures_on_five_pages(
    december: Settings, read: Callable[[bytes], list[str]], locale: str
) -> None:
    text = report_texts.load_texts(locale)
    pages = read(render_pdf(monthly.build_monthly_report(december, DECEMBER, locale)))
    assert len(pages) == 5
    assert ["1", text.weekdays[0], "2", "50,0", "2", "20,0"] in table_rows(pages[0])
    assert [text.total, "5", "100,0"] in table_rows(pages[1])
    assert flat_text(text.monthly.by_direction) in flat_text(pages[1])


def test_an_empty_month_is_printed_without_shares(
    site: Settings, world: World, read: Callable[[bytes], list[str]]
) -> None:
    first, second, third, annex, _ = read(render_pdf(monthly.build_monthly_report(site, DECEMBER)))
    assert ["1", "Душанба", "0", "–", "0", "–"] in table_rows(first)
    assert ["Жами", "0", "–"] in table_rows(second)
    assert "Ҳудуди аниқланмаган" not in second
    assert "Бундай мурожаатлар бўлмаган" in third
    assert annex.count("Қўнғироқлар бўлмаган") == 2
    assert ["Хизмат даражаси 80/20", "–", "камида 80,0 %"] in table_rows(annex)


def test_unknown_figures_are_printed_with_their_period(
    site: Settings, world: World, read: Callable[[bytes], list[str]]
) -> None:
    gaps = [
        (site_time("1 00:00:00"), site_time("5 10:00:00")),
        (site_time("5 10:00:00"), site_time("2027-01-01 00:00:00")),
    ]
    report = dataclasses.replace(
        monthly.build_monthly_report(site, DECEMBER),
        balance=Balance(0, {}, 0, 0, gaps, 0, 0, 0),
        calls_by_weekday=_unknown_table(site),
    )
    first, _, _, annex, _ = read(render_pdf(report))
    assert ["1", "Душанба", "номаълум", "–", "номаълум", "–"] in table_rows(first)
    assert (
        "01.12.2026, 00:00 – 05.12.2026, 10:00; 05.12.2026, 10:00 – 01.01.2027, 00:00"
        in flat_text(first)
    )
    assert ["Линияга келиб тушган қўнғироқлар", "номаълум", "–"] in table_rows(annex)
    assert "Қўнғироқлар бўлмаган" not in annex


def _unknown_table(site: Settings) -> WeekdayTable:
    every = {(day, half) for day in range(1, 8) for half in (True, False)}
    return count_by_weekday({}, catalogs.working_calendar(site), every)


def test_a_long_list_repeats_its_head_and_ends_with_the_signatures(
    site: Settings, world: World, read: Callable[[bytes], list[str]]
) -> None:
    for day in range(1, 31):
        world.add_appeal(f"{day} 10:00:00", "1710", "other", consultation=True, gist="Таътил " * 20)
    pages = read(render_pdf(monthly.build_monthly_report(site, DECEMBER)))
    listed = pages[2:-2]
    assert len(listed) > 1
    for page in listed:
        assert ["№", "Сана", "Масала", "Боғланган шахс"] in table_rows(page)
    assert "30.12.2026" in listed[-1]
    assert "Лойиҳа раҳбари" in listed[-1]
    assert "Вазирликнинг масъул ходими" in listed[-1]


def test_typed_text_is_printed_literally(
    site: Settings, world: World, read: Callable[[bytes], list[str]]
) -> None:
    typed = "<img src='https://example.org/x.png'> & {{ 7*7 }}"
    world.add_appeal("7 10:00:00", "1710", "other", consultation=True, consultation_issue=typed)
    page = read(render_pdf(monthly.build_monthly_report(site, DECEMBER)))[2]
    assert "<img" in page
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize(
    "url", ["https://example.org/font.woff2", "file:///etc/hostname", "data:text/css,a{}"]
)
def test_external_files_are_not_fetched(url: str) -> None:
    with pytest.raises(FatalURLFetchingError):
        engine._PackageFiles().fetch(url)
