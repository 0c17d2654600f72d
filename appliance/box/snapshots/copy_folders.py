"""The folders of the continuous copies: the current one, and former ones that were set aside.

A copy is set aside as `database-former-TIME`, or `database-former-TIME-damaged`. It is read like
the current one, and removed `snapshots.former_days` later, and only then.
"""

import datetime as dt
import re
from pathlib import Path

from appliance.core import clock, files

CURRENT_FOLDER, FORMER_FOLDER = "database", "database-former"
_STAMP_FORMAT = "%Y%m%dT%H%M%S"
_FORMER_NAME = re.compile(rf"{FORMER_FOLDER}-(\d{{8}}T\d{{6}})(-damaged)?(?:-\d+)?")


def set_copy_aside(folder: Path, *, is_damaged: bool = False) -> None:
    """Rename the current copy in a replica's folder, so that Litestream starts with a new base."""
    copy = folder / CURRENT_FOLDER
    if copy.exists():
        name = f"{FORMER_FOLDER}-{clock.now():{_STAMP_FORMAT}}{'-damaged' if is_damaged else ''}"
        copy.rename(files.unused_path(folder / name))


def former_folders(folder: Path) -> list[Path]:
    """Return the folders of former copies in a replica's folder, oldest first."""
    return sorted(copy for copy in folder.glob(f"{FORMER_FOLDER}*") if copy.is_dir())


def set_aside_at(copy: Path) -> dt.datetime | None:
    """Return when a former copy was set aside, if its name contains a time."""
    match = _FORMER_NAME.fullmatch(copy.name)
    return dt.datetime.strptime(match[1], _STAMP_FORMAT).replace(tzinfo=dt.UTC) if match else None


def damaged_copy_times(folder: Path) -> list[dt.datetime]:
    """Return when damaged copies in a replica's folder were set aside, oldest first."""
    damaged_copies = (copy for copy in former_folders(folder) if _is_damaged(copy))
    return [at for at in map(set_aside_at, damaged_copies) if at]


def _is_damaged(copy: Path) -> bool:
    match = _FORMER_NAME.fullmatch(copy.name)
    return bool(match and match[2])
