"""Whether a snapshot can be relied on: all of it read, or a site started from it."""

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
from appliance.box.snapshots import contents, inventory, log, numbers, reading, toml
from appliance.box.snapshots.contents import Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.requests import LAYOUT, NOW, Restored, Wish
from appliance.box.snapshots.restoring import restore
from appliance.core import audit, clock
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, Call

LOSS = dt.timedelta(minutes=5)  # what the continuous copy may lack
_STARTS = 120.0  # seconds that the pages may take to answer


def verify(
    settings: Settings,
    id: str = "latest",
    name: str | None = None,
    by: str = "",
    tell: Tell = nothing,
) -> Snapshot:
    """Read every byte of a snapshot and compare it with its manifest. Raises SnapshotError."""
    with contents.alone(settings):
        restic = reading.repository(settings, name)
        run = log.begin("verify", restic.backup.name, by, "" if id == "latest" else id)
        try:
            if id == "latest":
                runs = (settings.paths.database,)
                snapshot = inventory.newest_snapshot(restic, runs, None, accept_loss=False)
            else:
                snapshot = reading.find(restic, id)
            reading.check(restic)
            made = reading.read_all(restic, snapshot, tell)
            reading.settings_in(restic, snapshot)
        except SnapshotError as error:
            log.failed(run, error)
            raise
        log.done(
            run,
            snapshot=snapshot.id,
            bytes_total=made.bytes + made.database_bytes,
            detail={"counts": made.counts, "files": made.files},
        )
    return snapshot


def drill(
    settings: Settings, name: str | None = None, by: str = "", tell: Tell = nothing
) -> Restored:
    """Restore the newest snapshot into a scratch folder, start the pages on it, count, compare.

    Of the recordings only so many come back as `snapshots.drill_recordings` says. The scratch
    folder is removed. Raises SnapshotError when anything is not as the manifest says.
    """
    repository = reading.repository(settings, name).backup.name
    run = log.begin("drill", repository, by)
    scratch = settings.paths.backups / "drill"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        wish = Wish(
            repository=repository, target=scratch, recordings=settings.snapshots.drill_recordings
        )
        restored = restore(settings, wish, tell)
        tell("starting the pages", None)
        _serve(scratch)
    except SnapshotError as error:
        log.failed(run, error)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    told = dataclasses.asdict(restored)
    detail = {key: told[key] for key in ("counts", "expected", "files", "seconds")}
    log.done(run, snapshot=restored.snapshot, detail=detail)
    return restored


def drill_copy(settings: Settings, by: str = "", tell: Tell = nothing) -> Restored:
    """Restore the database from the continuous copy into a scratch folder, as it is now, compare
    it with the running one, and start the pages on it.

    Raises SnapshotError when it cannot be restored, has another history, or lacks what is older
    than LOSS.
    """
    run = log.begin(log.COPY, "", by)
    scratch = settings.paths.backups / "drill"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        since = clock.now() - LOSS
        expected = {
            "calls": Call.select().where(Call.arrived_at < since).count(),
            "appeals": Appeal.select().where(Appeal.registered_at < since).count(),
        }
        wish = Wish(target=scratch, at=NOW, database_only=True, copy_only=True)
        restored = restore(settings, wish, tell)
        restored.expected = expected
        if any(restored.counts[name] < count for name, count in expected.items()):
            raise SnapshotError("damaged", f"it holds {restored.counts}, the site {expected}")
        _compare_history(scratch / LAYOUT["database"], since)
        tell("starting the pages", None)
        _serve(scratch)
    except SnapshotError as error:
        if error.code == "unknown":  # it is there, and gives nothing
            error = SnapshotError("damaged", str(error))
        log.failed(run, error)
        raise error from error.__cause__
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    detail = {"counts": restored.counts, "expected": expected, "seconds": restored.seconds}
    log.done(run, detail=detail)
    return restored


def _compare_history(copy: Path, since: dt.datetime) -> None:
    """Raise SnapshotError when a copy of the running database has another history, or lacks what
    was done in it before a moment."""
    end = numbers.mark(copy)
    if end and not audit.holds(audit.Head(end.id, end.hash)):
        raise SnapshotError("damaged", "it is the copy of another database")
    lacks = AuditEntry.select().where(AuditEntry.id > (end.id if end else 0))
    first = lacks.order_by(AuditEntry.id).first()
    if first and first.at < since:
        raise SnapshotError("damaged", f"it lacks what was done since {first.at:%d.%m.%Y %H:%M}")


def _serve(site: Path) -> None:
    """Start the pages on a restored site, ask whether they serve and can write, and stop them."""
    config, port = site / contents.SETTINGS, _free_port()
    made = toml.read(config)
    made["web"] |= {"bind": f"127.0.0.1:{port}", "secret_key": os.urandom(24).hex()}
    toml.write(config, made)
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
            limit = time.monotonic() + _STARTS
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            while not processes.serves(line):
                if process.poll() is not None or time.monotonic() > limit:
                    output.seek(0)
                    said = output.read().strip().splitlines() or ["no answer"]
                    raise SnapshotError("failed", f"the pages do not start on it: {said[-1]}")
                time.sleep(0.2)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def standing(settings: Settings) -> list[dict[str, Any]]:
    """Each repository with the last snapshot made, the last verified and the last that failed."""
    now = clock.now()
    found = []
    for backup in settings.backups:
        good = log.latest("create", backup.name, "done")
        last = log.latest("create", backup.name)
        found.append(
            {
                "backup": backup,
                "good": good,
                "failed": last if last and last.state == "failed" else None,
                "age": now - good.started_at if good else None,
                "verified": log.latest("verify", backup.name),
            }
        )
    return found
