"""The monthly page of who looked at whom, and its file."""

import csv
import datetime as dt
import io

import openpyxl
import pypdf
import pytest

from appliance.casework import unusual_reading
from appliance.core import audit, clock
from appliance.core.audit.table import AuditEntry
from appliance.models import IssuedReport, ReportRun, User
from appliance.reports import files, issuing, runs
from appliance.reports.accesses import printing


@pytest.fixture
def audited_accesses(settings) -> None:
    """Audit rows of what some users opened, played, searched and downloaded."""
    for _ in range(2):
        audit.record_entry("dilnoza", "recording.listen", "hotline-1.1", reason="=shikoyat")
    audit.record_entry("dilnoza", "appeal.reveal", "2026-000001", reason="tekshiruv")
    audit.record_entry("bahodir", "appeal.view", "2026-000002", asked={"q": "Kanareykina"})
    audit.record_entry("bahodir", "appeal.list", "", appeal=["2026-000002", "2026-000003"])
    audit.record_entry("bahodir", "appeals.download", "", rows=2)
    audit.record_entry(
        "jobs", unusual_reading.ACTION, "bahodir", why="night", record_entry="2026-000002", at=""
    )
    audit.record_entry("rustam", "plan.change", "x")


@pytest.mark.parametrize("role", ["manager", "ministry"])
def test_the_page_shows_who_read_how_much(audited_accesses, role, login_as) -> None:
    page = login_as(role).get("/reports/accesses").text
    readers = page.split('id="readers-title"')[1].split('id="heard-title"')[0]
    assert "Dilnoza Aliyeva" in readers
    assert "Bahodir Rahimov" in readers
    assert "Rustam" not in readers
    playbacks = page.split('id="heard-title"')[1].split('id="seen-title"')[0]
    assert "hotline-1.1" in playbacks
    assert "=shikoyat" in playbacks
    assert "Kanareykina" not in page  # the people concerned are shown by number only


def test_the_file_has_each_record_of_each_person(audited_accesses, login_as) -> None:
    text = login_as("ministry").get("/reports/accesses/accesses.csv").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=","))
    playback = next(row for row in rows if row["what"] == "recording.listen")
    assert (playback["who"], playback["record"], playback["times"]) == (
        "dilnoza",
        "hotline-1.1",
        "2",
    )
    assert playback["reason"] == "'=shikoyat"
    assert {(row["who"], row["what"]) for row in rows} == {
        ("dilnoza", "recording.listen"),
        ("dilnoza", "appeal.reveal"),
        ("bahodir", "appeal.view"),
    }


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "json"])
def test_the_report_is_available_as_pdf_workbook_and_json(
    audited_accesses, kind, login_as, monkeypatch
) -> None:
    monkeypatch.setattr(printing, "MAX_PRINTED_LINES", 0)
    answer = login_as("manager").get(f"/reports/accesses/accesses.{kind}?lang=ru")
    assert answer.status_code == 200
    begins = {"pdf": b"%PDF", "xlsx": b"PK", "json": b"{"}[kind]
    assert answer.data.startswith(begins)
    entry = AuditEntry.get(AuditEntry.action == "audit.download")
    assert (entry.who, entry.detail["kind"]) == ("sherzod", kind)
    if kind == "pdf":
        paper = pypdf.PdfReader(io.BytesIO(answer.data))
        text = " ".join(" ".join(page.extract_text() for page in paper.pages).split())
        assert "Журнал прослушиваний и доступа к данным" in text
        assert "Ещё 1 строк" in text
        assert "Записей, открытых без вопроса о причине: 1." in text
        assert "Kanareykina" not in text
        assert "Баланс" not in text  # of calls, which this report does not cover
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
        cells = [str(cell.value) for sheet in book for row in sheet for cell in row]
        assert "hotline-1.1" in cells
        assert not any("Баланс" in cell for cell in cells)
    if kind == "json":
        document = answer.get_json()
        reader = next(
            reader_row for reader_row in document["readers"] if reader_row["code"] == "bahodir"
        )
        assert (reader["opened"], reader["searches"], reader["unusual"]) == (1, 1, 1)
        assert "balance" not in document


def test_the_report_is_issued_monthly_to_manager_and_ministry(settings, login_as) -> None:
    User.update(created_at=clock.now() - dt.timedelta(days=70)).execute()
    runs.plan_runs(settings)
    # the day before, if early
    due = (clock.now() - runs.SETTLING_DELAY).astimezone(settings.tz).date()
    month = (due.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    [run] = ReportRun.select().where(
        ReportRun.name == "accesses", ReportRun.period == f"{month:%Y-%m}"
    )
    period = files.FORMS["accesses"].parse_period(run.period, settings.tz, None)
    report = issuing.issue_report(settings, "accesses", period, "jobs")
    for role, status in (("manager", 200), ("ministry", 200), ("supervisor", 404)):
        browser = login_as(role)
        listed = browser.get("/reports/issued").text
        assert (f'id="report-{report.id}"' in listed) == (status == 200)
        assert browser.get(f"/reports/issued/{report.id}").status_code == status
        assert browser.get(f"/reports/issued/{report.id}/ru.pdf").status_code == status
    assert issuing.changes_since_issue(settings, report, "ru") == []
    before = report.cells | {"balance/arrivals": ["x", 7]}  # as older reports contained
    IssuedReport.update(cells=before).execute()
    assert issuing.changes_since_issue(settings, IssuedReport.get_by_id(report.id), "ru") == []


def test_unusual_reading_is_shown_on_the_managers_audit_page(audited_accesses, login_as) -> None:
    assert "unusual-title" in login_as("manager").get("/audit").text
    assert "unusual-title" not in login_as("technician").get("/audit").text


@pytest.mark.parametrize("month", ["2026-13", "x", "' OR 1=1"])
def test_an_invalid_month_shows_the_current_one(audited_accesses, month, login_as) -> None:
    assert login_as("manager").get(f"/reports/accesses?month={month}").status_code == 200
