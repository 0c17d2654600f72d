"""Report form №2 on the page and as a file."""

import datetime as dt
import io
import json
import re

import pypdf
import pytest

from appliance.models import Appeal, Applicant, AuditEntry


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    """One of Samarkand about subsidies, on Tuesday 20.10.2026 at 12:00."""
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


def test_the_figures_of_a_month(login_as, appeal) -> None:
    page = login_as("ministry").get("/reports?month=2026-10").text
    assert "01.10.2026–31.10.2026" in page
    assert _row(page, "Samarqand viloyati") == ["1", "100,0"]
    assert _row(page, "Seshanba") == ["1", "100,0", "0", "–"]
    assert "farq 0" in page


def test_to_a_date(login_as, appeal) -> None:
    browser = login_as("ministry")
    page = browser.get("/reports?month=2026-10&upto=19.10.2026").text
    assert "01.10.2026–19.10.2026" in page
    assert _row(page, "Samarqand viloyati") == ["0", "–"]


@pytest.mark.parametrize(
    "asked", ["month=2026-10&upto=20.11.2026", "month=2026-10&upto=31", "month=2026-13", "month=x"]
)
def test_what_is_no_period_is_said_and_a_whole_month_shown(login_as, asked) -> None:
    answer = login_as("ministry").get(f"/reports?{asked}")
    assert answer.status_code == 200
    assert "Bu oyda bunday sana yoʻq" in answer.text


@pytest.mark.usefixtures("at_noon")
def test_the_running_month_when_nothing_is_asked(login_as) -> None:
    assert "01.11.2026–18.11.2026" in login_as("ministry").get("/reports").text


def test_as_json(login_as, appeal) -> None:
    answer = login_as("ministry").get("/reports/monthly.json?month=2026-10&upto=20.10.2026&lang=ru")
    told = json.loads(answer.data)
    assert told["period"] == {"from": "2026-10-01", "to": "2026-10-20"}
    assert {r["name"]: r["count"] for r in told["appeals_by_region"]}["Самаркандская область"] == 1


def test_as_csv(login_as, appeal) -> None:
    answer = login_as("manager").get("/reports/monthly.csv?month=2026-10&lang=uz_Latn")
    assert answer.mimetype == "text/csv"
    assert "Samarqand viloyati" in answer.data.decode("utf-8-sig")


def test_as_pdf_in_the_ministrys_own_script(login_as, appeal) -> None:
    answer = login_as("ministry").get("/reports/monthly.pdf?month=2026-10")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.pdf"'
    )
    text = pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "МАЪЛУМОТ" in text


@pytest.mark.parametrize(
    ("asked", "name"),
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
def test_every_report_as_a_file(login_as, asked, name) -> None:
    answer = login_as("ministry").get(f"/reports/{asked}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.data


def test_the_figures_of_a_quarter(login_as, appeal) -> None:
    page = login_as("ministry").get("/reports/quarterly?quarter=2026-Q3").text
    assert "01.07.2026–30.09.2026" in page
    assert "2026-yil 3-chorak" in page
    assert "Uzluksiz, 24/7" in page
    assert "Masʼul xodim hali kiritmagan" in page
    doubt = login_as("ministry").get("/reports/quarterly?quarter=2026-Q3&upto=01.10.2026").text
    assert "Bu chorakda bunday sana yoʻq" in doubt


def test_that_it_was_taken_is_written_down(login_as) -> None:
    login_as("ministry").get("/reports/monthly.json?month=2026-10")
    entry = AuditEntry.get(AuditEntry.action == "report.download")
    assert (entry.who, entry.subject) == ("bahodir", "monthly")
    assert entry.detail == {"file": "hisobot-2_2026-10-01_2026-10-31_uz_Cyrl.json"}


@pytest.mark.parametrize(
    "asked", ["monthly.pdf?month=2026-13", "monthly.json?upto=x", "monthly.json?lang=de"]
)
def test_a_file_of_what_is_no_report_is_refused(login_as, asked) -> None:
    assert login_as("ministry").get(f"/reports/{asked}").status_code == 400
    assert not AuditEntry.select().where(AuditEntry.action == "report.download").exists()


def test_another_kind_of_file_is_not_there(login_as) -> None:
    assert login_as("ministry").get("/reports/monthly.exe").status_code == 404


def _row(page: str, name: str) -> list[str]:
    rest = page.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
    cells = [cell.split("</td>")[0] for cell in rest.split('<td class="n">')[1:]]
    return [re.sub("<[^>]+>", "", cell) for cell in cells]
