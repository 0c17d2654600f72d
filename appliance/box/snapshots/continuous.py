"""Between snapshots: the database's changes by Litestream, the event log byte by byte.

Both go to a folder on a second disk as they happen. `appliance replicate` is the process.
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
from appliance.box.snapshots.creating import ROOM
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.replicator import ALIVE, Replicator, begin_run, end_run
from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks at the event log
_ALIVE_EVERY = 20
_PIECE = 1 << 20


def follow(settings: Settings, stop: threading.Event) -> None:
    """Copy until `stop`; a Litestream that ends or stalls is restarted.

    Raises SnapshotError when it cannot go on.
    """
    folder = replica(settings)
    if (folder / "database").exists() and not notes(settings.paths.database).exists():
        raise SnapshotError(
            "there",
            f"{folder} holds the copy of another database: restore it, or move it away",
        )
    (folder / "events").mkdir(parents=True, exist_ok=True)
    config = settings.paths.backups / "litestream.yml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(_config(settings, folder), "utf-8")
    command: list[str | Path] = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        program(),
        "replicate",
        "-config",
        config,
    ]
    replicator = Replicator(settings, command, folder / "database", notes(settings.paths.database))
    pulse = processes.sign_of(settings, "replicate")
    begin_run(settings, folder)
    replicator.start()
    try:
        looks = 0
        while not stop.wait(EVERY):
            pulse.give()
            runs = replicator.keep_running()
            copied = copy_events(settings, pulse.give)
            looks += 1
            if runs and (copied or looks % _ALIVE_EVERY == 1):
                (folder / ALIVE).write_text(clock.now().isoformat())
    except OSError as error:
        raise SnapshotError("failed", f"{folder}: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            end_run(folder)
        replicator.stop()
        pulse.end()


def replica(settings: Settings) -> Path:
    """The folder on the second disk. Raises SnapshotError when none is set."""
    if not settings.snapshots.replica:
        raise SnapshotError("setting", f"{settings.file} sets no snapshots.replica")
    return Path(settings.snapshots.replica)


def copy_events(settings: Settings, tick: Callable[[], None] = lambda: None) -> int:
    """Append what is new in Asterisk's event logs to their copies; returns how many bytes.

    `tick` is called after each piece: a long log takes longer than the watchdog allows.
    """
    folder = replica(settings) / "events"
    copied = 0
    for file in contents.event_logs(settings):
        with file.open("rb") as source:
            # A rotated log keeps its inode; the first line tells it from a later file there.
            first = hashlib.sha256(source.readline()).hexdigest()[:16]
            copy = folder / f"{os.fstat(source.fileno()).st_ino}-{first}.csv"
            have = copy.stat().st_size if copy.exists() else 0
            if have >= os.fstat(source.fileno()).st_size:
                continue
            source.seek(have)
            with copy.open("ab") as target:
                while piece := source.read(_PIECE):
                    target.write(piece)
                    copied += len(piece)
                    tick()
                target.flush()
                os.fsync(target.fileno())
    return copied


def events(settings: Settings) -> list[Path]:
    """The copied event logs; none without a replica."""
    if not settings.snapshots.replica:
        return []
    return sorted((Path(settings.snapshots.replica) / "events").glob("*.csv"))


def restore_database(settings: Settings, target: Path, at: dt.datetime | None) -> None:
    """The database as it was at a moment, or at the last one copied. Raises SnapshotError."""
    folder = replica(settings) / "database"
    if not folder.is_dir():
        raise SnapshotError("absent", f"there is no copy of the database in {folder}")
    moment = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
    command = [
        *(program(), "restore", "-o", str(target)),
        *(("-timestamp", moment) if at else ()),
        folder.resolve().as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise SnapshotError("unknown", f"the copy in {folder} does not give that moment: {said}")


def last_change(settings: Settings) -> dt.datetime | None:
    """When the replica last took something; None when it never did."""
    folder = replica(settings)
    moments = [file.stat().st_mtime for file in (folder / "database").rglob("*.ltx")]
    if not moments or not (folder / ALIVE).exists():
        return None
    alive = (folder / ALIVE).stat().st_mtime
    return dt.datetime.fromtimestamp(min(max(moments), alive), dt.UTC)


def last_sign(settings: Settings) -> dt.datetime | None:
    """When `appliance replicate` last gave a sign; None when it never did."""
    try:
        return dt.datetime.fromtimestamp((replica(settings) / ALIVE).stat().st_mtime, dt.UTC)
    except FileNotFoundError:
        return None


def notes(database: Path) -> Path:
    """Litestream's own notes beside a database; they belong to that very file."""
    return database.with_name(f".{database.name}-litestream")


def program() -> str:
    """Where litestream is: beside this Python, as its package puts it, or on the path."""
    beside = Path(sys.executable).with_name("litestream")
    found = str(beside) if beside.exists() else shutil.which("litestream")
    if not found:
        raise SnapshotError("setting", "litestream is not installed")
    return found


def _config(settings: Settings, folder: Path) -> str:
    template = string.Template((ROOM / "litestream.yml").read_text("utf-8"))
    return template.substitute(
        DATABASE=settings.paths.database,
        FOLDER=folder / "database",
        HOURS=24 * settings.snapshots.replica_days,
    )
