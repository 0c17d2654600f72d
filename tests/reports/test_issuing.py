"""Issued reports: stored unchanged, compared with later data, made once on schedule."""

import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import health
from appliance.core import clock, db
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.jobs import reports as job
from appliance.models import (
    AuditEntry,
    Call,
    EventRow,
    IssuedFile,
    IssuedReport,
    JobRun,
    Recording,
    ReportRun,
    User,
)
from appliance.reports import files, issuing, runs
from appliance.reports.periods import Period
from tests.reports.ledger_world import TZ, World, site_time
from tests.rig.waiting import wait_until

OCTOBER = Period(dt.date(2025, 10, 1), dt.date(2025, 10, 31), TZ)
NOW = dt.datetime(2025, 11, 5, 3, tzinfo=dt.UTC)


@pytest.fixture
def october(site: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site since 30.10.2025, now 05.11.2025, with two calls and an appeal."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    User.update(created_at=site_time("2025-10-30 12:00:00")).execute()
    world.add_call("2025-10-06 10:00:00", talk_seconds=30.0)
    world.add_call("2025-10-06 10:05:00", outcome="abandoned_menu")
    world.add_appeal("2025-10-06 10:00:00", "1710", "other")
    world.add_call("2025-11-05 07:59:30")
    return site


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One language and no PDF: these tests are about what happens to the files."""
    monkeypatch.setattr(issuing.archive, "LOCALES", ("uz_Cyrl",))
    monkeypatch.setattr(
        files, "MIME_TYPES", {"json": files.MIME_TYPES["json"], "csv": files.MIME_TYPES["csv"]}
    )


def test_every_language_and_kind_is_stored(october: Settings) -> None:
    report = issuing.issue_report(october, "monthly", OCTOBER, "sherzod")
    files_by_kind = {(file.locale, file.kind): file for file in report.files}
    assert set(files_by_kind) == {(locale, kind) for locale in LOCALES for kind in files.MIME_TYPES}
    content = issuing.file_content(october, files_by_kind["uz_Cyrl", "pdf"])
    assert content is not None
    assert content.startswith(b"%PDF")
    figures = json.loads(issuing.file_content(october, files_by_kind["ru", "json"]) or b"")
    assert figures["calls_total"]["inside"] == 2
    assert issuing.is_intact(october, report)
    assert AuditEntry.get(AuditEntry.action == "report.issue").who == "sherzod"


@pytest.mark.usefixtures("quick")
def test_a_changed_file_is_not_served(october: Settings) -> None:
    report = issuing.issue_report(october, "monthly", OCTOBER, "sherzod")
    file = report.files.where(IssuedFile.kind == "csv").get()
    path = october.paths.issued_reports / file.file
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    assert issuing.file_content(october, file) is None
    assert not issuing.is_intact(october, report)
    path.unlink()
    assert issuing.file_content(october, file) is None


@pytest.mark.usefixtures("quick")
def test_late_data_is_shown_cell_by_cell(october: Settings, world: World) -> None:
    first = issuing.issue_report(october, "monthly", OCTOBER, "sherzod")
    assert issuing.changes_since_issue(october, first, "ru") == []
    world.add_call("2025-10-07 10:00:00")
    world.add_appeal("2025-10-07 10:00:00", "1718", "other", consultation=True, gist="Таътил")
    changes_by_key = {c.key: c for c in issuing.changes_since_issue(october, first, "ru")}
    cell = changes_by_key["calls_by_weekday/2/inside"]
    assert (cell.before, cell.after) == ("0", "1")
    assert cell.name == "Таблица 2 · Вторник · Звонки, поступившие в рабочее время"
    assert (
        changes_by_key["calls_total/inside"].before,
        changes_by_key["calls_total/inside"].after,
    ) == ("2", "3")
    assert (
        changes_by_key["appeals_by_region/1718/count"].name
        == "Таблица 3 · Самаркандская область · Число"
    )
    assert changes_by_key["appeals_by_region/1710/share"].after == "50,0"
    assert changes_by_key["balance/arrivals"].after == "3"
    assert changes_by_key["consultations/2025-10-07 Таътил"].before == "–"
    assert "appeals_by_region/1710/count" not in changes_by_key
    second = issuing.issue_report(october, "monthly", OCTOBER, "sherzod")
    assert second.edition == 2
    assert [r.edition for r in issuing.all_editions(first)] == [1, 2]
    assert {c.key for c in issuing.changes_between(first, second, "ru")} == set(changes_by_key)
    assert (
        json.loads(issuing.file_content(october, first.files.get()) or b"")["calls_total"]["inside"]
        == 2
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["quarterly", "daily"])
def test_changes_are_named_in_every_language(october: Settings, world: World, name: str) -> None:
    text = {"quarterly": "2025-Q3", "daily": "2025-11-03"}[name]
    period = files.FORMS[name].parse_period(text, TZ, None)
    report = issuing.issue_report(october, name, period, "jobs")
    world.add_call(f"{period.last} 10:00:00")
    for locale in LOCALES:
        for change in issuing.changes_since_issue(october, report, locale):
            assert "_" not in change.name, change
            assert not change.name.endswith(("· ", " ·")), change


def test_an_open_period_is_not_issued(october: Settings, world: World) -> None:
    november = Period(dt.date(2025, 11, 1), dt.date(2025, 11, 5), TZ)
    with pytest.raises(issuing.PeriodNotClosedError, match="ends on"):
        issuing.issue_report(october, "monthly", november, "sherzod")
    world.add_call("2025-10-31 23:59:59", outcome=None)
    with pytest.raises(issuing.PeriodNotClosedError, match="1 calls"):
        issuing.issue_report(october, "monthly", OCTOBER, "sherzod")
    assert not IssuedReport.select().exists()


@pytest.mark.usefixtures("quick")
def test_missing_reports_are_made_once(october: Settings) -> None:
    assert job.build_due_reports(october, lambda: True) == 8
    runs_by_period = {(run.name, run.period): run for run in ReportRun.select()}
    assert set(runs_by_period) == {
        *(
            ("daily", f"2025-{day}")
            for day in ("10-30", "10-31", "11-01", "11-02", "11-03", "11-04")
        ),
        ("monthly", "2025-10"),
        ("accesses", "2025-10"),
    }
    assert {run.state for run in runs_by_period.values()} == {"done"}
    assert runs_by_period["monthly", "2025-10"].report.by == "jobs"
    assert job.build_due_reports(october, lambda: True) == 0
    assert IssuedReport.select().count() == 8


@pytest.mark.usefixtures("quick")
def test_a_failed_run_is_reported_and_retried(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.request_run("monthly", "2025-10", "", "sherzod")
    folder = october.paths.issued_reports
    folder.write_bytes(b"")  # a file where the folder should be
    run = runs.claim_run()
    assert run is not None
    with pytest.raises(OSError, match="issued") as caught:
        runs.make_report(october, run)
    runs.record_failure(run, caught.value)
    assert not IssuedReport.select().exists()
    check = next(c for c in health.all_checks(october) if c.code == "reports")
    assert (check.state, check.values["report"]) == ("fail", "monthly 2025-10")
    assert "issued" in check.values["error"]
    assert runs.claim_run() is None
    folder.unlink()
    monkeypatch.setattr(clock, "now", lambda: NOW + runs.RETRY_DELAY)
    second_run = runs.claim_run()
    assert second_run is not None
    runs.make_report(october, second_run)
    assert ReportRun.get().state == "done"
    assert ReportRun.get().report.by == "sherzod"


@pytest.mark.usefixtures("quick")
def test_a_failure_does_not_stop_other_reports(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = files.FORMS["daily"].__class__(
        **{**vars(files.FORMS["daily"]), "as_csv": lambda report: str(1 // 0)}
    )
    monkeypatch.setitem(files.FORMS, "daily", broken)
    assert job.build_due_reports(october, lambda: True) == 8
    states = [run.state for run in ReportRun.select()]
    assert (states.count("failed"), states.count("done")) == (6, 2)
    assert {run.error for run in runs.unfinished_runs()} == {
        "ZeroDivisionError: integer division or modulo by zero"
    }


@pytest.mark.usefixtures("quick")
def test_concurrent_makers_claim_different_runs(october: Settings) -> None:
    runs.plan_runs(october)
    claimed_ids: list[int] = []
    lock = threading.Lock()

    def claim_runs() -> None:
        while run := runs.claim_run():
            with lock:
                claimed_ids.append(run.id)
        db.database.close()

    threads = [threading.Thread(target=claim_runs) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed_ids) == sorted(run.id for run in ReportRun.select())


@pytest.mark.usefixtures("quick")
def test_the_run_of_a_dead_maker_is_claimed_by_another(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.request_run("monthly", "2025-10", "", "jobs")
    first_run = runs.claim_run()
    assert first_run is not None
    assert runs.claim_run() is None
    monkeypatch.setattr(clock, "now", lambda: NOW + runs.CLAIM_LEASE)
    second_run = runs.claim_run()
    assert second_run is not None
    runs.make_report(october, second_run)
    runs.make_report(october, first_run)  # it was not dead: its result is ignored
    assert [r.edition for r in IssuedReport.select()] == [1]


def test_a_stop_leaves_the_run_due(october: Settings) -> None:
    runs.request_run("monthly", "2025-10", "", "jobs")
    answers: Iterator[bool] = iter([True, True, False])
    assert job.build_due_reports(october, lambda: next(answers, False)) == 1
    run = ReportRun.get()
    assert (run.state, run.attempts) == ("due", 0)
    assert not IssuedReport.select().exists()


@pytest.mark.usefixtures("quick")
def test_a_run_waits_for_the_last_call(october: Settings, world: World) -> None:
    world.add_call("2025-10-31 23:59:59", outcome=None)
    runs.request_run("monthly", "2025-10", "", "jobs")
    run = runs.claim_run()
    assert run is not None
    runs.make_report(october, run)
    assert ReportRun.get().state == "due"
    assert "go on" in ReportRun.get().error
    Call.update(outcome="failed").where(Call.outcome.is_null()).execute()
    runs.retry_run(ReportRun.get())
    second_run = runs.claim_run()
    assert second_run is not None
    runs.make_report(october, second_run)
    assert ReportRun.get().state == "done"


def test_the_jobs_process_makes_a_report_and_ends_on_a_signal(site: Settings, world: World) -> None:
    world.add_call("2025-10-06 10:00:00")
    runs.request_run("daily", "2025-10-06", "", "sherzod")
    command = [Path(sys.executable).with_name("appliance"), "--config", site.file, "jobs"]
    with (site.file.parent / "jobs.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: ReportRun.get().state == "done" or process.poll() is not None, 90)
        wait_until(lambda: not JobRun.select().where(JobRun.state == "running").exists(), 90)
        process.terminate()
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
    assert issuing.is_intact(site, IssuedReport.get())
    assert IssuedFile.select().count() == len(LOCALES) * len(files.MIME_TYPES)


@pytest.mark.usefixtures("quick")
def test_a_stopped_timetable_is_reported(october: Settings) -> None:
    def reports_check() -> health.Check:
        return next(c for c in health.all_checks(october) if c.code == "reports")

    assert (reports_check().state, reports_check().values) == (
        "fail",
        {"report": "daily 2025-11-04"},
    )
    job.build_due_reports(october, lambda: True)
    assert reports_check().state == "ok"


@pytest.mark.parametrize("locale", LOCALES)
def test_no_placeholder_is_left_in_a_table(october: Settings, locale: str) -> None:
    for name, period in (("daily", "2025-10-05"), ("monthly", "2025-10"), ("quarterly", "2025-Q4")):
        form = files.FORMS[name]
        report = form.build(october, form.parse_period(period, october.tz, None), locale)
        assert "{" not in form.as_csv(report)


def test_the_daily_summary_counts_calls_and_appeals(october: Settings) -> None:
    report = files.build_report(
        "daily", october, Period(*(dt.date(2025, 10, 6),) * 2, TZ), "uz_Latn"
    )
    figures = json.loads(files.render_file("daily", report, "json"))
    assert figures["answering"]["incoming"] == 2
    assert figures["answering"]["missed"] == 1
    assert {r["code"]: r["count"] for r in figures["appeals_by_direction"]}["other"] == 1
    assert "missed,Oʻtkazib yuborilgan qoʻngʻiroqlar,1" in files.render_file(
        "daily", report, "csv"
    ).decode("utf-8-sig")
    assert files.render_file("daily", report, "pdf").startswith(b"%PDF")
    assert files.render_file("daily", report, "xlsx").startswith(b"PK")


def test_the_order_of_the_rows_does_not_change_the_report(site: Settings, world: World) -> None:
    world.add_call("2025-10-06 10:00:00", caller="+998935550101", outcome="abandoned_menu")
    world.add_call("2025-10-06 10:00:00", caller="+998935550101", talk_seconds=12.5)
    world.add_call("2025-10-06 11:00:00", talk_seconds=0.1)
    period = files.FORMS["quarterly"].parse_period("2025-Q4", TZ, None)
    before = files.FORMS["quarterly"].as_json(files.build_report("quarterly", site, period, "ru"))
    for table in (Call, EventRow, Recording):
        rows = list(table.select().dicts())
        table.delete().execute()
        for row in reversed(rows):
            table.insert(row).execute()
    assert (
        files.FORMS["quarterly"].as_json(files.build_report("quarterly", site, period, "ru"))
        == before
    )
