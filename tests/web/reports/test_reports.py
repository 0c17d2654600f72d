"""Report form №2 on the page and as a file."""

import datetime as dt
import io
import json
import re

import pypdf
import pytest

from appliance.models import Appeal, Applicant, AuditEntry, CallForm


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    """An appeal of Samarkand about subsidies, registered on Tuesday, 20.10.2026, at 12:00."""
    at = dt.datetime(2026, 10, 20, 12, tzinfo=settings.tz)
    return Appeal.create(
        number="2026-000001",
        applicant=Applicant.create(kind="person", created_at=at),
        operator=nilufar,
        received_at=at,
        registered_at=at,
        applicant_kind="person",
        appeal_type="application",
        direction="subsidies",
        region="1718",
        openness="open",
    )


def test_the_page_shows_the_figures_of_a_month(login_as, appeal) -> None:
    page = login_as("ministry").get("/reports?month=2026-10").text
    assert "01.10.2026–31.10.2026" in page
    assert _table_row(page, "Samarqand viloyati") == ["1", "100,0", "1", "0"]
    assert _table_row(page, "Seshanba") == ["1", "100,0", "0", "–", "1", "0"]
    assert "farq 0" in page


def test_a_month_can_end_at_a_date(login_as, appeal) -> None:
    browser = login_as("ministry")
    page = browser.get("/reports?month=2026-10&upto=19.10.2026").text
    assert "01.10.2026–19.10.2026" in page
    assert _table_row(page, "Samarqand viloyati") == ["0", "–", "0", "0"]


@pytest.mark.parametrize(
    "query", ["month=2026-10&upto=20.11.2026", "month=2026-10&upto=31", "month=2026-13", "month=x"]
)
def test_an_invalid_period_is_reported_and_a_full_month_shown(login_as, query) -> None:
    answer = login_as("ministry").get(f"/reports?{query}")
    assert answer.status_code == 200
    assert "Bu oyda bunday sana yoʻq" in answer.text


@pytest.mark.usefixtures("at_noon")
def test_the_current_month_is_the_default(login_as) -> None:
    assert "01.11.2026–18.11.2026" in login_as("ministry").get("/reports").text


def test_the_report_as_json(login_as, appeal) -> None:
    answer = login_as("ministry").get("/reports/monthly.json?month=2026-10&upto=20.10.2026&lang=ru")
    document = json.loads(answer.data)
    assert document["period"] == {"from": "2026-10-01", "to": "2026-10-20"}
    assert {r["name"]: r["count"] for r in document["appeals_by_region"]}[
        "Самаркандская область"
    ] == 1


def test_the_report_as_csv(login_as, appeal) -> None:
    answer = login_as("manager").get("/reports/monthly.csv?month=2026-10&lang=uz_Latn")
    assert answer.mimetype == "text/csv"
    assert "Samarqand viloyati" in answer.data.decode("utf-8-sig")


def test_the_pdf_is_in_the_ministrys_script(login_as, appeal) -> None:
    answer = login_as("ministry").get("/reports/monthly.pdf?month=2026-10")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.pdf"'
    )
    text = pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "МАЪЛУМОТ" in text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("quarterly.json?quarter=2026-Q3&lang=ru", "hisobot-1_2026-07-01_2026-09-30_ru.json"),
        (
            "quarterly.xlsx?quarter=2026-Q3&upto=15.08.2026",
            "hisobot-1_2026-07-01_2026-08-15_uz_Cyrl.xlsx",
        ),
        ("monthly.xlsx?month=2026-10", "hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.xlsx"),
        ("daily.csv?day=2026-10-20", "kunlik_2026-10-20_2026-10-20_uz_Cyrl.csv"),
    ],
)
def test_every_report_has_a_file_with_its_name(login_as, query, name) -> None:
    answer = login_as("ministry").get(f"/reports/{query}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.data


def test_the_page_shows_the_figures_of_a_quarter(login_as, appeal) -> None:
    page = login_as("ministry").get("/reports/quarterly?quarter=2026-Q3").text
    assert "01.07.2026–30.09.2026" in page
    assert "2026-yil 3-chorak" in page
    assert "Uzluksiz, 24/7" in page
    assert "Masʼul xodim hali kiritmagan" in page
    doubt = login_as("ministry").get("/reports/quarterly?quarter=2026-Q3&upto=01.10.2026").text
    assert "Bu chorakda bunday sana yoʻq" in doubt


def test_a_download_is_audited(login_as) -> None:
    login_as("ministry").get("/reports/monthly.json?month=2026-10")
    entry = AuditEntry.get(AuditEntry.action == "report.download")
    assert (entry.who, entry.subject) == ("bahodir", "monthly")
    assert entry.detail == {"file": "hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.json"}


@pytest.mark.parametrize(
    "query", ["monthly.pdf?month=2026-13", "monthly.json?upto=x", "monthly.json?lang=de"]
)
def test_a_file_with_invalid_parameters_is_refused(login_as, query) -> None:
    assert login_as("ministry").get(f"/reports/{query}").status_code == 400
    assert not AuditEntry.select().where(AuditEntry.action == "report.download").exists()


def test_an_unknown_kind_of_file_is_not_found(login_as) -> None:
    assert login_as("ministry").get("/reports/monthly.exe").status_code == 404


def _table_row(page: str, name: str) -> list[str]:
    rest = page.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
    cells = [cell.split("</td>")[0] for cell in rest.split('<td class="n">')[1:]]
    return [re.sub("<[^>]+>", "", cell) for cell in cells]


def test_the_manager_decides_what_is_counted(login_as, appeal, nilufar) -> None:
    CallForm.create(
        number="Q-2026-000001",
        call_id="x",
        operator=nilufar,
        received_at=appeal.received_at,
        registered_at=appeal.received_at,
        region="1718",
        direction="subsidies",
    )
    manager = login_as("manager")
    page = manager.get("/reports?month=2026-10").text
    assert _table_row(page, "Samarqand viloyati") == ["2", "100,0", "1", "1"]
    answer = manager.send("/reports/counted", counted="appeals", month="2026-10")
    assert answer.location == "/reports?month=2026-10"
    page = manager.get(answer.location).text
    assert _table_row(page, "Samarqand viloyati") == ["1", "100,0", "1", "1"]
    assert "Hisobga olingan: faqat №1 shakllar" in page
    assert manager.send("/reports/counted", counted="calls").status_code == 400


def test_the_ministry_sees_both_counts_and_decides_nothing(login_as, appeal) -> None:
    browser = login_as("ministry")
    page = browser.get("/reports?month=2026-10").text
    assert "faqat №2 shakl" in page
    assert 'name="counted"' not in page
    assert browser.send("/reports/counted", counted="appeals").status_code == 403
