"""Whether a writer, in any process, waits for the database's write lock."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from peewee import SqliteDatabase


class WaitingWriters:
    """Shows whether a writer in any process waits for the write lock, so that long work lets it in.

    Each waiting writer holds a shared lock on a file next to the database; the kernel releases it
    when the writer's process ends. There is no order among them: the first one that takes the write
    lock has it.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        """Use a file next to that of `database`; it is created when it is first needed."""
        self._database = database

    @contextlib.contextmanager
    def announce_writer(self) -> Iterator[Callable[[], bool]]:
        """Count this writer as waiting inside the `with` block, once the yielded function succeeds.

        The function takes the shared lock on the file; it returns False if another process is just
        calling `is_empty`. Therefore call it again after each failed attempt to begin the
        transaction; a lock that is held already stays. The end of the block releases it.
        """
        with self._open_lock_file() as file:
            yield lambda: self._try_lock(file, fcntl.LOCK_SH)

    def is_empty(self) -> bool:
        """Return True if no writer in any process is waiting, or if the file cannot be used."""
        with self._open_lock_file() as file:
            return self._try_lock(file, fcntl.LOCK_EX)  # it fails if any writer has a shared lock

    @staticmethod
    def _try_lock(file: int, kind: int) -> bool:
        """Lock an open file without waiting; returns False if another lock on it prevents that.

        `kind` is LOCK_SH or LOCK_EX of fcntl, `file` a descriptor. Returns True if the file cannot
        be locked at all: then nobody can be seen waiting.
        """
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a disk on which no such file can be created
            return True
        return True

    @contextlib.contextmanager
    def _open_lock_file(self) -> Iterator[int]:
        """Open the file of the locks for the `with` block; yields its descriptor, -1 on failure."""
        try:
            file = os.open(f"{self._database.database}-line", os.O_RDONLY | os.O_CREAT, 0o664)
        except OSError:
            yield -1
            return
        try:
            yield file
        finally:
            os.close(file)
