"""Where restored files wait, and how they come into the place of the site's."""

import contextlib
import http.client
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance.box.snapshots import contents, continuous, histories, swapping
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import ISSUED, LAYOUT, Wish
from appliance.core import clock, files
from appliance.core.settings import Settings

WAITING = ".restore-site"


def users_of(settings: Settings) -> str:
    """Who works with the site's database at this moment, in words; "" for nobody."""
    database = str(settings.paths.database.resolve())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) == database for fd in (entry / "fd").iterdir()):
                name = (entry / "comm").read_text().strip()
                return f"process {entry.name}, {name}"
    host, _, port = settings.web.bind.rpartition(":")
    line = http.client.HTTPConnection(host, int(port), timeout=2)
    try:
        line.connect()
    except OSError:
        return ""
    finally:
        line.close()
    return f"pages at {settings.web.bind}"


def put_in_place(settings: Settings, wish: Wish, place: Path) -> str:
    """Exchange the database, put what was missing where it belongs; returns the folder with what
    was replaced, "" when there was nothing."""
    kept = _folder_for_replaced(settings)
    try:
        _exchange(settings, wish, place, kept)
    finally:
        with contextlib.suppress(OSError):  # only an empty one goes
            kept.rmdir()
    return str(kept) if kept.exists() else ""


def _folder_for_replaced(settings: Settings) -> Path:
    parent, number = settings.paths.database.parent, 1
    first = folder = parent / f"before-restore-{clock.now():%Y%m%dT%H%M%S}"
    while folder.exists():
        number += 1
        folder = first.with_name(f"{first.name}-{number}")
    folder.mkdir(mode=0o700)
    return folder


def _exchange(settings: Settings, wish: Wish, place: Path, kept: Path) -> None:
    paths = settings.paths
    database = paths.database
    beside = [database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm", "-journal")]
    moves = [
        (file, kept / file.name)
        for file in (*beside, continuous.notes(database), database)
        if file.exists()
    ]
    moves.append((place / LAYOUT["database"], database))
    for part, live in live_folders(settings).items():
        source = bed(settings, wish, place, part)
        found = [file for file in sorted(source.rglob("*")) if file.is_file() or file.is_symlink()]
        moves += [(file, live / file.relative_to(source)) for file in found]
        for file in found if part == "prompts" else ():  # the pages write them over
            if not file.is_symlink():
                files.share(file, live)
    if not paths.event_log.exists():
        for file in sorted((place / "events").glob("*")):
            name = file.name.replace("events.csv", paths.event_log.name, 1)
            moves.append((file, paths.event_log.with_name(name)))
    swapping.swap(settings, moves)
    histories.put_aside(settings)
    for part in ("settings", "secrets"):
        if (place / part).exists():
            (place / part).rename(kept / f"restored-{part}")


def live_folders(settings: Settings) -> dict[str, Path]:
    """Where the site has its files, by part of a snapshot."""
    paths = settings.paths
    return {
        "recordings": paths.recordings,
        "prompts": paths.prompts,
        "issued": contents.issued(settings),
    }


def bed(settings: Settings, wish: Wish, place: Path, part: str) -> Path:
    """Where a part waits: on the disk that it goes to."""
    if wish.target:
        return place / (ISSUED if part == "issued" else LAYOUT[part])
    return live_folders(settings)[part] / WAITING


@contextlib.contextmanager
def apart(settings: Settings, wish: Wish) -> Iterator[Path]:
    """A folder on the same disk as what it is for; removed, unless it was put in place."""
    beside = wish.target.parent if wish.target else settings.paths.database.parent
    beside.mkdir(parents=True, exist_ok=True)
    place = beside / (f".restore-{wish.target.name}" if wish.target else WAITING)
    waiting = [place]
    if not wish.target:
        waiting += [folder / WAITING for folder in live_folders(settings).values()]
    for folder in waiting:
        shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        for folder in waiting:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = "full" if error.errno in (27, 28, 122) else "failed"
        raise SnapshotError(code, f"nothing was changed: {error}") from error
