"""Overwriting deleted or replaced content that remains in the open database's files."""

import os

from peewee import OperationalError

from appliance.core import db


def truncate_log() -> bool:
    """Move the write-ahead log into the database file and truncate it; returns True on success.

    Until then the log still holds pages in their earlier state, with content that was deleted since
    (such as a citizen's data). The call does not wait: if a reader or the replicator is using the
    log, or inside a transaction, it returns False, and the caller tries again later.
    """
    if db.database.in_transaction():
        return False
    db.database.execute_sql("PRAGMA busy_timeout = 0")  # do not wait; the usual time is set below
    try:
        busy, _pages, _moved = db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except OperationalError as error:
        if not db.is_busy(error):
            raise
        return False
    finally:
        db.database.execute_sql(
            f"PRAGMA busy_timeout = {int(db.WRITE_LOCK_TIMEOUT_SECONDS * 1000)}"
        )
    return not busy


def vacuum_if_small_enough(max_file_bytes: int) -> bool:
    """Rewrite the database file (VACUUM), so that no deleted content is left in it.

    Returns True if that was done. It is not done if the file is larger than `max_file_bytes`,
    because no other process can write during that time, nor if another writer holds the lock for
    longer than db.WRITE_LOCK_TIMEOUT_SECONDS.
    """
    if os.path.getsize(str(db.database.database)) > max_file_bytes:
        return False
    try:
        db.database.execute_sql("VACUUM")
    except OperationalError as error:
        if not db.is_busy(error):
            raise
        return False
    return True
