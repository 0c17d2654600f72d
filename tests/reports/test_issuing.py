"""Issued reports: kept as they were, compared with what is known later, made once on schedule."""

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
from tests.reports.ledger_world import TZ, World, at
from tests.rig.waiting import until

OCTOBER = Period(dt.date(2025, 10, 1), dt.date(2025, 10, 31), TZ)
NOW = dt.datetime(2025, 11, 5, 3, tzinfo=dt.UTC)


@pytest.fixture
def october(site: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site since 30.10.2025, now 05.11.2025, with two calls and an appeal."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    User.update(created_at=at("2025-10-30 12:00:00")).execute()
    world.call("2025-10-06 10:00:00", talk_seconds=30.0)
    world.call("2025-10-06 10:05:00", outcome="abandoned_menu")
    world.appeal("2025-10-06 10:00:00", "1710", "other")
    world.call("2025-11-05 07:59:30")
    return site


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One language and no PDF: what is tested is what becomes of the files."""
    monkeypatch.setattr(issuing.keeping, "LOCALES", ("uz_Cyrl",))
    monkeypatch.setattr(files, "KINDS", {"json": files.KINDS["json"], "csv": files.KINDS["csv"]})


def test_every_language_and_kind_is_kept(october: Settings) -> None:
    report = issuing.issue(october, "monthly", OCTOBER, "sherzod")
    kept = {(file.locale, file.kind): file for file in report.files}
    assert set(kept) == {(locale, kind) for locale in LOCALES for kind in files.KINDS}
    content = issuing.content(october, kept["uz_Cyrl", "pdf"])
    assert content is not None
    assert content.startswith(b"%PDF")
    told = json.loads(issuing.content(october, kept["ru", "json"]) or b"")
    assert told["calls_total"]["inside"] == 2
    assert issuing.whole(october, report)
    assert AuditEntry.get(AuditEntry.action == "report.issue").who == "sherzod"


@pytest.mark.usefixtures("quick")
def test_a_file_that_was_changed_is_not_given_out(october: Settings) -> None:
    report = issuing.issue(october, "monthly", OCTOBER, "sherzod")
    file = report.files.where(IssuedFile.kind == "csv").get()
    path = issuing.keeping.folder(october) / file.file
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")
    assert issuing.content(october, file) is None
    assert not issuing.whole(october, report)
    path.unlink()
    assert issuing.content(october, file) is None


@pytest.mark.usefixtures("quick")
def test_late_data_is_shown_cell_by_cell(october: Settings, world: World) -> None:
    first = issuing.issue(october, "monthly", OCTOBER, "sherzod")
    assert issuing.changes(october, first, "ru") == []
    world.call("2025-10-07 10:00:00")
    world.appeal("2025-10-07 10:00:00", "1718", "other", consultation=True, gist="Таътил")
    found = {c.key: c for c in issuing.changes(october, first, "ru")}
    cell = found["calls_by_weekday/2/inside"]
    assert (cell.before, cell.after) == ("0", "1")
    assert cell.name == "Таблица 2 · Вторник · Звонки, поступившие в рабочее время"
    assert (found["calls_total/inside"].before, found["calls_total/inside"].after) == ("2", "3")
    assert found["appeals_by_region/1718/count"].name == "Таблица 3 · Самаркандская область · Число"
    assert found["appeals_by_region/1710/share"].after == "50,0"
    assert found["balance/arrivals"].after == "3"
    assert found["consultations/2025-10-07 Таътил"].before == "–"
    assert "appeals_by_region/1710/count" not in found
    second = issuing.issue(october, "monthly", OCTOBER, "sherzod")
    assert second.edition == 2
    assert [r.edition for r in issuing.editions(first)] == [1, 2]
    assert {c.key for c in issuing.changes_between(first, second, "ru")} == set(found)
    assert (
        json.loads(issuing.content(october, first.files.get()) or b"")["calls_total"]["inside"] == 2
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["quarterly", "daily"])
def test_what_changed_is_named_in_every_language(
    october: Settings, world: World, name: str
) -> None:
    text = {"quarterly": "2025-Q3", "daily": "2025-11-03"}[name]
    period = files.FORMS[name].period(text, TZ, None)
    report = issuing.issue(october, name, period, "jobs")
    world.call(f"{period.last} 10:00:00")
    for locale in LOCALES:
        for change in issuing.changes(october, report, locale):
            assert "_" not in change.name, change
            assert not change.name.endswith(("· ", " ·")), change


def test_a_period_that_runs_is_not_issued(october: Settings, world: World) -> None:
    november = Period(dt.date(2025, 11, 1), dt.date(2025, 11, 5), TZ)
    with pytest.raises(issuing.NotClosed, match="ends on"):
        issuing.issue(october, "monthly", november, "sherzod")
    world.call("2025-10-31 23:59:59", outcome=None)
    with pytest.raises(issuing.NotClosed, match="1 calls"):
        issuing.issue(october, "monthly", OCTOBER, "sherzod")
    assert not IssuedReport.select().exists()


@pytest.mark.usefixtures("quick")
def test_what_is_missing_is_made_once(october: Settings) -> None:
    assert job.make(october, lambda: True) == 8
    made = {(run.name, run.period): run for run in ReportRun.select()}
    assert set(made) == {
        *(
            ("daily", f"2025-{day}")
            for day in ("10-30", "10-31", "11-01", "11-02", "11-03", "11-04")
        ),
        ("monthly", "2025-10"),
        ("accesses", "2025-10"),
    }
    assert {run.state for run in made.values()} == {"done"}
    assert made["monthly", "2025-10"].report.by == "jobs"
    assert job.make(october, lambda: True) == 0
    assert IssuedReport.select().count() == 8


@pytest.mark.usefixtures("quick")
def test_a_failed_run_is_seen_and_retried(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.ask("monthly", "2025-10", "", "sherzod")
    folder = issuing.keeping.folder(october)
    folder.write_bytes(b"")  # a file where the folder should be
    run = runs.claim()
    assert run is not None
    with pytest.raises(OSError, match="issued") as caught:
        runs.make(october, run)
    runs.failed(run, caught.value)
    assert not IssuedReport.select().exists()
    check = next(c for c in health.checks(october) if c.code == "reports")
    assert (check.state, check.values["report"]) == ("fail", "monthly 2025-10")
    assert "issued" in check.values["error"]
    assert runs.claim() is None
    folder.unlink()
    monkeypatch.setattr(clock, "now", lambda: NOW + runs.AGAIN)
    again = runs.claim()
    assert again is not None
    runs.make(october, again)
    assert ReportRun.get().state == "done"
    assert ReportRun.get().report.by == "sherzod"


@pytest.mark.usefixtures("quick")
def test_a_failure_is_no_end_of_the_others(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = files.FORMS["daily"].__class__(
        **{**vars(files.FORMS["daily"]), "as_csv": lambda report: str(1 // 0)}
    )
    monkeypatch.setitem(files.FORMS, "daily", broken)
    assert job.make(october, lambda: True) == 8
    states = [run.state for run in ReportRun.select()]
    assert (states.count("failed"), states.count("done")) == (6, 2)
    assert {run.error for run in runs.unfinished()} == {
        "ZeroDivisionError: integer division or modulo by zero"
    }


@pytest.mark.usefixtures("quick")
def test_two_makers_never_make_the_same(october: Settings) -> None:
    runs.plan(october)
    held: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        while run := runs.claim():
            with lock:
                held.append(run.id)
        db.database.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == sorted(run.id for run in ReportRun.select())


@pytest.mark.usefixtures("quick")
def test_a_maker_that_died_is_followed_by_another(
    october: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.ask("monthly", "2025-10", "", "jobs")
    lost = runs.claim()
    assert lost is not None
    assert runs.claim() is None
    monkeypatch.setattr(clock, "now", lambda: NOW + runs.LEASE)
    found = runs.claim()
    assert found is not None
    runs.make(october, found)
    runs.make(october, lost)  # it was not dead: what it made counts for nothing
    assert [r.edition for r in IssuedReport.select()] == [1]


def test_a_stop_leaves_the_run_to_be_made(october: Settings) -> None:
    runs.ask("monthly", "2025-10", "", "jobs")
    answers: Iterator[bool] = iter([True, True, False])
    assert job.make(october, lambda: next(answers, False)) == 1
    run = ReportRun.get()
    assert (run.state, run.attempts) == ("due", 0)
    assert not IssuedReport.select().exists()


@pytest.mark.usefixtures("quick")
def test_a_run_waits_for_the_last_call(october: Settings, world: World) -> None:
    world.call("2025-10-31 23:59:59", outcome=None)
    runs.ask("monthly", "2025-10", "", "jobs")
    run = runs.claim()
    assert run is not None
    runs.make(october, run)
    assert ReportRun.get().state == "due"
    assert "go on" in ReportRun.get().error
    Call.update(outcome="failed").where(Call.outcome.is_null()).execute()
    runs.retry(ReportRun.get())
    again = runs.claim()
    assert again is not None
    runs.make(october, again)
    assert ReportRun.get().state == "done"


def test_the_jobs_process_makes_it_and_ends_when_told(site: Settings, world: World) -> None:
    world.call("2025-10-06 10:00:00")
    runs.ask("daily", "2025-10-06", "", "sherzod")
    command = [Path(sys.executable).with_name("appliance"), "--config", site.file, "jobs"]
    with (site.file.parent / "jobs.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: ReportRun.get().state == "done" or process.poll() is not None, 90)
        until(lambda: not JobRun.select().where(JobRun.state == "running").exists(), 90)
        process.terminate()
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
    assert issuing.whole(site, IssuedReport.get())
    assert IssuedFile.select().count() == len(LOCALES) * len(files.KINDS)


@pytest.mark.usefixtures("quick")
def test_a_timetable_that_stands_still_is_seen(october: Settings) -> None:
    def check() -> health.Check:
        return next(c for c in health.checks(october) if c.code == "reports")

    assert (check().state, check().values) == ("fail", {"report": "daily 2025-11-04"})
    job.make(october, lambda: True)
    assert check().state == "ok"


@pytest.mark.parametrize("locale", LOCALES)
def test_no_gap_of_a_text_is_left_in_a_table(october: Settings, locale: str) -> None:
    for name, period in (("daily", "2025-10-05"), ("monthly", "2025-10"), ("quarterly", "2025-Q4")):
        form = files.FORMS[name]
        made = form.build(october, form.period(period, october.tz, None), locale)
        assert "{" not in form.as_csv(made)


def test_the_daily_summary(october: Settings) -> None:
    report = files.build("daily", october, Period(*(dt.date(2025, 10, 6),) * 2, TZ), "uz_Latn")
    told = json.loads(files.render("daily", report, "json"))
    assert told["answering"]["incoming"] == 2
    assert told["answering"]["missed"] == 1
    assert {r["code"]: r["count"] for r in told["appeals_by_direction"]}["other"] == 1
    assert "missed,Oʻtkazib yuborilgan qoʻngʻiroqlar,1" in files.render(
        "daily", report, "csv"
    ).decode("utf-8-sig")
    assert files.render("daily", report, "pdf").startswith(b"%PDF")
    assert files.render("daily", report, "xlsx").startswith(b"PK")


def test_the_order_in_which_calls_came_to_be_known_changes_nothing(
    site: Settings, world: World
) -> None:
    world.call("2025-10-06 10:00:00", caller="+998935550101", outcome="abandoned_menu")
    world.call("2025-10-06 10:00:00", caller="+998935550101", talk_seconds=12.5)
    world.call("2025-10-06 11:00:00", talk_seconds=0.1)
    period = files.FORMS["quarterly"].period("2025-Q4", TZ, None)
    before = files.FORMS["quarterly"].as_json(files.build("quarterly", site, period, "ru"))
    for table in (Call, EventRow, Recording):
        rows = list(table.select().dicts())
        table.delete().execute()
        for row in reversed(rows):
            table.insert(row).execute()
    assert files.FORMS["quarterly"].as_json(files.build("quarterly", site, period, "ru")) == before
