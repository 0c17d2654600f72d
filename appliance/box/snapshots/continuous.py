"""Continuous copies between snapshots: the database by Litestream, the event log byte by byte.

Changes are copied as they happen to the replica, a folder on a second disk. The process is
`appliance replicate`.
"""

import contextlib
import datetime as dt
import hashlib
import logging
import os
import shutil
import string
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from appliance.box import processes
from appliance.box.snapshots import contents
from appliance.box.snapshots.copy_folders import CURRENT_FOLDER
from appliance.box.snapshots.creating import BACKUPS_PACKAGE_FOLDER
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.replicator import (
    ALIVE_FILE,
    Replicator,
    record_replication_end,
    record_replication_start,
)
from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

COPY_INTERVAL_SECONDS = 1.0  # between two rounds of copying the event log
_ALIVE_INTERVAL_ROUNDS = 20
_CHUNK_BYTES = 1 << 20


def replicate_changes(settings: Settings, stop: threading.Event) -> None:
    """Copy until `stop` is set; a Litestream that ends or stalls is restarted.

    Raises SnapshotError if it cannot continue.
    """
    folder = replica_folder(settings)
    if (folder / CURRENT_FOLDER).exists() and not litestream_state_folder(
        settings.paths.database
    ).exists():
        raise SnapshotError(
            "there",
            f"{folder} holds the copy of another database: restore it, or move it away",
        )
    (folder / "events").mkdir(parents=True, exist_ok=True)
    config = settings.paths.backups / "litestream.yml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(_litestream_config(settings, folder), "utf-8")
    command: list[str | Path] = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        litestream_program(),
        "replicate",
        "-config",
        config,
    ]
    replicator = Replicator(
        settings, command, folder / CURRENT_FOLDER, litestream_state_folder(settings.paths.database)
    )
    heartbeat = processes.open_heartbeat(settings, "replicate")
    record_replication_start(settings, folder)
    replicator.start_process()
    try:
        rounds = 0
        while not stop.wait(COPY_INTERVAL_SECONDS):
            heartbeat.write_if_due()
            is_running = replicator.keep_running()
            copied_bytes = copy_event_logs(settings, heartbeat.write_if_due)
            rounds += 1
            if is_running and (copied_bytes or rounds % _ALIVE_INTERVAL_ROUNDS == 1):
                (folder / ALIVE_FILE).write_text(clock.now().isoformat())
    except OSError as error:
        raise SnapshotError("failed", f"{folder}: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            record_replication_end(folder)
        replicator.stop_process()
        heartbeat.remove_file()


def replica_folder(settings: Settings) -> Path:
    """Return the replica, a folder on the second disk. Raises SnapshotError if it is not set."""
    if not settings.snapshots.replica:
        raise SnapshotError("setting", f"{settings.file} sets no snapshots.replica")
    return Path(settings.snapshots.replica)


def copy_event_logs(settings: Settings, tick: Callable[[], None] = lambda: None) -> int:
    """Append new data in Asterisk's event logs to their copies; returns the number of bytes.

    `tick` is called after each chunk, because a long log takes longer than the watchdog allows.
    """
    folder = replica_folder(settings) / "events"
    copied_bytes = 0
    for file in contents.event_logs(settings):
        with file.open("rb") as source:
            # A rotated log keeps its inode; the first line distinguishes it from a later file with
            # that inode.
            first_line_hash = hashlib.sha256(source.readline()).hexdigest()[:16]
            copy = folder / f"{os.fstat(source.fileno()).st_ino}-{first_line_hash}.csv"
            copied_size = copy.stat().st_size if copy.exists() else 0
            if copied_size >= os.fstat(source.fileno()).st_size:
                continue
            source.seek(copied_size)
            with copy.open("ab") as target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
                    copied_bytes += len(chunk)
                    tick()
                target.flush()
                os.fsync(target.fileno())
    return copied_bytes


def copied_event_logs(settings: Settings) -> list[Path]:
    """Return the copied event logs; empty if the site has no replica."""
    if not settings.snapshots.replica:
        return []
    return sorted((Path(settings.snapshots.replica) / "events").glob("*.csv"))


def restore_database(settings: Settings, target: Path, at: dt.datetime | None) -> None:
    """Restore the database as of `at`, or as last copied, into a file.

    Raises SnapshotError if there is no copy, or it does not contain that time.
    """
    folder = replica_folder(settings) / CURRENT_FOLDER
    if not folder.is_dir():
        raise SnapshotError("absent", f"there is no copy of the database in {folder}")
    timestamp = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
    command = [
        *(litestream_program(), "restore", "-o", str(target)),
        *(("-timestamp", timestamp) if at else ()),
        folder.resolve().as_uri(),
    ]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode or not target.exists():
        last_line = (
            completed.stderr.strip() or completed.stdout.strip() or "nothing"
        ).splitlines()[-1]
        raise SnapshotError(
            "unknown", f"the copy in {folder} does not give that moment: {last_line}"
        )


def last_change_at(settings: Settings) -> dt.datetime | None:
    """Return when the replica last received a change, if ever."""
    folder = replica_folder(settings)
    change_times = [file.stat().st_mtime for file in (folder / CURRENT_FOLDER).rglob("*.ltx")]
    if not change_times or not (folder / ALIVE_FILE).exists():
        return None
    alive_time = (folder / ALIVE_FILE).stat().st_mtime
    return dt.datetime.fromtimestamp(min(max(change_times), alive_time), dt.UTC)


def last_sign_at(settings: Settings) -> dt.datetime | None:
    """Return when `appliance replicate` last reported that it is alive, if ever."""
    try:
        return dt.datetime.fromtimestamp(
            (replica_folder(settings) / ALIVE_FILE).stat().st_mtime, dt.UTC
        )
    except FileNotFoundError:
        return None


def litestream_state_folder(database: Path) -> Path:
    """Return the folder of Litestream's own state for a database file; it is next to that file."""
    return database.with_name(f".{database.name}-litestream")


def litestream_program() -> str:
    """Return the path of litestream: next to this Python, where its package is, or on the PATH."""
    bundled = Path(sys.executable).with_name("litestream")
    path = str(bundled) if bundled.exists() else shutil.which("litestream")
    if not path:
        raise SnapshotError("setting", "litestream is not installed")
    return path


def _litestream_config(settings: Settings, folder: Path) -> str:
    template = string.Template((BACKUPS_PACKAGE_FOLDER / "litestream.yml").read_text("utf-8"))
    return template.substitute(
        DATABASE=settings.paths.database,
        FOLDER=folder / CURRENT_FOLDER,
        HOURS=24 * settings.snapshots.replica_days,
    )
