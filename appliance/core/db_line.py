"""Who waits to write into the database, in whatever process."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from peewee import SqliteDatabase


class Line:
    """Who waits for the write lock, in whatever process: each holds a share of a lock of its own.

    The lock is one on a file beside the database, and so ends with the process that holds it.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    @contextlib.contextmanager
    def stand(self) -> Iterator[Callable[[], bool]]:
        """Wait in it; what it yields is called at each look, for another may look just then."""
        with self._open() as file:
            yield lambda: self._has(file, fcntl.LOCK_SH)

    def is_empty(self) -> bool:
        """Whether nobody waits, as far as that can be known."""
        with self._open() as file:
            return self._has(file, fcntl.LOCK_EX)

    @staticmethod
    def _has(file: int, kind: int) -> bool:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a disk on which no such file can be made
            return True
        return True

    @contextlib.contextmanager
    def _open(self) -> Iterator[int]:
        try:
            file = os.open(f"{self._database.database}-line", os.O_RDONLY | os.O_CREAT, 0o664)
        except OSError:
            yield -1
            return
        try:
            yield file
        finally:
            os.close(file)
