"""What a snapshot holds, and the manifest that tells what must come out of it again.

A folder of this machine, always at the same path, takes what is made for the snapshot: the
database's copy, the settings without secrets, the sealed secrets, the manifest and the list of
files. restic saves that folder and, where they lie, the recordings and all else.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
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

from appliance.box.snapshots import numbers, sealing, toml
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock, db, db_files, sqlite
from appliance.core.settings import Settings

# What is done at the moment, and how much of it (0 to 1; None: cannot be told).
type Tell = Callable[[str, float | None], None]

STAGE = "appliance-snapshot"
DATABASE, SETTINGS, SECRETS = "database.db", "appliance.toml", "secrets.age"
MANIFEST, LIST = "manifest.json", "files.txt"
COUNTED = {"calls": "call", "appeals": "appeal", "recordings": "recording"}
LISTED = ("recordings", "prompts", "issued")
_PIECE = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What was put in; all of it is compared with what comes out."""

    format: int
    made_at: str  # ISO 8601, when the database was copied
    site: str
    version: str
    counts: dict[str, int]  # rows by name, as COUNTED
    database_sha256: str
    database_bytes: int
    files: dict[str, int]  # how many by part, as LISTED; their names are in LIST
    bytes: int  # of those files
    parts: dict[str, list[str]]  # where each part lay
    audit: str = ""  # the head of the audit's chain in that database, as audit.Head writes it

    @property
    def at(self) -> dt.datetime:
        """The moment it was made."""
        return dt.datetime.fromisoformat(self.made_at)

    def written(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1)


def manifest(text: str | bytes) -> Manifest:
    """Read a manifest. Raises SnapshotError when it is none of ours."""
    try:
        found = json.loads(text)
        if found.get("format") != 1:
            raise SnapshotError("damaged", f"unknown form of manifest: {found.get('format')}")
        return dacite.from_dict(Manifest, found)
    except (ValueError, AttributeError, dacite.DaciteError) as error:
        raise SnapshotError("damaged", f"the manifest cannot be read: {error}") from error


@contextlib.contextmanager
def alone(settings: Settings, wait: float = 0.0) -> Iterator[None]:
    """One process at a time works on snapshots. Raises SnapshotError when another one does."""
    settings.paths.backups.mkdir(parents=True, exist_ok=True)
    with (settings.paths.backups / ".lock").open("w") as lock:
        limit = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= limit:
                    raise SnapshotError(
                        "locked", "a snapshot or a restore is going on already"
                    ) from error
                time.sleep(0.2)
        yield


@contextlib.contextmanager
def staged(settings: Settings, tell: Tell) -> Iterator[Path]:
    """The folder with a copy of the database, settings and secrets; emptied afterwards."""
    stage = settings.paths.backups / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    try:
        _require_room(stage, settings.paths.database.stat().st_size)
        tell("copying the database", None)
        db.copy_to(stage / DATABASE)
        if fault := db_files.faults_of(stage / DATABASE):
            raise SnapshotError("damaged", f"the database has a fault: {fault}")
        toml.write(stage / SETTINGS, toml.without_secrets(toml.read(settings.file)))
        sealing.seal(settings, stage / SECRETS)
        yield stage
    except OSError as error:
        raise _of_system(error) from error
    except sqlite.Error as error:
        raise SnapshotError("full", f"the disk is full or fails: {error}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def describe(settings: Settings, stage: Path) -> Manifest:
    """Write manifest and list of files into the stage, as everything is now."""
    database, parts = stage / DATABASE, parts_of(settings)
    files: dict[str, int] = {}
    size = 0
    with (stage / LIST).open("w", encoding="utf-8") as told:
        for part in LISTED:
            found = [row for folder in parts[part] for row in _walk(Path(folder))]
            files[part] = len(found)
            size += sum(bytes_ for _, bytes_ in found)
            told.writelines(f"{part}\t{bytes_}\t{name}\n" for name, bytes_ in sorted(found))
    made = Manifest(
        1,
        clock.now().isoformat(timespec="seconds"),
        settings.web.url,
        metadata.version("appliance"),
        db_files.count_rows(database, COUNTED.values()),
        sha256(database),
        database.stat().st_size,
        files,
        size,
        parts,
        str(numbers.mark(database) or ""),
    )
    counts = {name: made.counts[table] for name, table in COUNTED.items()}
    made = Manifest(**(asdict(made) | {"counts": counts}))
    (stage / MANIFEST).write_text(made.written())
    return made


def parts_of(settings: Settings) -> dict[str, list[str]]:
    """Where everything lies that is saved from its own place; what is not there is left out."""
    paths = settings.paths
    named = {
        "recordings": [paths.recordings],
        "prompts": [paths.prompts],
        "issued": [issued(settings)],
        "asterisk": [paths.asterisk],
        "events": event_logs(settings),
    }
    return {part: [str(p) for p in found if p.exists()] for part, found in named.items()}


def issued(settings: Settings) -> Path:
    """Where reports lie as they were issued."""
    return settings.paths.database.parent / "issued"


def event_logs(settings: Settings) -> list[Path]:
    """Asterisk's event log and its rotated ones."""
    log = settings.paths.event_log
    return sorted(path for path in log.parent.glob(f"{log.name}*") if path.is_file())


def stem(name: str) -> str:
    """What stays of a file's name when it is compressed (.wav, .ogg)."""
    return name.rpartition(".")[0] or name


def listed(text: str) -> dict[str, dict[str, int]]:
    """The list of files: by part, each name under its folder with its size."""
    found: dict[str, dict[str, int]] = {part: {} for part in LISTED}
    for line in text.splitlines():
        part, size, name = line.split("\t", 2)
        found[part][name] = int(size)
    return found


def sha256(file: Path) -> str:
    """The hash of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def nothing(what: str, share: float | None) -> None:
    """For those who do not want to be told."""


def names(settings: Settings) -> list[str]:
    """The repositories' names. Raises SnapshotError when there are none."""
    if not settings.backups:
        raise SnapshotError("setting", f"{settings.file} names no [[backups]]")
    return [backup.name for backup in settings.backups]


def _require_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise SnapshotError("full", f"{folder} has {free >> 20} MB free, {wanted >> 20} are needed")


def _of_system(error: OSError) -> SnapshotError:
    full = error.errno in (28, 122, 27)  # no space, over quota, file too large
    return SnapshotError("full" if full else "failed", str(error))


def _walk(folder: Path, under: str = "") -> Iterator[tuple[str, int]]:
    """(path under the folder, size) of every file that a snapshot takes."""
    try:
        entries: list[Any] = sorted(os.scandir(folder / under), key=lambda e: e.name)
    except FileNotFoundError:
        return
    for entry in entries:
        name = f"{under}/{entry.name}" if under else entry.name
        if entry.name.startswith(".restore-") or entry.name == ".lock":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, name)
        elif entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield name, entry.stat().st_size
