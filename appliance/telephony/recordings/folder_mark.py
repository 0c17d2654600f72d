"""A mark in the recordings folder: without it, the folder is not the one that holds the recordings.

A disk that is not mounted leaves an empty folder in its place, and Asterisk makes its folders of
days in there. The mark is a folder: what snapshots list and restore are files. A note next
to the database holds the mark's name.
"""

import logging
import secrets
from pathlib import Path

from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

_BEGIN = ".mark-"


def note(settings: Settings) -> Path:
    """The file that holds the mark's name; when it is removed, the current folder gets a mark."""
    return settings.paths.database.with_name("recordings.mark")


def ensure(settings: Settings) -> None:
    """Mark the folder when none was marked before; what hinders that is only logged."""
    file, folder = note(settings), settings.paths.recordings
    if file.exists() or not folder.is_dir():
        return
    try:
        known = next(folder.glob(f"{_BEGIN}*"), None)  # of a box whose data folder is new
        mark = known or folder / f"{_BEGIN}{secrets.token_hex(8)}"
        mark.mkdir(exist_ok=True)
        file.write_text(mark.name, "ascii")
    except OSError as error:
        log.warning("the recordings folder is not marked: %s", error)


def is_absent(settings: Settings) -> bool:
    """Whether the folder is another one than was marked; False while none was marked."""
    try:
        name = note(settings).read_text("ascii").strip()
    except OSError:
        return False
    return bool(name) and not (settings.paths.recordings / name).is_dir()


def elsewhere(settings: Settings) -> Path | None:
    """The folder of today, or one above it, that lies on another disk than the recordings do."""
    folder, today = settings.paths.recordings, clock.now().date()
    try:
        disk = folder.stat().st_dev
        for day in (f"{today:%Y}", f"{today:%Y/%m}", f"{today:%Y/%m/%d}"):
            if (folder / day).is_dir() and (folder / day).stat().st_dev != disk:
                return folder / day
    except OSError:  # reported by the check of the folder
        return None
    return None
