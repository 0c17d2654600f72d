"""A database that somebody else writes to for longer than anyone waits."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from appliance.core import db, sqlite

PATIENCE = 0.05  # seconds for which others wait meanwhile, in place of ten


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """A while in which whoever writes to this database is refused."""
    usual = db.database.pragma("busy_timeout")
    short = int(PATIENCE * 1000)
    with (
        patch.object(db, "PATIENCE", PATIENCE),
        patch.object(db, "_BUSY", short),
        contextlib.closing(sqlite.connect(file)) as other,
    ):
        db.database.pragma("busy_timeout", short, permanent=True)
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            db.database.pragma("busy_timeout", usual, permanent=True)
