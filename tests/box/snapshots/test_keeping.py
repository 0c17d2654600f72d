"""The drill, the log, the page and the self-checks of the snapshots."""

import datetime as dt
import io
from pathlib import Path

import pypdf
import pytest

from appliance.box import health, runs, snapshots
from appliance.box.snapshots import log, sealing, sheet, toml
from appliance.core import clock
from appliance.jobs.snapshots import do_asked
from appliance.models import AuditEntry, SnapshotRun
from appliance.web import create_app
from backups import paper_keys
from tests.rig.browser import Browser


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
        key = (site.folder / "repository.key").read_text().strip()
        assert all(group in text for group in paper_keys.groups(key))
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
    assert on_sheet(settings, kept.strip())
    assert on_sheet(settings, recovery_of(site.folder / "recovery.key"))


def test_the_key_of_the_secrets_stays_on_paper_only(site, tmp_path: Path) -> None:
    settings = site.open()
    key = site.folder / "recovery.key"
    assert state(settings, "recovery_key") == "warn"
    with pytest.raises(snapshots.SnapshotError):  # it would be lost
        sealing.remove(settings, "rustam")
    assert key.exists()
    assert site.run("backup", "sheet", "--out", tmp_path / "sheet.pdf").returncode == 0
    paper = tmp_path / "paper.key"
    secret = recovery_of(key)
    groups = paper_keys.groups(secret)
    paper.write_text(" ".join(groups))
    assert on_sheet(settings, secret)
    assert site.run("backup", "remove-key").returncode == 0
    assert not key.exists()
    assert state(settings, "recovery_key") == "ok"
    assert sealing.make_keys(settings) == []  # no other one, which no sheet has
    assert not on_sheet(settings, secret)
    told = [e.action for e in AuditEntry.select() if e.action.startswith("snapshot.")]
    assert told[-2:] == ["snapshot.sheet", "snapshot.key_removed"]
    snapshots.create(settings, by="rustam")
    target = site.folder / "copy"
    snapshots.restore(settings, snapshots.Wish(target=target, recovery_key=paper))
    assert toml.read(target / "appliance.toml")["web"]["secret_key"] == "secret of the tests"
    paper.write_text(" ".join([groups[1], *groups[1:]]))
    with pytest.raises(snapshots.SnapshotError, match="group 1 is not as on the sheet"):
        snapshots.restore(settings, snapshots.Wish(target=site.folder / "c", recovery_key=paper))


def on_sheet(settings, key: str) -> bool:
    """Whether a key is on the sheet, in the groups that people type."""
    page = sheet.page(settings, "ru")
    return all(f"<code>{group}</code>" in page for group in paper_keys.groups(key))


def recovery_of(file: Path) -> str:
    """The key of the secrets in its file."""
    return next(line for line in file.read_text().splitlines() if line.startswith("AGE-"))


def test_the_page_removes_it_once_it_was_printed(site) -> None:
    settings = site.open()
    app = create_app(settings)
    app.test_client_class = Browser
    try:
        browser = app.test_client()
        assert browser.sign_in("oybek", "parol-parol").status_code == 302
        assert 'role="alert"' in browser.refused(browser.send("/backups/remove-key"))
        assert sealing.is_here(settings)
        browser.send("/backups/sheet.pdf", lang="ru")
        assert browser.send("/backups/remove-key").status_code == 302
        assert not sealing.is_here(settings)
        assert browser.send("/backups/remove-key").status_code == 302
    finally:
        app.extensions["live"].stop()


def test_the_replica_is_watched(site) -> None:
    assert state(site.open(), "replica") == "fail"


def test_a_month_begins_at_its_first_day(settings) -> None:
    due = runs.monthly(dt.time(2, 30), settings.tz)
    first = dt.datetime(2026, 11, 1, 2, 30, tzinfo=settings.tz)
    assert due(dt.datetime(2026, 11, 26, 12, tzinfo=settings.tz)) == first
    assert due(dt.datetime(2026, 12, 1, 2, 29, tzinfo=settings.tz)) == first
    assert due(first) == first


def test_people_read_of_the_system_not_of_a_site() -> None:
    words = (sheet.ROOM / "sheet.toml").read_text("utf-8").casefold()
    assert not any(word in words for word in ("сайт", "sayt"))
