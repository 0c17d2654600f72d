"""A mark in the recordings folder; a folder without it is not the one with the recordings.

A disk that is not mounted leaves an empty folder in its place, and Asterisk creates its folders of
days there. The mark is a folder, because snapshots list and restore files only. A note next to the
database holds the mark's name.
"""

import logging
import secrets
from pathlib import Path

from appliance.core import clock
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

_MARK_PREFIX = ".mark-"


def note_file(settings: Settings) -> Path:
    """The file with the mark's name; after it is removed, the current folder gets a mark."""
    return settings.paths.database.with_name("recordings.mark")


def ensure_mark(settings: Settings) -> None:
    """Mark the folder if no folder was marked before; errors are only logged."""
    note_path, folder = note_file(settings), settings.paths.recordings
    if note_path.exists() or not folder.is_dir():
        return
    try:
        existing = next(folder.glob(f"{_MARK_PREFIX}*"), None)  # of a box with a new data folder
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
    """Today's folder, or one above it, if it is on another disk than the recordings folder."""
    folder, today = settings.paths.recordings, clock.now().date()
    try:
        disk = folder.stat().st_dev
        for day in (f"{today:%Y}", f"{today:%Y/%m}", f"{today:%Y/%m/%d}"):
            if (folder / day).is_dir() and (folder / day).stat().st_dev != disk:
                return folder / day
    except OSError:  # reported by the check of the folder
        return None
    return None
