"""Room kept for the ledger: on a full disk talks are no longer recorded; all else goes on.

Without it Asterisk could not write its event log, and the calls of those hours would be lost. A
file beside the database holds the room. It is given up when the disk is full, and the dialplan
finds a mark in Asterisk's `run` folder, which lies in memory; it is made anew when there is room.
"""

import logging
import os
import shutil
from pathlib import Path

from appliance.core.settings import Settings

log = logging.getLogger(__name__)

SIZE = 256 << 20  # bytes that are held
LEAST = 64 << 20  # free bytes below which the disk is full
ROOM = LEAST + 2 * SIZE  # free bytes from which it no longer is


def file(settings: Settings) -> Path:
    """What holds the room."""
    return settings.paths.database.with_name("reserve")


def mark(settings: Settings) -> Path:
    """Is there as long as talks are not recorded."""
    return settings.asterisk.run / "unrecorded"


def look(settings: Settings) -> None:
    """Give the room up, or hold it again; what hinders that is only logged."""
    try:
        _look(settings)
    except OSError as error:
        log.warning("room for the event log: %s", error)


def _look(settings: Settings) -> None:
    free = shutil.disk_usage(settings.paths.database.parent).free
    held, marked = file(settings), mark(settings)
    if free < LEAST:
        if held.exists():
            held.unlink()
            log.error("the disk is full: room for the event log was given up")
        if _is_shared(settings) and not marked.exists():
            marked.touch()
            log.error("the disk is full: talks are not recorded")
    elif free >= ROOM:
        if not held.exists() or held.stat().st_size < SIZE:
            _hold(held)
        if marked.exists():
            marked.unlink()
            log.info("there is room again: talks are recorded")


def _is_shared(settings: Settings) -> bool:
    """Whether what is recorded takes the room of the ledger."""
    return settings.paths.recordings.stat().st_dev == settings.paths.database.parent.stat().st_dev


def _hold(held: Path) -> None:
    """Take the room; what was taken is given back when there is not enough."""
    with held.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, SIZE)
        except OSError as error:
            held.unlink()
            log.warning("no room could be held: %s", error)
