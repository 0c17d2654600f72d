"""Disk space reserved for the ledger: on a full disk talks are not recorded, all else works.

Without this reserve, Asterisk could not write its event log to a full disk, and the calls would be
lost. A file next to the database occupies the space. When the disk is full, the file is removed,
and a mark in Asterisk's `run` folder (which is in memory) makes the dialplan stop recording. When
there is space again, the file is created again and the mark is removed.
"""

import logging
import os
import shutil
from pathlib import Path

from appliance.core.settings import Settings

log = logging.getLogger(__name__)

RESERVE_BYTES = 256 << 20
MIN_FREE_BYTES = 64 << 20  # with fewer free bytes, the disk is full
# With this many free bytes or more, the disk is no longer full.
ENOUGH_FREE_BYTES = MIN_FREE_BYTES + 2 * RESERVE_BYTES


def reserve_file(settings: Settings) -> Path:
    """The file that holds the reserved space."""
    return settings.paths.database.with_name("reserve")


def unrecorded_mark(settings: Settings) -> Path:
    """The file that exists while talks are not recorded."""
    return settings.asterisk.run / "unrecorded"


def check_free_space(settings: Settings) -> None:
    """Release the reserved space if the disk is full, or reserve it again if there is space.

    Errors are only logged.
    """
    try:
        _update_reserve(settings)
    except OSError as error:
        log.warning("room for the event log: %s", error)


def _update_reserve(settings: Settings) -> None:
    free_bytes = shutil.disk_usage(settings.paths.database.parent).free
    reserve, mark_path = reserve_file(settings), unrecorded_mark(settings)
    if free_bytes < MIN_FREE_BYTES:
        if reserve.exists():
            reserve.unlink()
            log.error("the disk is full: room for the event log was given up")
        if _is_disk_shared(settings) and not mark_path.exists():
            mark_path.touch()
            log.error("the disk is full: conversations are not recorded")
    elif free_bytes >= ENOUGH_FREE_BYTES:
        if not reserve.exists() or reserve.stat().st_size < RESERVE_BYTES:
            _allocate_reserve(reserve)
        if mark_path.exists():
            mark_path.unlink()
            log.info("there is room again: talks are recorded")


def _is_disk_shared(settings: Settings) -> bool:
    """Returns True if the recordings are on the disk of the ledger."""
    return settings.paths.recordings.stat().st_dev == settings.paths.database.parent.stat().st_dev


def _allocate_reserve(path: Path) -> None:
    """Allocate the reserved space; if the disk has too little, the file is removed again."""
    with path.open("wb") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, RESERVE_BYTES)
        except OSError as error:
            path.unlink()
            log.warning("no room could be held: %s", error)
