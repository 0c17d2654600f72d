"""The snapshot repositories on this machine: whether each exists and the site's key opens it."""

import functools
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.restic import Restic
from appliance.core.i18n import N_
from appliance.core.settings import Backup, Settings

_MOUNT_ADVICE = N_(
    "Mount the disk or the share at {url}. If it is newly set up, run `appliance backup prepare`."
)
_KEY_ADVICE = N_(
    "Restore the previous key, `{key}`: it is on the recovery sheet. Without it no snapshot can be "
    "made or read."
)
_DISK_ADVICE = N_("Check the disk, and run `appliance backup list`: it shows the reason.")
_FAULT_TEXTS = {
    "absent": (N_("{name}: there is no repository at {url}"), _MOUNT_ADVICE),
    "key": (N_("{name}: our key does not open it"), _KEY_ADVICE),
}


def check_repositories(settings: Settings) -> Iterator[Check]:
    """Check that each local repository opens; restic runs again only if its files changed."""
    code, title = "repository", N_("Repositories of snapshots")
    for backup in settings.backups:
        restic = Restic(backup, settings.paths.backups / "cache")
        if not (folder := restic.local_folder):
            continue  # a remote repository: its nightly snapshot reports faults
        watched_files = (backup.password_file, folder / "config", folder / "keys")
        if fault := _repository_fault(backup, *(_file_stamp(path) for path in watched_files)):
            finding, advice = _FAULT_TEXTS.get(fault, (N_("{name}: {error}"), _DISK_ADVICE))
            values = {"name": backup.name, "url": backup.url, "key": str(backup.password_file)}
            yield Check(code, title, "fail", finding, advice, values | {"error": fault})
            return
    if settings.backups:
        yield Check(code, title, "ok", N_("can be opened"))


def _file_stamp(path: Path) -> tuple[int, int] | None:
    """Return the (inode, modification time) of a file, if it can be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


@functools.lru_cache(maxsize=16)
def _repository_fault(backup: Backup, *_stamps: tuple[int, int] | None) -> str:
    """Return the code of a known fault, the message of another; "" if the repository opens.

    The stamps are part of the cache key only.
    """
    try:
        Restic(backup, Path("/nonexistent")).query_json("--no-lock", "cat", "config")
    except SnapshotError as error:
        return error.code if error.code in _FAULT_TEXTS else str(error)
    return ""
