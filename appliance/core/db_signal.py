"""Notifying waiting processes that a transaction has written something."""

import contextlib
import os
import threading
from pathlib import Path

from inotify_simple import flags
from peewee import SqliteDatabase

from appliance.core import files
from appliance.core.path_watch import PathWatch

_GATHER_WINDOW_SECONDS = 0.005  # seconds: changes written together are read together


class CommitSignal:
    """A signal to other processes that a transaction has ended and its changes can be read.

    The signal is the modification time of a file next to the database, which the kernel reports
    (inotify). A process that was killed before it could signal, or met a full disk, notifies
    nobody: therefore a waiting process also polls from time to time.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._thread_state = threading.local()  # `is_requested`: a signal, by its transaction

    def request_signal(self) -> None:
        """Request a signal for the end of this thread's transaction."""
        self._thread_state.is_requested = True

    def finish_transaction(self, *, committed: bool) -> None:
        """Signal the end of this thread's transaction, if requested and `committed`."""
        if getattr(self._thread_state, "is_requested", False):
            self._thread_state.is_requested = False
            if committed:
                with contextlib.suppress(OSError):
                    self._touch_file()

    def open_watch(self) -> PathWatch:
        """Return a watch that waits for the next signal; the file is created if it is missing."""
        with contextlib.suppress(OSError):
            self._touch_file()
        return PathWatch(
            self._signal_file, flags.ATTRIB | flags.DELETE_SELF, _GATHER_WINDOW_SECONDS
        )

    def _touch_file(self) -> None:
        """Give the file a new modification time, which is the signal, or create it."""
        try:
            os.utime(self._signal_file)
        except FileNotFoundError:
            self._signal_file.touch(0o664)
            files.share_with_group(self._signal_file)

    @property
    def _signal_file(self) -> Path:
        """The file, next to the database, whose modification time is the signal."""
        return Path(f"{self._database.database}-bell")
