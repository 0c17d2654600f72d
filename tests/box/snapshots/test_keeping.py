"""The drill, the log, the page and the self-checks of the snapshots."""

import datetime as dt
import io
from pathlib import Path

import pypdf
import pytest

from appliance.box import health, runs
from appliance.box.snapshots import (
    creating,
    errors,
    log,
    recovery_sheet,
    requests,
    restoring,
    sealing,
    settings_files,
    verifying,
)
from appliance.core import clock
from appliance.jobs.snapshots import run_requested
from appliance.models import AuditEntry, SnapshotRun
from appliance.web import create_app
from backups import paper_keys
from tests.rig.browser import Browser


def check_state(settings, code: str) -> str:
    return next(check.state for check in health.all_checks(settings) if check.code == code)


def test_the_drill_starts_a_site_and_counts_its_records(site) -> None:
    settings = site.open()
    SnapshotRun.update(started_at=clock.now()).execute()
    assert check_state(settings, "drill") == "ok"
    restored = verifying.run_restore_drill(settings, by="rustam")
    assert restored.counts == restored.expected
    run = log.latest_snapshot_run("drill")
    assert (run.state, run.detail["counts"]["calls"]) == ("done", 3)
    assert not (settings.paths.backups / "drill").exists()
    SnapshotRun.update(started_at=clock.now() - dt.timedelta(days=36)).execute()
    assert check_state(settings, "drill") == "warn"


def test_the_jobs_process_performs_requests_of_the_page(site) -> None:
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
        assert run_requested(settings) == log.latest_snapshot_run("create").snapshot
        assert run_requested(settings) == ""
        assert log.latest_snapshot_run("verify").state == "done"
        page = browser.get("/backups").text
        assert log.latest_snapshot_run("create").snapshot in page
        paper = browser.send("/backups/sheet.pdf", lang="uz_Latn")
        text = pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
        key = (site.folder / "repository.key").read_text().strip()
        assert all(group in text for group in paper_keys.groups(key))
        assert AuditEntry.get(AuditEntry.action == "snapshot.sheet").who == "rustam"
    finally:
        app.extensions["live"].stop()


def test_a_failed_snapshot_is_recorded_and_reported(site) -> None:
    settings = site.open()
    key = site.folder / "repository.key"
    key_text = key.read_text()
    key.write_text("wrong\n")
    log.request_run("create", "", "oybek")
    try:
        run_requested(settings)
    except errors.SnapshotError as error:
        assert error.code == "key"  # noqa: PT017
    assert log.latest_snapshot_run("create").trouble == "key"
    assert check_state(settings, "snapshot.disk") == "warn"  # the snapshot before is recent
    SnapshotRun.update(started_at=clock.now() - dt.timedelta(hours=27)).where(
        SnapshotRun.state == "done"
    ).execute()
    assert check_state(settings, "snapshot.disk") == "fail"
    key.write_text(key_text)
    assert is_on_sheet(settings, key_text.strip())
    assert is_on_sheet(settings, read_recovery_key(site.folder / "recovery.key"))


def test_the_recovery_key_is_kept_only_on_paper(site, tmp_path: Path) -> None:
    settings = site.open()
    key = site.folder / "recovery.key"
    assert check_state(settings, "recovery_key") == "warn"
    with pytest.raises(errors.SnapshotError):  # it would be lost
        sealing.remove_paper_keys(settings, "rustam")
    assert key.exists()
    assert site.run("backup", "sheet", "--out", tmp_path / "sheet.pdf").returncode == 0
    paper = tmp_path / "paper.key"
    secret = read_recovery_key(key)
    groups = paper_keys.groups(secret)
    paper.write_text(" ".join(groups))
    assert is_on_sheet(settings, secret)
    assert site.run("backup", "remove-key").returncode == 0
    assert not key.exists()
    assert check_state(settings, "recovery_key") == "ok"
    # no other key is made, which no sheet would contain
    assert sealing.create_missing_keys(settings) == []
    assert not is_on_sheet(settings, secret)
    actions = [e.action for e in AuditEntry.select() if e.action.startswith("snapshot.")]
    assert actions[-2:] == ["snapshot.sheet", "snapshot.key_removed"]
    creating.create_snapshots(settings, by="rustam")
    target = site.folder / "copy"
    restoring.restore_site(settings, requests.RestoreRequest(target=target, recovery_key=paper))
    assert (
        settings_files.read_toml(target / "appliance.toml")["web"]["secret_key"]
        == "secret of the tests"
    )
    paper.write_text(" ".join([groups[1], *groups[1:]]))
    with pytest.raises(errors.SnapshotError, match="group 1 is not as on the sheet"):
        restoring.restore_site(
            settings, requests.RestoreRequest(target=site.folder / "c", recovery_key=paper)
        )


def is_on_sheet(settings, key: str) -> bool:
    """True if the key is on the sheet, in the groups that people type."""
    page = recovery_sheet.render_sheet(settings, "ru")
    return all(f"<code>{group}</code>" in page for group in paper_keys.groups(key))


def read_recovery_key(file: Path) -> str:
    """The recovery key in its file."""
    return next(line for line in file.read_text().splitlines() if line.startswith("AGE-"))


def test_the_page_removes_the_key_once_the_sheet_was_printed(site) -> None:
    settings = site.open()
    app = create_app(settings)
    app.test_client_class = Browser
    try:
        browser = app.test_client()
        assert browser.sign_in("oybek", "parol-parol").status_code == 302
        assert 'role="alert"' in browser.refused_page(browser.send("/backups/remove-key"))
        assert sealing.has_recovery_key(settings)
        browser.send("/backups/sheet.pdf", lang="ru")
        assert browser.send("/backups/remove-key").status_code == 302
        assert not sealing.has_recovery_key(settings)
        assert browser.send("/backups/remove-key").status_code == 302
    finally:
        app.extensions["live"].stop()


def test_the_replica_is_checked(site) -> None:
    assert check_state(site.open(), "replica") == "fail"


def test_a_monthly_run_is_due_on_the_first_day(settings) -> None:
    due = runs.monthly_at(dt.time(2, 30), settings.tz)
    first = dt.datetime(2026, 11, 1, 2, 30, tzinfo=settings.tz)
    assert due(dt.datetime(2026, 11, 26, 12, tzinfo=settings.tz)) == first
    assert due(dt.datetime(2026, 12, 1, 2, 29, tzinfo=settings.tz)) == first
    assert due(first) == first


def test_the_sheet_speaks_of_the_system_and_not_of_a_site() -> None:
    sheet_text = (
        (recovery_sheet.BACKUPS_PACKAGE_FOLDER / "sheet.toml").read_text("utf-8").casefold()
    )
    assert not any(word in sheet_text for word in ("сайт", "sayt"))
