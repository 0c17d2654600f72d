"""The folders in which restored files wait, and the installation of these files."""

import contextlib
import http.client
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from appliance.box.snapshots import continuous, histories, swapping
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import ISSUED_REPORTS_PATH, RESTORE_LAYOUT, RestoreRequest
from appliance.core import clock, files
from appliance.core.settings import Settings

WAITING_FOLDER = ".restore-site"


def describe_database_user(settings: Settings) -> str:
    """Return a text that names a process that uses the site's database, or ""."""
    database = str(settings.paths.database.resolve())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) == database for fd in (entry / "fd").iterdir()):
                name = (entry / "comm").read_text().strip()
                return f"process {entry.name}, {name}"
    host, _, port = settings.web.bind.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2)
    try:
        connection.connect()
    except OSError:
        return ""
    finally:
        connection.close()
    return f"pages at {settings.web.bind}"


def install_files(settings: Settings, request: RestoreRequest, work_folder: Path) -> str:
    """Exchange the database and install missing files; returns the folder of replaced files.

    The result is "" if nothing was replaced.
    """
    replaced_folder = _create_replaced_folder(settings)
    try:
        _exchange_files(settings, request, work_folder, replaced_folder)
    finally:
        with contextlib.suppress(OSError):  # only an empty folder is removed
            replaced_folder.rmdir()
    return str(replaced_folder) if replaced_folder.exists() else ""


def _create_replaced_folder(settings: Settings) -> Path:
    name = f"before-restore-{clock.now():%Y%m%dT%H%M%S}"
    folder = files.unused_path(settings.paths.database.with_name(name))
    folder.mkdir(mode=0o700)
    return folder


def _exchange_files(
    settings: Settings, request: RestoreRequest, work_folder: Path, replaced_folder: Path
) -> None:
    """Move the restored files into place, and the replaced database into its folder."""
    paths = settings.paths
    database = paths.database
    sqlite_files = [
        database.with_name(f"{database.name}{suffix}") for suffix in ("-wal", "-shm", "-journal")
    ]
    moves = [
        (file, replaced_folder / file.name)
        for file in (*sqlite_files, continuous.litestream_state_folder(database), database)
        if file.exists()
    ]
    moves.append((work_folder / RESTORE_LAYOUT["database"], database))
    for part, site_folder in site_folders(settings).items():
        source = waiting_folder(settings, request, work_folder, part)
        restored_files = [
            file for file in sorted(source.rglob("*")) if file.is_file() or file.is_symlink()
        ]
        moves += [(file, site_folder / file.relative_to(source)) for file in restored_files]
        for file in restored_files if part == "prompts" else ():  # the pages overwrite them
            if not file.is_symlink():
                files.share_with_group(file, site_folder)
    if not paths.event_log.exists():
        for file in sorted((work_folder / "events").glob("*")):
            name = file.name.replace("events.csv", paths.event_log.name, 1)
            moves.append((file, paths.event_log.with_name(name)))
    swapping.move_files(settings, moves)
    histories.set_copy_aside(settings)
    for part in ("settings", "secrets"):
        if (work_folder / part).exists():
            (work_folder / part).rename(replaced_folder / f"restored-{part}")


def site_folders(settings: Settings) -> dict[str, Path]:
    """Return the site's folders, by part of a snapshot."""
    paths = settings.paths
    return {
        "recordings": paths.recordings,
        "prompts": paths.prompts,
        "issued": paths.issued_reports,
    }


def waiting_folder(
    settings: Settings, request: RestoreRequest, work_folder: Path, part: str
) -> Path:
    """Return the folder where a part waits, on the disk where it will be installed."""
    if request.target:
        return work_folder / (ISSUED_REPORTS_PATH if part == "issued" else RESTORE_LAYOUT[part])
    return site_folders(settings)[part] / WAITING_FOLDER


@contextlib.contextmanager
def working_folder(settings: Settings, request: RestoreRequest) -> Iterator[Path]:
    """Yield an empty folder on the disk of the restore's destination.

    It and the waiting folders are removed at the end.
    """
    parent = request.target.parent if request.target else settings.paths.database.parent
    parent.mkdir(parents=True, exist_ok=True)
    work_folder = parent / (f".restore-{request.target.name}" if request.target else WAITING_FOLDER)
    folders = [work_folder]
    if not request.target:
        folders += [folder / WAITING_FOLDER for folder in site_folders(settings).values()]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)  # left by a killed process
    work_folder.mkdir(mode=0o700)
    try:
        yield work_folder
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def translate_os_errors() -> Iterator[None]:
    """Convert OSError to SnapshotError."""
    try:
        yield
    except OSError as error:
        code = "full" if error.errno in (27, 28, 122) else "failed"
        raise SnapshotError(code, f"nothing was changed: {error}") from error
