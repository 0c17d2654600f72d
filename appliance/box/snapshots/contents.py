"""The contents of a snapshot, and the manifest by which they are verified.

The stage, a folder always at the same path, receives what is generated for the snapshot: the
database's copy, the settings without secrets, the sealed secrets, the manifest and the list of
files. restic saves that folder and, from their own folders, the recordings and everything else.
"""

import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import dacite

from appliance.box.snapshots import numbers, sealing, settings_files
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock, db, db_files, sqlite
from appliance.core.files import file_sha256
from appliance.core.settings import Settings

# Receives the current activity and its progress (0 to 1, if known).
type ProgressReport = Callable[[str, float | None], None]

STAGE_FOLDER = "appliance-snapshot"
DATABASE_FILE, SETTINGS_FILE, SECRETS_FILE = "database.db", "appliance.toml", "secrets.age"
MANIFEST_FILE, FILE_LIST = "manifest.json", "files.txt"
COUNTED_TABLES = {"calls": "call", "appeals": "appeal", "recordings": "recording"}
LISTED_PARTS = ("recordings", "prompts", "issued")  # kinds of files that FILE_LIST names one by one
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """The description of a snapshot's contents, by which the snapshot is verified."""

    format: int
    made_at: str  # ISO 8601, when the database was copied
    site: str
    version: str
    counts: dict[str, int]  # number of rows by name, as in COUNTED_TABLES
    database_sha256: str
    database_bytes: int
    files: dict[str, int]  # number of files by part, as in LISTED_PARTS; listed in FILE_LIST
    bytes: int  # total size of those files
    parts: dict[str, list[str]]  # the original folders or files of each part
    audit: str = ""  # the head of the audit chain in that database, in the format of audit.Head

    @property
    def created_at(self) -> dt.datetime:
        """The time when the database was copied."""
        return dt.datetime.fromisoformat(self.made_at)

    def to_json_text(self) -> str:
        """Return the manifest as JSON."""
        return json.dumps(asdict(self), indent=1)


def parse_manifest(text: str | bytes) -> Manifest:
    """Parse a manifest. Raises SnapshotError if it is invalid."""
    try:
        values = json.loads(text)
        if values.get("format") != 1:
            raise SnapshotError("damaged", f"unknown form of manifest: {values.get('format')}")
        return dacite.from_dict(Manifest, values)
    except (ValueError, AttributeError, dacite.DaciteError) as error:
        raise SnapshotError("damaged", f"the manifest cannot be read: {error}") from error


@contextlib.contextmanager
def snapshot_lock(settings: Settings, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock that lets one process at a time work on snapshots.

    Raises SnapshotError if another process still holds it after `wait` seconds.
    """
    settings.paths.backups.mkdir(parents=True, exist_ok=True)
    with (settings.paths.backups / ".lock").open("w") as lock:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise SnapshotError(
                        "locked", "a snapshot or a restore is going on already"
                    ) from error
                time.sleep(0.2)
        yield


@contextlib.contextmanager
def staging_folder(settings: Settings, report_progress: ProgressReport) -> Iterator[Path]:
    """Yield a temporary folder with copies of the database, settings and secrets."""
    stage = settings.paths.backups / STAGE_FOLDER
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    try:
        _require_free_space(stage, settings.paths.database.stat().st_size)
        report_progress("copying the database", None)
        db.copy_database(stage / DATABASE_FILE)
        if fault := db_files.first_integrity_error(stage / DATABASE_FILE):
            raise SnapshotError("damaged", f"the database has a fault: {fault}")
        settings_files.write_toml(
            stage / SETTINGS_FILE,
            settings_files.blank_secrets(settings_files.read_toml(settings.file)),
        )
        sealing.seal_secrets(settings, stage / SECRETS_FILE)
        yield stage
    except OSError as error:
        raise _system_error(error) from error
    except sqlite.Error as error:
        raise SnapshotError("full", f"the disk is full or fails: {error}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_manifest(settings: Settings, stage: Path) -> Manifest:
    """Write the manifest and the list of files, as of now, into the stage."""
    database, parts = stage / DATABASE_FILE, saved_parts(settings)
    files: dict[str, int] = {}
    size = 0
    with (stage / FILE_LIST).open("w", encoding="utf-8") as file_list:
        for part in LISTED_PARTS:
            rows = [row for folder in parts[part] for row in _walk_files(Path(folder))]
            files[part] = len(rows)
            size += sum(bytes_ for _, bytes_ in rows)
            file_list.writelines(f"{part}\t{bytes_}\t{name}\n" for name, bytes_ in sorted(rows))
    manifest = Manifest(
        1,
        clock.now().isoformat(timespec="seconds"),
        settings.web.url,
        metadata.version("appliance"),
        db_files.count_table_rows(database, COUNTED_TABLES.values()),
        file_sha256(database),
        database.stat().st_size,
        files,
        size,
        parts,
        str(numbers.history_end(database) or ""),
    )
    counts = {name: manifest.counts[table] for name, table in COUNTED_TABLES.items()}
    manifest = Manifest(**(asdict(manifest) | {"counts": counts}))
    (stage / MANIFEST_FILE).write_text(manifest.to_json_text())
    return manifest


def saved_parts(settings: Settings) -> dict[str, list[str]]:
    """Map each part that is saved from its own location to its existing paths."""
    paths = settings.paths
    candidates = {
        "recordings": [paths.recordings],
        "prompts": [paths.prompts],
        "issued": [paths.issued_reports],
        "asterisk": [paths.asterisk],
        "events": event_logs(settings),
    }
    return {
        part: [str(path) for path in paths_found if path.exists()]
        for part, paths_found in candidates.items()
    }


def event_logs(settings: Settings) -> list[Path]:
    """Return Asterisk's event log and its rotated predecessors."""
    log = settings.paths.event_log
    return sorted(path for path in log.parent.glob(f"{log.name}*") if path.is_file())


def sound_stem(name: str) -> str:
    """Return the file name without its ending, which changes when a .wav is compressed to .ogg."""
    return name.rpartition(".")[0] or name


def parse_file_list(text: str) -> dict[str, dict[str, int]]:
    """Parse FILE_LIST; returns the size of each file, by part and by name below its folder."""
    files_by_part: dict[str, dict[str, int]] = {part: {} for part in LISTED_PARTS}
    for line in text.splitlines():
        part, size, name = line.split("\t", 2)
        files_by_part[part][name] = int(size)
    return files_by_part


def ignore_progress(activity: str, share: float | None) -> None:
    """Ignore progress reports; the default for functions that report progress."""


def repository_names(settings: Settings) -> list[str]:
    """Return the names of the repositories. Raises SnapshotError if there are no repositories."""
    if not settings.backups:
        raise SnapshotError("setting", f"{settings.file} names no [[backups]]")
    return [backup.name for backup in settings.backups]


def _require_free_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SnapshotError("full", f"{folder} has {free >> 20} MB free, {needed >> 20} are needed")


def _system_error(error: OSError) -> SnapshotError:
    """Return the snapshot error for an error of the operating system."""
    is_full = error.errno in (28, 122, 27)  # no space, over quota, file too large
    return SnapshotError("full" if is_full else "failed", str(error))


def _walk_files(folder: Path, subfolder: str = "") -> Iterator[tuple[str, int]]:
    """Yield (path below the folder, size) of every file that a snapshot saves."""
    try:
        entries: list[Any] = sorted(os.scandir(folder / subfolder), key=lambda e: e.name)
    except FileNotFoundError:
        return
    for entry in entries:
        name = f"{subfolder}/{entry.name}" if subfolder else entry.name
        if entry.name.startswith(".restore-") or entry.name == ".lock":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk_files(folder, name)
        elif entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield name, entry.stat().st_size
