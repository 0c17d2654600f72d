"""The month's page *Who looked at whom*, and its file."""

import csv
import datetime as dt
import io

import openpyxl
import pypdf
import pytest

from appliance.casework import unusual
from appliance.core import audit, clock
from appliance.core.audit.table import AuditEntry
from appliance.models import IssuedReport, ReportRun, User
from appliance.reports import files, issuing, runs
from appliance.reports.accesses import printing


@pytest.fixture
def told(settings) -> None:
    """What some people opened, heard, looked for and took away."""
    for _ in range(2):
        audit.record("dilnoza", "recording.listen", "hotline-1.1", reason="=shikoyat")
    audit.record("dilnoza", "appeal.reveal", "2026-000001", reason="tekshiruv")
    audit.record("bahodir", "appeal.view", "2026-000002", asked={"q": "Kanareykina"})
    audit.record("bahodir", "appeal.list", "", appeal=["2026-000002", "2026-000003"])
    audit.record("bahodir", "appeals.download", "", rows=2)
    audit.record("jobs", unusual.ACTION, "bahodir", why="night", record="2026-000002", at="")
    audit.record("rustam", "plan.change", "x")


@pytest.mark.parametrize("role", ["manager", "ministry"])
def test_the_page_tells_who_read_how_much(told, role, login_as) -> None:
    page = login_as(role).get("/reports/accesses").text
    readers = page.split('id="readers-title"')[1].split('id="heard-title"')[0]
    assert "Dilnoza Aliyeva" in readers
    assert "Bahodir Rahimov" in readers
    assert "Rustam" not in readers
    heard = page.split('id="heard-title"')[1].split('id="seen-title"')[0]
    assert "hotline-1.1" in heard
    assert "=shikoyat" in heard
    assert "Kanareykina" not in page  # whom it is about is told by numbers


def test_the_file_has_each_record_of_each_person(told, login_as) -> None:
    text = login_as("ministry").get("/reports/accesses/accesses.csv").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=","))
    heard = next(row for row in rows if row["what"] == "recording.listen")
    assert (heard["who"], heard["record"], heard["times"]) == ("dilnoza", "hotline-1.1", "2")
    assert heard["reason"] == "'=shikoyat"
    assert {(row["who"], row["what"]) for row in rows} == {
        ("dilnoza", "recording.listen"),
        ("dilnoza", "appeal.reveal"),
        ("bahodir", "appeal.view"),
    }


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "json"])
def test_paper_workbook_and_values(told, kind, login_as, monkeypatch) -> None:
    monkeypatch.setattr(printing, "PRINTED", 0)
    answer = login_as("manager").get(f"/reports/accesses/accesses.{kind}?lang=ru")
    assert answer.status_code == 200
    begins = {"pdf": b"%PDF", "xlsx": b"PK", "json": b"{"}[kind]
    assert answer.data.startswith(begins)
    taken = AuditEntry.get(AuditEntry.action == "audit.download")
    assert (taken.who, taken.detail["kind"]) == ("sherzod", kind)
    if kind == "pdf":
        paper = pypdf.PdfReader(io.BytesIO(answer.data))
        text = " ".join(" ".join(page.extract_text() for page in paper.pages).split())
        assert "Кто что прослушал и кто кого смотрел" in text
        assert "Ещё 1 строк" in text
        assert "Записей, открытых без вопроса о причине: 1." in text
        assert "Kanareykina" not in text
        assert "Баланс" not in text  # of calls, which it is not about
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
        cells = [str(cell.value) for sheet in book for row in sheet for cell in row]
        assert "hotline-1.1" in cells
        assert not any("Баланс" in cell for cell in cells)
    if kind == "json":
        told_ = answer.get_json()
        reader = next(one for one in told_["readers"] if one["code"] == "bahodir")
        assert (reader["opened"], reader["searches"], reader["unusual"]) == (1, 1, 1)
        assert "balance" not in told_


def test_it_is_issued_each_month_to_manager_and_ministry(settings, login_as) -> None:
    User.update(created_at=clock.now() - dt.timedelta(days=70)).execute()
    runs.plan(settings)
    due = (clock.now() - runs.SETTLED).astimezone(settings.tz).date()  # in the first hours: before
    month = (due.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    [run] = ReportRun.select().where(
        ReportRun.name == "accesses", ReportRun.period == f"{month:%Y-%m}"
    )
    period = files.FORMS["accesses"].period(run.period, settings.tz, None)
    made = issuing.issue(settings, "accesses", period, "jobs")
    for role, seen in (("manager", 200), ("ministry", 200), ("supervisor", 404)):
        browser = login_as(role)
        listed = browser.get("/reports/issued").text
        assert (f'id="report-{made.id}"' in listed) == (seen == 200)
        assert browser.get(f"/reports/issued/{made.id}").status_code == seen
        assert browser.get(f"/reports/issued/{made.id}/ru.pdf").status_code == seen
    assert issuing.changes(settings, made, "ru") == []
    before = made.cells | {"balance/arrivals": ["x", 7]}  # as it once had
    IssuedReport.update(cells=before).execute()
    assert issuing.changes(settings, IssuedReport.get_by_id(made.id), "ru") == []


def test_what_is_unusual_stands_on_the_audit_of_the_manager(told, login_as) -> None:
    assert "unusual-title" in login_as("manager").get("/audit").text
    assert "unusual-title" not in login_as("technician").get("/audit").text


@pytest.mark.parametrize("month", ["2026-13", "x", "' OR 1=1"])
def test_no_month_is_the_running_one(told, month, login_as) -> None:
    assert login_as("manager").get(f"/reports/accesses?month={month}").status_code == 200
