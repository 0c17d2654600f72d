"""Follows Asterisk's event log: reads what is new, also what was written while nobody read it."""

import logging
from pathlib import Path

from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.pbx import ledger, log_files
from appliance.telephony import calls
from appliance.telephony.calls import Damage

log = logging.getLogger(__name__)


class LogFollower:
    """Reads new records of the event log, including its rotated files.

    Files that cannot be read are set aside: the database lists their names until they are readable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sizes: dict[tuple[int, str], int] = {}  # size when last read, by (inode, name)
        set_aside = calls.quarantined_pieces(kind="unreadable")
        self._unreadable = {row.file for row in set_aside}  # names of files

    def read_new_records(self) -> int:
        """Read everything new into the ledger; returns the number of new records."""
        new_count = 0
        current = self._settings.paths.event_log
        files, non_files = log_files.find_logs(current.parent, current.name)
        unreadable = {log_files.storable_name(path): "it is no file" for path in non_files}
        for file in files:
            key = (file.inode, file.path.name)
            if self._sizes.get(key) == file.size:
                continue
            try:
                new_count += self._read_file(file.path)
                self._sizes[key] = file.size
            except FileNotFoundError:  # rotated just now: found again by its new name
                continue
            except OSError as error:
                unreadable[log_files.storable_name(file.path)] = str(error)
        self._update_quarantine(unreadable)
        return new_count

    def _read_file(self, path: Path) -> int:
        """Read what is new in one log file; returns the number of new records."""
        return ledger.read_log(path, self._settings.calls, growing=True)

    def _update_quarantine(self, unreadable: dict[str, str]) -> None:
        """Store the names of unreadable files; delete those of files readable again or gone.

        `unreadable` has the reason for each file, by the file's name.
        """
        if self._unreadable == unreadable.keys():
            return
        for name in unreadable.keys() - self._unreadable:
            log.error("%s beside the event log cannot be read: %s", name, unreadable[name])
        with write_transaction():
            for name in unreadable:
                calls.quarantine_pieces(name, [Damage("unreadable", 0, name.encode())])
            for name in self._unreadable - unreadable.keys():
                calls.release_piece("unreadable", name.encode())
        self._unreadable = set(unreadable)
