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
    """Notifies the processes that wait for changes that a transaction was committed.

    A transaction requests this by `request_signal`; a process waits with the help of `open_watch`.
    The signal is not one of Unix: a file next to the database gets a new modification time, which
    the kernel reports (inotify). A process that was killed before it could signal, or met a full
    disk, notifies nobody: therefore a waiting process also polls from time to time.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        """Use a file next to that of `database`, which may be opened or changed later."""
        self._database = database
        self._thread_state = threading.local()  # `is_requested`, set by `request_signal`

    def request_signal(self) -> None:
        """Have the waiting processes notified when this thread's transaction is committed."""
        self._thread_state.is_requested = True

    def finish_transaction(self, *, committed: bool) -> None:
        """Notify the waiting processes if this thread's transaction requested it, and `committed`.

        The request is then forgotten. `committed` is False if the transaction was undone. Only the
        database calls this, at the end of each transaction.
        """
        if getattr(self._thread_state, "is_requested", False):
            self._thread_state.is_requested = False
            if committed:
                with contextlib.suppress(OSError):
                    self._touch_file()

    def open_watch(self) -> PathWatch:
        """Return a watch that waits until any process signals a commit; close it after use."""
        # Creates the file if it is missing; to the present watches this is a signal too many. If it
        # fails, PathWatch polls.
        with contextlib.suppress(OSError):
            self._touch_file()
        return PathWatch(
            self._signal_file, flags.ATTRIB | flags.DELETE_SELF, _GATHER_WINDOW_SECONDS
        )

    def _touch_file(self) -> None:
        """Give the file a new modification time, which is the signal, or create the file."""
        try:
            os.utime(self._signal_file)
        except FileNotFoundError:
            self._signal_file.touch(0o664)
            files.share_with_group(self._signal_file)

    @property
    def _signal_file(self) -> Path:
        """The file, next to the database, whose modification time is the signal."""
        return Path(f"{self._database.database}-bell")
