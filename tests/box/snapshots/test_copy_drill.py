"""The continuous copy is tested by a restore, and each fault of it is reported."""

import contextlib
import datetime as dt
import shutil
import signal
from pathlib import Path

import pytest

from appliance.box import health
from appliance.box.snapshots import continuous, log, verifying
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, sqlite
from appliance.jobs import snapshots as jobs
from appliance.models import AuditEntry, Call
from appliance.web import create_app
from tests.rig.browser import Browser
from tests.rig.forging import without_triggers
from tests.rig.waiting import wait_until


def drill_state(settings) -> tuple[str, str]:
    [drill_check] = (
        c for c in health.snapshots.check_snapshots(settings) if c.code == "drill.copy"
    )
    return drill_check.state, drill_check.seen.format(**drill_check.values)


def newest_entry_id(file: Path) -> int:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return connection.execute("SELECT max(id) FROM audit_entry").fetchone()[0]


@pytest.fixture
def copied(site):
    """The settings of a site whose database, with a new call and audit entry, is copied."""
    settings = site.open()
    process = site.start("replicate")
    restored_file = site.folder / "look.db"

    def is_copied() -> bool:
        restored_file.unlink(missing_ok=True)
        try:
            continuous.restore_database(settings, restored_file, None)
        except SnapshotError:
            return False
        return newest_entry_id(restored_file) == audit.chain_head().id

    try:
        wait_until(lambda: (site.folder / "replica/alive").exists(), 120)
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        Call.update(arrived_at=clock.now() - dt.timedelta(hours=1)).execute()
        audit.record_entry("rustam", "login")
        wait_until(is_copied, 120, every=1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    return settings


def test_a_complete_copy_passes_and_a_damaged_one_is_reported(site, copied) -> None:
    assert drill_state(copied)[0] == "ok"  # no drill was made yet, but the snapshots are recent
    restored = verifying.run_copy_drill(copied, by="rustam")
    assert (restored.database_from, restored.snapshot) == ("replica", "")
    assert (restored.counts["calls"], restored.expected["calls"]) == (4, 4)
    assert not (copied.paths.backups / "drill").exists()
    run = log.latest_snapshot_run(log.COPY_DRILL_KIND)
    assert (run.state, run.by, run.detail["counts"]["calls"]) == ("done", "rustam", 4)
    assert drill_state(copied)[0] == "ok"
    for file in (site.folder / "replica/database").rglob("*.ltx"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SnapshotError) as error:
        verifying.run_copy_drill(copied)
    assert error.value.code == "damaged"
    assert drill_state(copied)[0] == "fail"
    app = create_app(copied)
    app.test_client_class = Browser
    try:
        browser = app.test_client()
        browser.sign_in("rustam", "parol-parol")
        assert (
            log.latest_snapshot_run(log.COPY_DRILL_KIND).said.split(":")[0]
            in browser.get("/backups").text
        )
    finally:
        app.extensions["live"].stop()


def test_a_call_missing_from_the_copy_is_reported(site, copied) -> None:
    Call.create(
        id="hotline-8.0",
        direction="inbound",
        arrived_at=clock.now() - dt.timedelta(minutes=6),
        stage="ended",
    )
    with pytest.raises(SnapshotError, match="it holds .* the site"):
        verifying.run_copy_drill(copied)
    assert drill_state(copied)[0] == "fail"


def test_a_copy_of_another_history_is_reported(site, copied) -> None:
    look, now = site.folder / "look.db", clock.now()
    verifying._compare_history(look, now)
    audit.record_entry("rustam", "login")  # more recent than the permitted loss
    verifying._compare_history(look, now - verifying.MAX_COPY_LOSS)
    with pytest.raises(SnapshotError, match="it lacks what was done since"):
        verifying._compare_history(look, now + dt.timedelta(minutes=1))
    with without_triggers():
        AuditEntry.delete().where(AuditEntry.id >= newest_entry_id(look)).execute()
    audit.record_entry("oybek", "login")
    with pytest.raises(SnapshotError, match="copy of another database"):
        verifying._compare_history(look, now)


def test_the_job_drills_both_even_if_the_first_fails(site) -> None:
    settings = site.open()
    shutil.rmtree(site.folder / "repository")
    with pytest.raises(SnapshotError):
        jobs.run_restore_drill(settings)
    assert log.latest_snapshot_run("drill").state == "failed"
    assert (
        log.latest_snapshot_run(log.COPY_DRILL_KIND).state,
        log.latest_snapshot_run(log.COPY_DRILL_KIND).trouble,
    ) == ("failed", "absent")
    assert drill_state(settings)[0] == "fail"
