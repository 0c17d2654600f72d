"""A database that is locked by another writer for longer than anyone waits."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from appliance.core import db, sqlite

LOCK_TIMEOUT_SECONDS = 0.05  # how long writers wait in the tests, instead of ten seconds


@contextlib.contextmanager
def locked_database(file: Path) -> Iterator[None]:
    """Hold the write lock of this database: every other writer is refused in the meantime."""
    usual_timeout = db.database.pragma("busy_timeout")
    short_timeout = int(LOCK_TIMEOUT_SECONDS * 1000)
    with (
        patch.object(db, "WRITE_LOCK_TIMEOUT_SECONDS", LOCK_TIMEOUT_SECONDS),
        patch.object(db, "_BUSY_TIMEOUT_MILLISECONDS", short_timeout),
        contextlib.closing(sqlite.connect(file)) as connection,
    ):
        db.database.pragma("busy_timeout", short_timeout, permanent=True)
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            db.database.pragma("busy_timeout", usual_timeout, permanent=True)
