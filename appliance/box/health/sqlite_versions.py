"""The SQLite that each process works with: none may have the WAL-reset fault (`core.sqlite`)."""

import contextlib
import functools
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes
from appliance.box.health.check import Check
from appliance.box.snapshots import SnapshotError, continuous
from appliance.core import sqlite
from appliance.core.i18n import N_
from appliance.core.settings import Settings

UNKNOWN = "?"
# The version's text in a library or a program that contains SQLite: as a string of C by itself, or
# right behind other data.
_VERSIONS = (
    re.compile(rb"\0(3\.\d{1,2}\.\d{1,2})\0"),
    re.compile(rb"(?<![0-9.])(3\.\d{1,2}\.\d{1,2})\0"),
)
_LIBRARIES = re.compile(r"pysqlite3/_sqlite3\.|libsqlite3\.so|/litestream$")
_BROUGHT_ALONG = "pysqlite3/"  # peewee loads Debian's too, and works with this one
_REPAIR = N_(
    "Start them again; where that changes nothing, install the newest release. End every other "
    "program that has the database open."
)
_UPDATE = N_("Install the newest release: its Litestream has SQLite {fixed} or newer.")


def versions(settings: Settings) -> Iterator[Check]:
    """No process with the database open, the product's or another, can lose changes or damage it.

    The product's processes report their version with their signs of life. Others are visible only
    if this account may read their files.
    """
    code, name = "sqlite", N_("SQLite of the processes")
    signs = [sign for found in processes.living(settings).values() for sign in found]
    known = {int(sign.holder.partition(":")[0]) for sign in signs} | {os.getpid()}
    found = [("appliance", sqlite.version), *((sign.name, sign.sqlite) for sign in signs)]
    found += _others(settings.paths.database, known)
    bad = [f"{who} {version or UNKNOWN}" for who, version in found if not sqlite.is_safe(version)]
    if bad:
        values = {"names": ", ".join(bad), "fixed": _fixed()}
        seen = N_("can lose saved data (older than {fixed}): {names}")
        yield Check(code, name, "fail", seen, _REPAIR, values)
    else:
        values = {"versions": ", ".join(sorted({version for _, version in found}))}
        yield Check(code, name, "ok", "{versions}", values=values)


def litestream(settings: Settings) -> Iterator[Check]:
    """The one that copies the changes checkpoints the same file, with a SQLite of its own."""
    if not settings.snapshots.replica:
        return
    code, name = "sqlite.litestream", N_("SQLite of Litestream")
    try:
        version = version_in(Path(continuous.program()))
    except (OSError, SnapshotError):
        version = ""
    values = {"version": version or UNKNOWN, "fixed": _fixed()}
    if sqlite.is_safe(version):
        yield Check(code, name, "ok", "{version}", values=values)
    else:
        seen = N_("can damage the database (older than {fixed}): {version}")
        yield Check(code, name, "fail", seen, _UPDATE, values)


def version_in(file: Path) -> str:
    """The version of the SQLite in a library or program; "" if it is not clear. Raises OSError."""
    state = file.stat()
    return _version_in(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=16)
def _version_in(file: Path, _changed: int, _size: int) -> str:
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for pattern in _VERSIONS:
            if found := {match[1].decode() for match in pattern.finditer(content)}:
                return found.pop() if len(found) == 1 else ""
    return ""


def _others(database: Path, known: set[int]) -> Iterator[tuple[str, str]]:
    """(name and id, version of SQLite) of the other processes that have the database open."""
    file = str(database.resolve())
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) in known:
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another account's
            if file in (os.readlink(one) for one in (folder / "fd").iterdir()):
                who = (folder / "comm").read_text().strip()
                yield f"{who} ({folder.name})", _loaded_by(folder)


def _loaded_by(folder: Path) -> str:
    """The version of the SQLite that a process has loaded; "" when it is not clear."""
    lines = (folder / "maps").read_text().splitlines()
    paths = {line.partition("/")[2] for line in lines}
    files = sorted(path for path in paths if _LIBRARIES.search(f"/{path}"))
    first = next((path for path in files if _BROUGHT_ALONG in path), files[0] if files else "")
    try:
        return version_in(Path("/", first)) if first else ""
    except (OSError, ValueError):  # replaced since
        return ""


def _fixed() -> str:
    return ".".join(map(str, sqlite.FIXED))
