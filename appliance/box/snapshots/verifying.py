"""Verifies a snapshot by reading all of it, or by starting a site from it."""

import dataclasses
import datetime as dt
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from appliance.box import processes
from appliance.box.snapshots import contents, inventory, log, numbers, reading, settings_files
from appliance.box.snapshots.contents import ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.requests import (
    NEWEST_TIME,
    RESTORE_LAYOUT,
    RestoreRequest,
    RestoreResult,
)
from appliance.box.snapshots.restoring import restore_site
from appliance.core import audit, clock
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, Call

MAX_COPY_LOSS = dt.timedelta(minutes=5)  # what the continuous copy may lack
_WEB_START_SECONDS = 120.0  # within which the pages must answer


def verify_snapshot(
    settings: Settings,
    id: str = "latest",
    name: str | None = None,
    by: str = "",
    report_progress: ProgressReport = ignore_progress,
) -> Snapshot:
    """Read every byte of a snapshot and compare it with its manifest.

    Raises SnapshotError if they differ, or the repository is damaged.
    """
    with contents.snapshot_lock(settings):
        restic = reading.open_repository(settings, name)
        run = log.start_snapshot_run("verify", restic.backup.name, by, "" if id == "latest" else id)
        try:
            if id == "latest":
                log_databases = (settings.paths.database,)
                snapshot = inventory.newest_snapshot(restic, log_databases, None, accept_loss=False)
            else:
                snapshot = reading.find_snapshot(restic, id)
            reading.check_repository(restic)
            manifest = reading.verify_all_data(restic, snapshot, report_progress)
            reading.read_settings(restic, snapshot)
        except SnapshotError as error:
            log.fail_snapshot_run(run, error)
            raise
        log.finish_snapshot_run(
            run,
            snapshot=snapshot.id,
            bytes_total=manifest.bytes + manifest.database_bytes,
            detail={"counts": manifest.counts, "files": manifest.files},
        )
    return snapshot


def run_restore_drill(
    settings: Settings,
    name: str | None = None,
    by: str = "",
    report_progress: ProgressReport = ignore_progress,
) -> RestoreResult:
    """Restore the newest snapshot into a scratch folder, compare it, and start the pages on it.

    Only `snapshots.drill_recordings` of the recordings are restored. The scratch folder is removed.
    Raises SnapshotError if anything differs from the manifest.
    """
    repository = reading.open_repository(settings, name).backup.name
    run = log.start_snapshot_run("drill", repository, by)
    scratch = settings.paths.backups / "drill"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        request = RestoreRequest(
            repository=repository, target=scratch, recordings=settings.snapshots.drill_recordings
        )
        restored = restore_site(settings, request, report_progress)
        report_progress("starting the pages", None)
        _try_web_process(scratch)
    except SnapshotError as error:
        log.fail_snapshot_run(run, error)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    values = dataclasses.asdict(restored)
    detail = {key: values[key] for key in ("counts", "expected", "files", "seconds")}
    log.finish_snapshot_run(run, snapshot=restored.snapshot, detail=detail)
    return restored


def run_copy_drill(
    settings: Settings, by: str = "", report_progress: ProgressReport = ignore_progress
) -> RestoreResult:
    """Restore the continuous copy, compare it with the site, and start the pages on it.

    The database is restored as of now into a scratch folder. Raises SnapshotError if it cannot be
    restored, has another history, or lacks something older than MAX_COPY_LOSS.
    """
    run = log.start_snapshot_run(log.COPY_DRILL_KIND, "", by)
    scratch = settings.paths.backups / "drill"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        since = clock.now() - MAX_COPY_LOSS
        expected = {
            "calls": Call.select().where(Call.arrived_at < since).count(),
            "appeals": Appeal.select().where(Appeal.registered_at < since).count(),
        }
        request = RestoreRequest(target=scratch, at=NEWEST_TIME, database_only=True, copy_only=True)
        restored = restore_site(settings, request, report_progress)
        restored.expected = expected
        if any(restored.counts[name] < count for name, count in expected.items()):
            raise SnapshotError("damaged", f"it holds {restored.counts}, the site {expected}")
        _compare_history(scratch / RESTORE_LAYOUT["database"], since)
        report_progress("starting the pages", None)
        _try_web_process(scratch)
    except SnapshotError as error:
        if error.code == "unknown":  # the copy exists but gives nothing
            error = SnapshotError("damaged", str(error))
        log.fail_snapshot_run(run, error)
        raise error from error.__cause__
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    detail = {"counts": restored.counts, "expected": expected, "seconds": restored.seconds}
    log.finish_snapshot_run(run, detail=detail)
    return restored


def _compare_history(copy: Path, since: dt.datetime) -> None:
    """Raise SnapshotError if a copy has another history, or lacks entries from before `since`."""
    copy_end = numbers.history_end(copy)
    if copy_end and not audit.is_in_chain(audit.Head(copy_end.id, copy_end.hash)):
        raise SnapshotError("damaged", "it is the copy of another database")
    missing_entries = AuditEntry.select().where(AuditEntry.id > (copy_end.id if copy_end else 0))
    first_missing = missing_entries.order_by(AuditEntry.id).first()
    if first_missing and first_missing.at < since:
        raise SnapshotError(
            "damaged", f"it lacks what was done since {first_missing.at:%d.%m.%Y %H:%M}"
        )


def _try_web_process(site: Path) -> None:
    """Start the pages on a restored site, check that they serve and can write, and stop them."""
    config, port = site / contents.SETTINGS_FILE, _find_free_port()
    settings = settings_files.read_toml(config)
    settings["web"] |= {"bind": f"127.0.0.1:{port}", "secret_key": os.urandom(24).hex()}
    settings_files.write_toml(config, settings)
    program = Path(sys.executable).with_name("appliance")
    with (site / "web.log").open("w+") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", program, "--config", config, "web"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _WEB_START_SECONDS
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            while not processes.is_serving(connection):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    output_lines = output.read().strip().splitlines() or ["no answer"]
                    raise SnapshotError(
                        "failed", f"the pages do not start on it: {output_lines[-1]}"
                    )
                time.sleep(0.2)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _find_free_port() -> int:
    """Return a TCP port that is free on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def repository_standings(settings: Settings) -> list[dict[str, Any]]:
    """Return each repository with its last good snapshot, last verification and last failure."""
    now = clock.now()
    standings = []
    for backup in settings.backups:
        last_good = log.latest_snapshot_run("create", backup.name, "done")
        last_run = log.latest_snapshot_run("create", backup.name)
        standings.append(
            {
                "backup": backup,
                "good": last_good,
                "failed": last_run if last_run and last_run.state == "failed" else None,
                "age": now - last_good.started_at if last_good else None,
                "verified": log.latest_snapshot_run("verify", backup.name),
            }
        )
    return standings
