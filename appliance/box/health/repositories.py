"""The repositories of snapshots that lie on this machine: there, and opened by our key."""

import functools
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.box.snapshots import SnapshotError
from appliance.box.snapshots.restic import Restic
from appliance.core.i18n import N_
from appliance.core.settings import Backup, Settings

_MOUNT = N_(
    "Mount the disk or the share at {url}. If it was begun anew, run `appliance backup prepare`."
)
_KEY = N_(
    "Put the key back that was there, `{key}`: it stands on the recovery sheet. Without it no "
    "snapshot can be made or read."
)
_LOOK = N_("Look at the disk, and run `appliance backup list` for its own words.")
_WORDS = {
    "absent": (N_("{name}: there is no repository at {url}"), _MOUNT),
    "key": (N_("{name}: our key does not open it"), _KEY),
}


def repositories(settings: Settings) -> Iterator[Check]:
    """Each can be opened; asked again only when something of it has changed."""
    code, title = "repository", N_("Repositories of snapshots")
    for backup in settings.backups:
        restic = Restic(backup, settings.paths.backups / "cache")
        if not (folder := restic.folder):
            continue  # away from here: the snapshot of the night tells
        watched = (backup.password_file, folder / "config", folder / "keys")
        if trouble := _trouble(backup, *(_stamp(path) for path in watched)):
            seen, advice = _WORDS.get(trouble, (N_("{name}: {error}"), _LOOK))
            values = {"name": backup.name, "url": backup.url, "key": str(backup.password_file)}
            yield Check(code, title, "fail", seen, advice, values | {"error": trouble})
            return
    if settings.backups:
        yield Check(code, title, "ok", N_("can be opened"))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


@functools.lru_cache(maxsize=16)
def _trouble(backup: Backup, *_stamps: tuple[int, int] | None) -> str:
    """The code of what hinders, its words for a rare one; "" for nothing."""
    try:
        Restic(backup, Path("/nonexistent")).ask("--no-lock", "cat", "config")
    except SnapshotError as error:
        return error.code if error.code in _WORDS else str(error)
    return ""
