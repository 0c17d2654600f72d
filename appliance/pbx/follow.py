"""Following Asterisk's event log, live and after a stop alike."""

import logging
from pathlib import Path

from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.pbx import ledger, logs
from appliance.telephony import calls
from appliance.telephony.calls import Damage

log = logging.getLogger(__name__)


class Follower:
    """Reads what is new in the event log, rotated files included."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sizes: dict[tuple[int, str], int] = {}  # (inode, name) → size when last read
        set_aside = calls.quarantined(kind="unreadable")
        self._unreadable = {row.file for row in set_aside}  # names

    def step(self) -> int:
        """Take in everything new; returns how many records that were."""
        known = 0
        current = self._settings.paths.event_log
        files, others = logs.found(current.parent, current.name)
        unreadable = {logs.name(path): "it is no file" for path in others}
        for file in files:
            key = (file.inode, file.path.name)
            if self._sizes.get(key) == file.size:
                continue
            try:
                known += self._read(file.path)
                self._sizes[key] = file.size
            except FileNotFoundError:  # rotated just now: seen by its new name
                continue
            except OSError as error:
                unreadable[logs.name(file.path)] = str(error)
        self._note(unreadable)
        return known

    def _read(self, path: Path) -> int:
        return ledger.read(path, self._settings.calls, growing=True)

    def _note(self, unreadable: dict[str, str]) -> None:
        """Set aside what cannot be read, once; what can be again, or is gone, is no fault."""
        if self._unreadable == unreadable.keys():
            return
        for name in unreadable.keys() - self._unreadable:
            log.error("%s beside the event log cannot be read: %s", name, unreadable[name])
        with writing():
            for name in unreadable:
                calls.set_aside(name, [Damage("unreadable", 0, name.encode())])
            for name in self._unreadable - unreadable.keys():
                calls.release("unreadable", name.encode())
        self._unreadable = set(unreadable)
