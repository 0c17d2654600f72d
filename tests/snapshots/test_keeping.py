"""The drill, the log, the page and the self-checks of the snapshots."""

import datetime as dt
import io

import pypdf
from web.browser import Browser

from appliance import clock, health, runs, snapshots
from appliance.jobs.snapshots import do_asked
from appliance.models import AuditEntry, SnapshotRun
from appliance.snapshots import log, sheet
from appliance.web import create_app


def state(settings, code: str) -> str:
    return next(check.state for check in health.checks(settings) if check.code == code)


def test_the_drill_starts_a_site_and_counts(site) -> None:
    settings = site.open()
    SnapshotRun.update(started_at=clock.now()).execute()
    assert state(settings, "drill") == "ok"
    restored = snapshots.drill(settings, by="rustam")
    assert restored.counts == restored.expected
    run = log.latest("drill")
    assert (run.state, run.detail["counts"]["calls"]) == ("done", 3)
    assert not (settings.paths.backups / "drill").exists()
    SnapshotRun.update(started_at=clock.now() - dt.timedelta(days=36)).execute()
    assert state(settings, "drill") == "warn"


def test_what_the_page_asks_for_is_done_by_the_jobs(site) -> None:
    settings = site.open()
    app = create_app(settings)
    app.test_client_class = Browser
    try:
        browser = app.test_client()
        assert browser.sign_in("rustam", "parol-parol").status_code == 302
        assert browser.send("/backups/ask/verify", repository="disk").status_code == 302
        assert browser.send("/backups/ask/verify", repository="disk").status_code == 302
        assert browser.send("/backups/ask/create", repository="none").status_code == 404
        assert SnapshotRun.select().where(SnapshotRun.state == "asked").count() == 1
        assert do_asked(settings) == log.latest("create").snapshot
        assert do_asked(settings) == ""
        assert log.latest("verify").state == "done"
        page = browser.get("/backups").text
        assert log.latest("create").snapshot in page
        paper = browser.send("/backups/sheet.pdf", lang="uz_Latn")
        text = pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
        assert (site.folder / "repository.key").read_text().strip() in text
        assert AuditEntry.get(AuditEntry.action == "snapshot.sheet").who == "rustam"
    finally:
        app.extensions["live"].stop()


def test_a_snapshot_that_fails_is_told_and_warned_of(site) -> None:
    settings = site.open()
    key = site.folder / "repository.key"
    kept = key.read_text()
    key.write_text("wrong\n")
    log.ask("create", "", "oybek")
    try:
        do_asked(settings)
    except snapshots.SnapshotError as error:
        assert error.code == "key"  # noqa: PT017
    assert log.latest("create").trouble == "key"
    assert state(settings, "snapshot.disk") == "warn"  # the one before is young
    SnapshotRun.update(started_at=clock.now() - dt.timedelta(hours=27)).where(
        SnapshotRun.state == "done"
    ).execute()
    assert state(settings, "snapshot.disk") == "fail"
    key.write_text(kept)
    assert all(code in sheet.page(settings, "ru") for code in (kept.strip(), "AGE-SECRET-KEY-"))


def test_the_replica_is_watched(site) -> None:
    assert state(site.open(), "replica") == "fail"


def test_a_month_begins_at_its_first_day(settings) -> None:
    due = runs.monthly(dt.time(2, 30), settings.tz)
    first = dt.datetime(2026, 11, 1, 2, 30, tzinfo=settings.tz)
    assert due(dt.datetime(2026, 11, 26, 12, tzinfo=settings.tz)) == first
    assert due(dt.datetime(2026, 12, 1, 2, 29, tzinfo=settings.tz)) == first
    assert due(first) == first
