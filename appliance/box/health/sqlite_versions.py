"""The SQLite version of each process, which must not have the WAL-reset bug (`core.sqlite`)."""

import contextlib
import functools
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes
from appliance.box.health.check import Check
from appliance.box.snapshots import continuous
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import sqlite
from appliance.core.i18n import N_
from appliance.core.settings import Settings

UNKNOWN_VERSION = "?"
# The version's text in a library or program that contains SQLite: a C string by itself, or one
# directly after other data.
_VERSION_PATTERNS = (
    re.compile(rb"\0(3\.\d{1,2}\.\d{1,2})\0"),
    re.compile(rb"(?<![0-9.])(3\.\d{1,2}\.\d{1,2})\0"),
)
_SQLITE_FILES = re.compile(r"pysqlite3/_sqlite3\.|libsqlite3\.so|/litestream$")
_BUNDLED_LIBRARY = "pysqlite3/"  # peewee also loads Debian's library, but uses this one
_RESTART_ADVICE = N_(
    "Restart them; if that does not help, install the newest release. Stop every other program "
    "that has the database open."
)
_UPDATE_ADVICE = N_("Install the newest release: its Litestream has SQLite {fixed} or newer.")


def check_process_versions(settings: Settings) -> Iterator[Check]:
    """Check that no process that has the database open can lose changes or damage it.

    The appliance's processes report their version in their heartbeats. Others are visible only if
    this account may read their files.
    """
    code, name = "sqlite", N_("SQLite of the processes")
    heartbeats = [
        heartbeat
        for entries in processes.running_processes(settings).values()
        for heartbeat in entries
    ]
    known_pids = {int(heartbeat.holder.partition(":")[0]) for heartbeat in heartbeats} | {
        os.getpid()
    }
    entries = [
        ("appliance", sqlite.version),
        *((heartbeat.name, heartbeat.sqlite) for heartbeat in heartbeats),
    ]
    entries += _other_processes(settings.paths.database, known_pids)
    unsafe = [
        f"{process_name} {version or UNKNOWN_VERSION}"
        for process_name, version in entries
        if not sqlite.is_safe_version(version)
    ]
    if unsafe:
        values = {"names": ", ".join(unsafe), "fixed": _fixed_version_text()}
        finding = N_("can lose saved data (older than {fixed}): {names}")
        yield Check(code, name, "fail", finding, _RESTART_ADVICE, values)
    else:
        values = {"versions": ", ".join(sorted({version for _, version in entries}))}
        yield Check(code, name, "ok", "{versions}", values=values)


def check_litestream_version(settings: Settings) -> Iterator[Check]:
    """Check that Litestream's own SQLite, which checkpoints the same file, is safe."""
    if not settings.snapshots.replica:
        return
    code, name = "sqlite.litestream", N_("SQLite of Litestream")
    try:
        version = embedded_version(Path(continuous.litestream_program()))
    except (OSError, SnapshotError):
        version = ""
    values = {"version": version or UNKNOWN_VERSION, "fixed": _fixed_version_text()}
    if sqlite.is_safe_version(version):
        yield Check(code, name, "ok", "{version}", values=values)
    else:
        finding = N_("can damage the database (older than {fixed}): {version}")
        yield Check(code, name, "fail", finding, _UPDATE_ADVICE, values)


def embedded_version(file: Path) -> str:
    """Return SQLite's version in a library or program; "" if it is ambiguous.

    Raises OSError if the file cannot be read.
    """
    status = file.stat()
    return _search_version(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=16)
def _search_version(file: Path, _changed: int, _size: int) -> str:
    """Search a file for SQLite's version; its time and size are only part of the cache key."""
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for pattern in _VERSION_PATTERNS:
            if versions := {match[1].decode() for match in pattern.finditer(content)}:
                return versions.pop() if len(versions) == 1 else ""
    return ""


def _other_processes(database: Path, known_pids: set[int]) -> Iterator[tuple[str, str]]:
    """Yield (name and id, SQLite version) of other processes that have the database open."""
    file = str(database.resolve())
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) in known_pids:
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another account's
            if file in (os.readlink(descriptor) for descriptor in (folder / "fd").iterdir()):
                process_name = (folder / "comm").read_text().strip()
                yield f"{process_name} ({folder.name})", _loaded_version(folder)


def _loaded_version(folder: Path) -> str:
    """Return the version of the SQLite that a process has loaded; "" if it is ambiguous."""
    lines = (folder / "maps").read_text().splitlines()
    paths = {line.partition("/")[2] for line in lines}
    files = sorted(path for path in paths if _SQLITE_FILES.search(f"/{path}"))
    library = next((path for path in files if _BUNDLED_LIBRARY in path), files[0] if files else "")
    try:
        return embedded_version(Path("/", library)) if library else ""
    except (OSError, ValueError):  # replaced since the process started
        return ""


def _fixed_version_text() -> str:
    """Return the oldest safe version, as text."""
    return ".".join(map(str, sqlite.FIRST_SAFE_VERSION))
