"""Issued reports on the page: the list, the files, what changed, who may request one."""

import datetime as dt

import pytest

from appliance.models import Appeal, Applicant, AuditEntry, IssuedReport, ReportRun
from appliance.reports import files, issuing, runs
from appliance.reports.periods import Period

ISSUED_PATH = "/reports/issued"


@pytest.fixture
def issued(settings, monkeypatch) -> IssuedReport:
    """The report of October 2025 in one language, without a PDF."""
    monkeypatch.setattr(issuing.archive, "LOCALES", ("uz_Cyrl",))
    kinds = {kind: files.MIME_TYPES[kind] for kind in ("json", "csv")}
    with monkeypatch.context() as patch:
        patch.setattr(files, "MIME_TYPES", kinds)
        period = Period(dt.date(2025, 10, 1), dt.date(2025, 10, 31), settings.tz)
        return issuing.issue_report(settings, "monthly", period, "jobs")


def test_the_ministry_finds_issued_reports(login_as, issued) -> None:
    browser = login_as("ministry")
    page = browser.get(ISSUED_PATH).text
    assert "Oylik hisobot, hisobot shakli №2" in page
    assert "oktabr 2025" in page
    assert "tizim oʻzi" in page
    assert "Oylik hisobotni taqdim etish" not in page  # only the manager may do that
    assert "oktabr 2025" in browser.get("/reports").text  # announced on the ministry's start page
    report_page = browser.get(f"{ISSUED_PATH}/{issued.id}").text
    assert "Hech narsa oʻzgarmagan" in report_page


def test_a_file_is_served_as_issued(login_as, issued, settings) -> None:
    browser = login_as("ministry")
    answer = browser.get(f"{ISSUED_PATH}/{issued.id}/uz_Cyrl.json")
    name = 'filename="hisobot-2_2025-10-01_2025-10-31_1_uz_Cyrl.json"'
    assert name in answer.headers["Content-Disposition"]
    assert b'"appeals_by_region"' in answer.data
    entry = AuditEntry.get(AuditEntry.action == "report.download")
    assert (entry.who, entry.detail["issued"]) == ("bahodir", issued.id)
    assert browser.get(f"{ISSUED_PATH}/{issued.id}/ru.json").status_code == 404
    assert browser.get(f"{ISSUED_PATH}/99/uz_Cyrl.json").status_code == 404


def test_a_damaged_file_is_reported_and_not_served(login_as, issued, settings) -> None:
    path = settings.paths.issued_reports / "hisobot-2_2025-10-01_2025-10-31_1_uz_Cyrl.csv"
    path.unlink()
    browser = login_as("ministry")
    assert browser.get(f"{ISSUED_PATH}/{issued.id}/uz_Cyrl.csv").status_code == 404
    assert "fayl buzilgan" in browser.get(f"{ISSUED_PATH}/{issued.id}").text


def test_late_data_is_shown_in_its_cell(login_as, issued, settings, nilufar) -> None:
    at = dt.datetime(2025, 10, 6, 12, tzinfo=settings.tz)
    Appeal.create(
        **{"number": "2025-000001", "operator": nilufar, "received_at": at, "registered_at": at},
        **{"applicant_kind": "person", "appeal_type": "application", "openness": "open"},
        **{"direction": "subsidies", "region": "1718"},
        applicant=Applicant.create(kind="person", created_at=at),
    )
    page = login_as("manager").get(f"{ISSUED_PATH}/{issued.id}").text
    row = page.split("3-jadval · Samarqand viloyati · Soni</th>")[1].split("</tr>")[0]
    assert row == '<td class="n prose">0</td><td class="n prose">1</td>'


@pytest.mark.parametrize(
    ("fields", "run"),
    [
        ({"name": "monthly", "month": "2025-10"}, ("monthly", "2025-10", "")),
        (
            {"name": "quarterly", "quarter": "2025-Q3", "upto": "15.08.2025"},
            ("quarterly", "2025-Q3", "2025-08-15"),
        ),
    ],
)
def test_the_manager_requests_a_report(login_as, settings, fields, run) -> None:
    browser = login_as("manager")
    assert browser.send(ISSUED_PATH, ISSUED_PATH, **fields).status_code == 302
    request = ReportRun.get()
    assert (request.name, request.period, request.upto) == run
    assert request.by == "sherzod"
    assert "kutmoqda" in browser.get(ISSUED_PATH).text


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "monthly", "month": "2025-13"},
        {"name": "monthly", "month": "2025-10", "upto": "01.11.2025"},
        {"name": "quarterly", "quarter": "2025-Q3", "upto": "x"},
    ],
)
def test_an_invalid_period_is_not_issued(login_as, settings, fields) -> None:
    browser = login_as("manager")
    browser.send(ISSUED_PATH, ISSUED_PATH, **fields)
    assert "hech narsa taqdim etilmadi" in browser.get(ISSUED_PATH).text
    assert not ReportRun.select().exists()


def test_a_failed_run_is_shown_and_can_be_retried(login_as, settings) -> None:
    runs.request_run("monthly", "2025-10", "", "jobs")
    run = runs.claim_run()
    assert run is not None
    runs.record_failure(run, OSError("no room"))
    browser = login_as("manager")
    page = browser.get(ISSUED_PATH).text
    assert "tuzilmadi" in page
    assert "OSError: no room" in page
    assert runs.claim_run() is None
    browser.send(f"/reports/runs/{run.id}/retry", ISSUED_PATH)
    assert runs.claim_run() is not None
    assert browser.send("/reports/runs/99/retry", ISSUED_PATH).status_code == 404
