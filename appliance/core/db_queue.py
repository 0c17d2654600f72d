"""The queue of writers, in all processes, that wait for the database's write lock."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from peewee import SqliteDatabase


class LockQueue:
    """The writers in all processes that wait for the write lock; each has a shared lock on a file.

    The file is next to the database. The kernel releases its locks when a process ends.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    @contextlib.contextmanager
    def hold_place(self) -> Iterator[Callable[[], bool]]:
        """Let this writer wait in the queue inside the `with` block.

        Yields a function that takes the shared lock, and returns False if it could not. Call it at
        each attempt to begin a transaction: it fails while another process tests whether the queue
        is empty.
        """
        with self._open_queue_file() as file:
            yield lambda: self._try_lock(file, fcntl.LOCK_SH)

    def is_empty(self) -> bool:
        """Return True if no writer is waiting, or if the queue's file cannot be used."""
        with self._open_queue_file() as file:
            return self._try_lock(file, fcntl.LOCK_EX)  # it fails if any writer has a shared lock

    @staticmethod
    def _try_lock(file: int, kind: int) -> bool:
        """Lock an open file without waiting; returns False if another process holds its lock.

        `kind` is LOCK_SH or LOCK_EX of fcntl. Returns True if the file cannot be locked at all:
        there is no queue then.
        """
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a disk on which no such file can be created
            return True
        return True

    @contextlib.contextmanager
    def _open_queue_file(self) -> Iterator[int]:
        """Open the queue's file for the `with` block; yields its descriptor, -1 on failure."""
        try:
            file = os.open(f"{self._database.database}-line", os.O_RDONLY | os.O_CREAT, 0o664)
        except OSError:
            yield -1
            return
        try:
            yield file
        finally:
            os.close(file)
