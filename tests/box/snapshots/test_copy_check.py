"""The continuous copy is restored and compared each hour; the real Litestream is restarted."""

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

from appliance.box import health, runs, timetable
from appliance.box.snapshots import continuous, copy_check, copy_folders, replicator
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock, process_id
from appliance.models import AuditEntry, Call, CopyCheck
from tests.rig.waiting import wait_until

REPLICA = "replica/database"


def check_result(settings, code: str = "replica") -> tuple[str, str]:
    """The state and the text of a check."""
    [check] = (c for c in health.snapshots.check_snapshots(settings) if c.code == code)
    return check.state, check.seen.format(**check.values)


def litestream_pid(process: subprocess.Popen[bytes]) -> int:
    """The process id of a replicator's Litestream, which ends with the replicator from here on."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

    def first_litestream() -> int:
        for child in children.read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                # first, it is setpriv, which has yet to ask for a signal at the replicator's death
                if Path(f"/proc/{child}/comm").read_text() == "litestream\n":
                    return int(child)
        return 0

    return wait_until(first_litestream, 60)


@contextlib.contextmanager
def running_replicator(site, seconds: float | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`appliance replicate`, running during the block."""
    process = site.start("replicate")
    try:
        wait_until(lambda: (site.folder / "replica/alive").exists(), 120)
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGCONT):
            process.send_signal(number)
        assert process.wait(60) == 0


def copy_files(site) -> list[Path]:
    """The files of the copy, including the base."""
    return sorted((site.folder / REPLICA).rglob("*.ltx"))


def test_a_complete_copy_is_restored_and_compared(site) -> None:
    settings = site.open()
    with running_replicator(site):
        untried = ("ok", "changes are copied; no restore has been tested yet")
        wait_until(
            lambda: audit.record_entry("rustam", "login") or check_result(settings) == untried, 30
        )
        Call.create(id="hotline-7.0", direction="inbound", arrived_at=clock.now(), stage="ended")
        check = copy_check.check_copy(settings)
        assert (check.state, check.counts["calls"]) == ("done", 4)
        assert check.counts["audit"] == AuditEntry.select().count()
        state, words = check_result(settings)
        assert (state, "calls 4" in words) == ("ok", True)
    assert not (settings.paths.backups / "copy-check").exists()
    assert check_result(settings, "replica.restarts")[0] == "ok"


def test_a_damaged_copy_fails_and_is_replaced_by_a_new_base(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 5.0)
    settings = site.open()
    with running_replicator(site):
        copy_check.check_copy(settings)
        for file in copy_files(site):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(SnapshotError):
            copy_check.check_copy(settings)
        audit.record_entry("rustam", "login")
        wait_until(lambda: check_result(settings)[1].startswith("it cannot be restored"), 60)
        wait_until(lambda: check_result(settings, "replica.restarts")[0] == "warn", 60)
        with pytest.raises(SnapshotError):  # the restart did not repair it
            copy_check.check_copy(settings)
        wait_until(lambda: copy_folders.damaged_copy_times(site.folder / "replica"), 60)
        monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 60.0)
        assert copy_check.check_copy(settings).state == "done"
        assert check_result(settings)[0] == "ok"
    [damaged_copy] = (site.folder / "replica").glob("database-former-*-damaged")
    assert list(damaged_copy.rglob("*.ltx"))  # nothing is deleted
    assert AuditEntry.select().where(AuditEntry.action == "replica.restart").count() == 2


def test_a_copy_without_its_base_fails_and_is_repaired_by_a_restart(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 5.0)
    settings = site.open()
    with running_replicator(site):
        copy_check.check_copy(settings)
        for file in copy_files(site):  # all files that begin with the first change
            if int(file.name.split("-")[0], 16) == 1:
                file.unlink()
        with pytest.raises(SnapshotError):
            copy_check.check_copy(settings)
        assert CopyCheck.select().where(CopyCheck.state == "failed").count() == 1
        monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 60.0)
        assert copy_check.check_copy(settings).state == "done"


def test_a_copy_that_stopped_is_not_current(site, monkeypatch) -> None:
    monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 3.0)
    settings = site.open()
    with running_replicator(site):
        copy_check.check_copy(settings)
    with pytest.raises(SnapshotError, match="lacks what was done since"):
        copy_check.check_copy(settings)
    assert check_result(settings)[0] == "fail"


def test_a_killed_litestream_is_restarted(site) -> None:
    settings = site.open()
    with running_replicator(site) as process:
        first = litestream_pid(process)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: litestream_pid(process) != first, 60)
        state, words = check_result(settings, "replica.restarts")
        assert (state, "1 in the last hour" in words) == ("warn", True)
        assert copy_check.check_copy(settings).state == "done"


@pytest.fixture
def watched(site, monkeypatch) -> Iterator[replicator.Replicator]:
    """A replicator whose Litestream may stall for at most three seconds."""
    settings = site.open()
    monkeypatch.setattr(replicator, "STALL_SECONDS", 3.0)
    folder = site.folder / "replica"
    folder.mkdir()
    config = settings.paths.backups / "litestream.yml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(continuous._litestream_config(settings, folder))
    command = [continuous.litestream_program(), "replicate", "-config", config]
    state = continuous.litestream_state_folder(settings.paths.database)
    replicator_started = replicator.Replicator(settings, command, folder / "database", state)
    replicator_started.start_process()
    yield replicator_started
    replicator_started.stop_process()


def test_a_stalled_litestream_is_restarted(site, watched) -> None:
    def newest_mtime() -> float:
        return max((file.stat().st_mtime for file in copy_files(site)), default=0.0)

    def write_and_list_restarts() -> list[replicator.Restart]:
        audit.record_entry("rustam", "login")
        assert watched.keep_running()
        return replicator.recorded_restarts(site.folder / "replica")

    wait_until(lambda: not write_and_list_restarts() and copy_files(site), 60, every=0.2)
    watched._process.send_signal(signal.SIGSTOP)
    [restart] = wait_until(write_and_list_restarts, 60, every=0.2)
    assert restart.reason == "stalled"
    mtime_before = newest_mtime()
    wait_until(lambda: write_and_list_restarts() and newest_mtime() > mtime_before, 60, every=0.2)
    assert copy_check.check_copy(site.settings).state == "done"


def test_an_idle_database_does_not_count_as_a_stall(site, watched) -> None:
    audit.record_entry("rustam", "login")
    wait_until(lambda: watched.keep_running() and copy_files(site), 60, every=0.2)
    started_at = time.monotonic()
    wait_until(lambda: watched.keep_running() and time.monotonic() - started_at > 8, 60, every=0.2)
    assert replicator.recorded_restarts(site.folder / "replica") == []


def test_the_jobs_process_requests_the_start_of_a_dead_replicator(site, monkeypatch) -> None:
    settings = site.open()
    request = settings.paths.backups / "replicate.request"
    with running_replicator(site):
        assert copy_check.keep_replicating(settings) == ""
    monkeypatch.setattr(copy_check, "MAX_REPLICATOR_SILENCE", dt.timedelta())
    assert copy_check.keep_replicating(settings) == "restart requested"
    assert (request.read_text(), copy_check.keep_replicating(settings)) == ("stands", "")
    with running_replicator(site):  # systemd starts it while the request file exists
        [restart] = wait_until(lambda: replicator.recorded_restarts(site.folder / "replica"), 60)
        assert (restart.reason, request.exists()) == ("stands", False)
    [row] = AuditEntry.select().where(AuditEntry.action == "replica.restart")
    assert (row.who, row.detail) == ("jobs", {"reason": "stands"})


def test_a_first_start_does_not_count_as_a_restart(site) -> None:
    settings = site.open()
    # the jobs process runs first
    assert copy_check.keep_replicating(settings) == "restart requested"
    with running_replicator(site):
        assert check_result(settings, "replica.restarts")[0] == "ok"


def test_a_killed_replicator_is_recorded_by_the_next_one(site) -> None:
    process = site.start("replicate")
    wait_until(lambda: (site.folder / "replica/runs").exists(), 120)
    child = litestream_pid(process)
    process.kill()
    process.wait()
    wait_until(lambda: not Path(f"/proc/{child}").exists(), 60)
    with running_replicator(site):
        assert [r.reason for r in replicator.recorded_restarts(site.folder / "replica")] == [
            "killed"
        ]


def test_the_systemd_watchdog_is_notified(site, tmp_path_factory, monkeypatch) -> None:
    address = tmp_path_factory.mktemp("notify") / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        with running_replicator(site):
            assert [systemd.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2


def test_many_restarts_are_a_fault_and_old_ones_do_not_count(site) -> None:
    settings = site.open()
    folder = site.folder / "replica"
    folder.mkdir()
    old = clock.now() - dt.timedelta(hours=2)
    (folder / "restarts").write_text(f'{{"at": "{old.isoformat()}", "reason": "ended"}}\n')
    assert check_result(settings, "replica.restarts")[0] == "ok"
    for _ in range(health.snapshots.RESTARTS_LIMIT):
        replicator.record_restart(folder, "stalled")
    assert check_result(settings, "replica.restarts")[0] == "fail"


def test_an_outdated_check_is_a_fault(site) -> None:
    settings = site.open()
    with running_replicator(site):
        copy_check.check_copy(settings)
        CopyCheck.update(started_at=clock.now() - dt.timedelta(hours=4)).execute()
        wait_until(
            lambda: audit.record_entry("rustam", "login") or check_result(settings)[0] == "fail", 10
        )


def test_the_check_is_due_each_hour_and_sooner_after_a_failure(site) -> None:
    settings = site.open()
    [job] = (job for job in timetable.site_jobs(settings) if job.name == "replica")
    now = dt.datetime(2026, 12, 1, 10, 25, tzinfo=dt.UTC)
    assert job.slot(settings)(now) == runs.every_seconds(3600)(now)
    failed = runs.claim_run(
        "replica", runs.every_seconds(3600)(now), process_id.this_process_name()
    )
    runs.finish_run(failed, "failed", "SnapshotError: it cannot be restored")
    assert job.slot(settings)(now) == runs.every_seconds(600)(now)


def test_a_copy_that_restores_no_database_counts_as_damaged(
    settings, tmp_path, monkeypatch
) -> None:
    """It is a fault like any other: the check is recorded as failed and the copy repaired."""
    monkeypatch.setattr(copy_check, "ARRIVAL_TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(
        continuous, "restore_database", lambda _settings, file, _at: file.write_bytes(b"x" * 8192)
    )
    reference = copy_check._Reference(CopyCheck(started_at=clock.now()), {}, {}, None)
    with pytest.raises(SnapshotError, match="file is not a database"):
        copy_check._restore_until_current(settings, reference, tmp_path / "copy.db")


def test_an_interrupted_check_does_not_count_as_a_fault(settings) -> None:
    """For example after an update of the box: no fault is reported until the next check ends."""
    finished = CopyCheck.create(started_at=clock.now(), state="done", counts={"calls": 1})
    CopyCheck.create(started_at=clock.now())
    copy_check._begin_check()  # the next check, which is still running
    assert copy_check.latest_check() == finished
    [interrupted] = CopyCheck.select().where(CopyCheck.state == "failed")
    assert interrupted.said == "broken off"
