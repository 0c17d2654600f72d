"""Files that hold what nobody else may read, and that must be written."""

import os
from collections.abc import Iterator
from pathlib import Path

from appliance.health.looking import N_, Check
from appliance.settings import Settings

_OTHERS_READ, _OTHERS_ENTER = 0o004, 0o001


def permissions(settings: Settings) -> Iterator[Check]:
    """The database, the recordings and the secrets are ours to write, and nobody else's to read."""
    code, name = "permissions", N_("Permissions of files")
    paths = settings.paths
    kept = [paths.database, paths.recordings, paths.prompts, paths.backups]
    fixed = [path for path in kept if path.exists() and not os.access(path, os.W_OK)]
    secret = (settings.file, paths.database, paths.recordings, paths.asterisk, paths.backups)
    open_ones = [path for path in secret if path.exists() and _open(path)]
    if fixed:
        yield Check(
            code,
            name,
            "fail",
            N_("may not be written: {files}"),
            N_("Give them to the user that the appliance runs as: `chown`."),
            {"files": _told(fixed)},
        )
    elif open_ones:
        yield Check(
            code,
            name,
            "warn",
            N_("everybody on this machine may read {files}"),
            N_("Take the right from them: `chmod o-rwx {files}`."),
            {"files": _told(open_ones)},
        )
    else:
        yield Check(code, name, "ok", N_("as they must be"))


def _open(path: Path) -> bool:
    """Whether everybody may read it, and enter every folder on the way there."""
    way = all(folder.stat().st_mode & _OTHERS_ENTER for folder in path.resolve().parents)
    return way and bool(path.stat().st_mode & _OTHERS_READ)


def _told(paths: list[Path]) -> str:
    return " ".join(str(path) for path in paths)
