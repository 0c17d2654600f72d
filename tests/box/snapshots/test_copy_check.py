"""The continuous copy is restored each hour and compared; the real Litestream is restarted."""

import contextlib
import datetime as dt
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import health, runs, snapshots, timetable
from appliance.box.snapshots import SnapshotError, continuous, copy_check, replicator
from appliance.core import audit, clock, process_id
from appliance.models import AuditEntry, Call, CopyCheck
from tests.rig.waiting import until

REPLICA = "replica/database"


def seen(settings, code: str = "replica") -> tuple[str, str]:
    """A check's state and words."""
    [check] = (c for c in health.snapshots.snapshots(settings) if c.code == code)
    return check.state, check.seen.format(**check.values)


def litestream(process: subprocess.Popen[bytes]) -> int:
    """The process id of a replicator's Litestream."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def child() -> int:
        found = children.read_text().split()
        return int(found[0]) if found else 0

    return until(child, 60)


@contextlib.contextmanager
def replicating(site, seconds: float | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`appliance replicate` while the block runs."""
    process = site.start("replicate")
    try:
        until(lambda: (site.folder / "replica/alive").exists(), 120)
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGCONT):
            process.send_signal(number)
        assert process.wait(60) == 0


def files(site) -> list[Path]:
    """The copy's files, the base among them."""
    return sorted((site.folder / REPLICA).rglob("*.ltx"))


def test_a_whole_copy_is_restored_and_compared(site) -> None:
    settings = site.open()
    with replicating(site):
        untried = ("ok", "changes are copied; no restore was tried yet")
        until(lambda: audit.record("rustam", "login") or seen(settings) == untried, 30)
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        check = snapshots.check_copy(settings)
        assert (check.state, check.counts["calls"]) == ("done", 4)
        assert check.counts["audit"] == AuditEntry.select().count()
        state, words = seen(settings)
        assert (state, "calls 4" in words) == ("ok", True)
    assert not (settings.paths.backups / "copy-check").exists()
    assert seen(settings, "replica.restarts")[0] == "ok"


def test_a_copy_that_is_damaged_fails_and_gets_a_new_base(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 5.0)
    settings = site.open()
    with replicating(site):
        snapshots.check_copy(settings)
        for file in files(site):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(SnapshotError):
            snapshots.check_copy(settings)
        audit.record("rustam", "login")
        until(lambda: seen(settings)[1].startswith("it cannot be restored"), 60)
        until(lambda: seen(settings, "replica.restarts")[0] == "warn", 60)
        with pytest.raises(SnapshotError):  # the restart did not repair it
            snapshots.check_copy(settings)
        until(lambda: replicator.asides(site.folder / "replica"), 60)
        monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 60.0)
        assert snapshots.check_copy(settings).state == "done"
        assert seen(settings)[0] == "ok"
    [aside] = (site.folder / "replica").glob("database-former-*-damaged")
    assert list(aside.rglob("*.ltx"))  # nothing is deleted
    assert AuditEntry.select().where(AuditEntry.action == "replica.restart").count() == 2


def test_a_copy_without_its_base_fails_and_is_mended_by_a_restart(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 5.0)
    settings = site.open()
    with replicating(site):
        snapshots.check_copy(settings)
        for file in files(site):  # all that begins with the first change
            if int(file.name.split("-")[0], 16) == 1:
                file.unlink()
        with pytest.raises(SnapshotError):
            snapshots.check_copy(settings)
        assert CopyCheck.select().where(CopyCheck.state == "failed").count() == 1
        monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 60.0)
        assert snapshots.check_copy(settings).state == "done"


def test_a_copy_that_stops_is_no_copy_of_now(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 3.0)
    settings = site.open()
    with replicating(site):
        snapshots.check_copy(settings)
    with pytest.raises(SnapshotError, match="lacks what was done since"):
        snapshots.check_copy(settings)
    assert seen(settings)[0] == "fail"


def test_a_litestream_that_dies_is_restarted(site) -> None:
    settings = site.open()
    with replicating(site) as process:
        first = litestream(process)
        os.kill(first, signal.SIGKILL)
        until(lambda: litestream(process) != first, 60)
        state, words = seen(settings, "replica.restarts")
        assert (state, "1 in the last hour" in words) == ("warn", True)
        assert snapshots.check_copy(settings).state == "done"


@pytest.fixture
def watched(site, monkeypatch) -> Iterator[replicator.Replicator]:
    """A Litestream that may stall for three seconds."""
    settings = site.open()
    monkeypatch.setattr(replicator, "STALL_SECONDS", 3.0)
    folder = site.folder / "replica"
    folder.mkdir()
    config = settings.paths.backups / "litestream.yml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(continuous._config(settings, folder))
    command = [continuous.program(), "replicate", "-config", config]
    state = continuous.notes(settings.paths.database)
    watched = replicator.Replicator(settings, command, folder / "database", state)
    watched.start()
    yield watched
    watched.stop()


def test_a_litestream_that_stalls_is_restarted(site, watched) -> None:
    def newest() -> float:
        return max((file.stat().st_mtime for file in files(site)), default=0.0)

    def write_and_look() -> list[replicator.Restart]:
        audit.record("rustam", "login")
        assert watched.keep_running()
        return replicator.restarts(site.folder / "replica")

    until(lambda: not write_and_look() and files(site), 60, every=0.2)
    watched._process.send_signal(signal.SIGSTOP)
    [restart] = until(write_and_look, 60, every=0.2)
    assert restart.reason == "stalled"
    before = newest()
    until(lambda: write_and_look() and newest() > before, 60, every=0.2)
    assert snapshots.check_copy(site.settings).state == "done"


def test_an_idle_database_is_no_stall(site, watched) -> None:
    audit.record("rustam", "login")
    until(lambda: watched.keep_running() and files(site), 60, every=0.2)
    begun = time.monotonic()
    until(lambda: watched.keep_running() and time.monotonic() - begun > 8, 60, every=0.2)
    assert replicator.restarts(site.folder / "replica") == []


def test_the_jobs_request_the_start_of_a_dead_replicator(site, monkeypatch) -> None:
    settings = site.open()
    request = settings.paths.backups / "replicate.request"
    with replicating(site):
        assert snapshots.keep_replicating(settings) == ""
    monkeypatch.setattr(copy_check, "DEAD", dt.timedelta())
    assert snapshots.keep_replicating(settings) == "restart requested"
    assert (request.read_text(), snapshots.keep_replicating(settings)) == ("stands", "")
    with replicating(site):  # as systemd starts it while the request is there
        until(lambda: not request.exists(), 60)
        assert [r.reason for r in replicator.restarts(site.folder / "replica")] == ["stands"]
    [row] = AuditEntry.select().where(AuditEntry.action == "replica.restart")
    assert (row.who, row.detail) == ("jobs", {"reason": "stands"})


def test_a_first_start_is_no_restart(site) -> None:
    settings = site.open()
    assert snapshots.keep_replicating(settings) == "restart requested"  # the jobs are the first
    with replicating(site):
        assert seen(settings, "replica.restarts")[0] == "ok"


def test_one_that_was_killed_is_noted_by_the_next(site) -> None:
    process = site.start("replicate")
    until(lambda: (site.folder / "replica/runs").exists(), 120)
    child = litestream(process)
    process.kill()
    process.wait()
    until(lambda: not Path(f"/proc/{child}").exists(), 60)
    with replicating(site):
        assert [r.reason for r in replicator.restarts(site.folder / "replica")] == ["killed"]


def test_systemd_is_given_signs_of_life(site, tmp_path_factory, monkeypatch) -> None:
    address = tmp_path_factory.mktemp("notify") / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(address))
        line.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        with replicating(site):
            assert [line.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2


def test_many_restarts_fail_and_old_ones_do_not_count(site) -> None:
    settings = site.open()
    folder = site.folder / "replica"
    folder.mkdir()
    old = clock.now() - dt.timedelta(hours=2)
    (folder / "restarts").write_text(f'{{"at": "{old.isoformat()}", "reason": "ended"}}\n')
    assert seen(settings, "replica.restarts")[0] == "ok"
    for _ in range(health.snapshots.MANY):
        replicator.note_restart(folder, "stalled")
    assert seen(settings, "replica.restarts")[0] == "fail"


def test_a_check_that_is_old_fails(site) -> None:
    settings = site.open()
    with replicating(site):
        snapshots.check_copy(settings)
        CopyCheck.update(started_at=clock.now() - dt.timedelta(hours=4)).execute()
        until(lambda: audit.record("rustam", "login") or seen(settings)[0] == "fail", 10)


def test_it_is_due_each_hour_and_sooner_after_a_failure(site) -> None:
    settings = site.open()
    [job] = (job for job in timetable.of(settings) if job.name == "replica")
    now = dt.datetime(2026, 12, 1, 10, 25, tzinfo=dt.UTC)
    assert job.slot(settings)(now) == runs.every(3600)(now)
    failed = runs.begin("replica", runs.every(3600)(now), process_id.this_process())
    runs.end(failed, "failed", "SnapshotError: it cannot be restored")
    assert job.slot(settings)(now) == runs.every(600)(now)


def test_a_copy_that_gives_no_database_is_damaged(settings, tmp_path, monkeypatch) -> None:
    """It is a finding like each other one: the check is noted as failed and the copy mended."""
    monkeypatch.setattr(copy_check, "ARRIVES_SECONDS", 0.0)
    monkeypatch.setattr(
        continuous, "restore_database", lambda _settings, file, _at: file.write_bytes(b"x" * 8192)
    )
    reference = copy_check._Reference(CopyCheck(started_at=clock.now()), {}, {}, None)
    with pytest.raises(SnapshotError, match="file is not a database"):
        copy_check._restore(settings, reference, tmp_path / "copy.db")


def test_a_check_that_was_broken_off_says_nothing_of_the_copy(settings) -> None:
    """As by an update of the box: until the next check ends there is no fault to report."""
    done = CopyCheck.create(started_at=clock.now(), state="done", counts={"calls": 1})
    CopyCheck.create(started_at=clock.now())
    copy_check._begin()  # the next one, which goes on
    assert copy_check.latest() == done
    [broken] = CopyCheck.select().where(CopyCheck.state == "failed")
    assert broken.said == "broken off"
