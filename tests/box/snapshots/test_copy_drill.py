"""The continuous copy is tried out by a restore, and what is wrong with it is told."""

import contextlib
import datetime as dt
import shutil
import signal
from pathlib import Path

import pytest

from appliance.box import health, snapshots
from appliance.box.snapshots import SnapshotError, continuous, log, verifying
from appliance.core import audit, clock, sqlite
from appliance.jobs import snapshots as jobs
from appliance.models import AuditEntry, Call
from appliance.web import create_app
from tests.rig.browser import Browser
from tests.rig.forging import forging
from tests.rig.waiting import until


def state(settings) -> tuple[str, str]:
    [found] = (c for c in health.snapshots.snapshots(settings) if c.code == "drill.copy")
    return found.state, found.seen.format(**found.values)


def newest_entry(file: Path) -> int:
    with contextlib.closing(sqlite.connect(file)) as connection:
        return connection.execute("SELECT max(id) FROM audit_entry").fetchone()[0]


@pytest.fixture
def copied(site):
    """The settings of a site whose database, with a call and an entry more, has been copied."""
    settings = site.open()
    process = site.start("replicate")
    out = site.folder / "look.db"

    def has_come() -> bool:
        out.unlink(missing_ok=True)
        try:
            continuous.restore_database(settings, out, None)
        except SnapshotError:
            return False
        return newest_entry(out) == audit.head().id

    try:
        until(lambda: (site.folder / "replica/alive").exists(), 120)
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        Call.update(arrived_at=clock.now() - dt.timedelta(hours=1)).execute()
        audit.record("rustam", "login")
        until(has_come, 120, every=1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    return settings


def test_a_copy_that_is_whole_passes_and_a_damaged_one_is_told(site, copied) -> None:
    assert state(copied)[0] == "ok"  # none yet, and the snapshots are young
    restored = snapshots.drill_copy(copied, by="rustam")
    assert (restored.database_from, restored.snapshot) == ("replica", "")
    assert (restored.counts["calls"], restored.expected["calls"]) == (4, 4)
    assert not (copied.paths.backups / "drill").exists()
    run = log.latest(log.COPY)
    assert (run.state, run.by, run.detail["counts"]["calls"]) == ("done", "rustam", 4)
    assert state(copied)[0] == "ok"
    for file in (site.folder / "replica/database").rglob("*.ltx"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SnapshotError) as error:
        snapshots.drill_copy(copied)
    assert error.value.code == "damaged"
    assert state(copied)[0] == "fail"
    app = create_app(copied)
    app.test_client_class = Browser
    try:
        browser = app.test_client()
        browser.sign_in("rustam", "parol-parol")
        assert log.latest(log.COPY).said.split(":")[0] in browser.get("/backups").text
    finally:
        app.extensions["live"].stop()


def test_what_the_copy_lacks_is_told(site, copied) -> None:
    Call.create(
        id="hotline-8.0",
        direction="inbound",
        arrived_at=clock.now() - dt.timedelta(minutes=6),
        stage="ended",
    )
    with pytest.raises(SnapshotError, match="it holds .* the site"):
        snapshots.drill_copy(copied)
    assert state(copied)[0] == "fail"


def test_the_copy_of_another_history_is_told(site, copied) -> None:
    look, now = site.folder / "look.db", clock.now()
    verifying._compare_history(look, now)
    audit.record("rustam", "login")  # younger than what may be lost
    verifying._compare_history(look, now - verifying.LOSS)
    with pytest.raises(SnapshotError, match="it lacks what was done since"):
        verifying._compare_history(look, now + dt.timedelta(minutes=1))
    with forging():
        AuditEntry.delete().where(AuditEntry.id >= newest_entry(look)).execute()
    audit.record("oybek", "login")
    with pytest.raises(SnapshotError, match="copy of another database"):
        verifying._compare_history(look, now)


def test_the_job_tries_out_both_also_when_the_first_fails(site) -> None:
    settings = site.open()
    shutil.rmtree(site.folder / "repository")
    with pytest.raises(SnapshotError):
        jobs.drill(settings)
    assert log.latest("drill").state == "failed"
    assert (log.latest(log.COPY).state, log.latest(log.COPY).trouble) == ("failed", "absent")
    assert state(settings)[0] == "fail"
