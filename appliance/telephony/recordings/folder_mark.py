"""A mark in the recordings folder, which shows that the disk with the recordings is mounted.

If the disk is not mounted, an empty folder is in its place, and Asterisk creates its folders of
days there; the mark is then missing. The mark is itself a folder, because snapshots list and
restore files only. A note file next to the database holds the mark's name.
"""

import logging
import secrets
from pathlib import Path

from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

_MARK_PREFIX = ".mark-"


def note_file(settings: Settings) -> Path:
    """Return the file with the mark's name; if it is removed, `ensure_mark` marks the folder."""
    return settings.paths.database.with_name("recordings.mark")


def ensure_mark(settings: Settings) -> None:
    """Mark the folder if no folder was marked before; errors are only logged."""
    note_path, folder = note_file(settings), settings.paths.recordings
    if note_path.exists() or not folder.is_dir():
        return
    try:
        # A mark without a note file exists if the box has got a new data folder.
        existing = next(folder.glob(f"{_MARK_PREFIX}*"), None)
        mark = existing or folder / f"{_MARK_PREFIX}{secrets.token_hex(8)}"
        mark.mkdir(exist_ok=True)
        note_path.write_text(mark.name, "ascii")
    except OSError as error:
        log.warning("the recordings folder is not marked: %s", error)


def is_mark_missing(settings: Settings) -> bool:
    """Returns True if the folder is not the marked one; False if no folder was ever marked."""
    try:
        name = note_file(settings).read_text("ascii").strip()
    except OSError:
        return False
    return bool(name) and not (settings.paths.recordings / name).is_dir()


def folder_on_other_disk(settings: Settings) -> Path | None:
    """Return the folder of today, its month or its year that is on another disk, if any."""
    folder, today = settings.paths.recordings, clock.now().date()
    try:
        disk = folder.stat().st_dev
        for day in (f"{today:%Y}", f"{today:%Y/%m}", f"{today:%Y/%m/%d}"):
            if (folder / day).is_dir() and (folder / day).stat().st_dev != disk:
                return folder / day
    except OSError:  # reported by the check of the folder
        return None
    return None
