"""Following Asterisk's event log, live and after a stop alike."""

import contextlib
import os
from pathlib import Path

from appliance.pbx import ledger
from appliance.settings import Settings


class Follower:
    """Reads what is new in the event log, rotated files included."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sizes: dict[tuple[int, str], int] = {}  # (inode, name) → size when last read

    def step(self) -> int:
        """Take in everything new; returns how many records that were."""
        known = 0
        for path, status in self._files():
            key = (status.st_ino, path.name)
            if self._sizes.get(key) == status.st_size:
                continue
            with contextlib.suppress(FileNotFoundError):  # rotated just now: seen by its new name
                known += ledger.read(path, self._settings.calls.short_abandon, growing=True)
                self._sizes[key] = status.st_size
        return known

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        """The log and what it was rotated to (events.csv.1, events.csv.20261124, …), oldest first.

        Packed ones are left out: what they hold was read before they were packed.
        """
        current = self._settings.paths.event_log
        names = current.parent.glob(f"{current.name}*")
        files = []
        for path in names:
            if path.suffix not in (".gz", ".xz", ".zst"):
                with contextlib.suppress(FileNotFoundError):
                    files.append((path, path.stat()))
        return sorted(files, key=lambda file: file[1].st_mtime)
