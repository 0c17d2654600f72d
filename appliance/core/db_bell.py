"""Telling whoever waits for it, in whatever process, that something was written."""

import contextlib
import os
import threading
from pathlib import Path

from inotify_simple import flags
from peewee import SqliteDatabase

from appliance.core import files
from appliance.core.watching import Watch

_GATHERED = 0.005  # seconds: what is written together is read together


class Bell:
    """Rung when a transaction is over that somebody waits for: what it wrote can be read then.

    It is the time of a file beside the database, of which the kernel tells. Who could not ring,
    killed at that moment or on a full disk, is heard by none: who waits looks now and then, too.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._of_thread = threading.local()

    def ask(self) -> None:
        """Have it rung when this thread's transaction is over."""
        self._of_thread.asked = True

    def ring(self, *, written: bool) -> None:
        """A transaction of this thread is over; rung if it asked for that and was `written`."""
        if getattr(self._of_thread, "asked", False):
            self._of_thread.asked = False
            if written:
                with contextlib.suppress(OSError):
                    self._touch()

    def listen(self) -> Watch:
        """Waits until it is rung."""
        with contextlib.suppress(OSError):
            self._touch()
        return Watch(self._path, flags.ATTRIB | flags.DELETE_SELF, _GATHERED)

    def _touch(self) -> None:
        try:
            os.utime(self._path)
        except FileNotFoundError:
            self._path.touch(0o664)
            files.share(self._path)

    @property
    def _path(self) -> Path:
        return Path(f"{self._database.database}-bell")
