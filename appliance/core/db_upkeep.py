"""Overwriting what the open database's files hold of what was deleted or replaced."""

import os

from peewee import OperationalError

from appliance.core import db


def empty_log() -> bool:
    """Bring the write-ahead log into the file and cut it to nothing; whether that was possible.

    Until then the log holds pages as they were. It does not wait: a reader or the replicator
    keeps the log in use, and a later call tries again.
    """
    if db.database.in_transaction():
        return False
    db.database.execute_sql("PRAGMA busy_timeout = 0")
    try:
        busy, _pages, _moved = db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except OperationalError as error:
        if not db.is_busy(error):
            raise
        return False
    finally:
        db.database.execute_sql(f"PRAGMA busy_timeout = {int(db.PATIENCE * 1000)}")
    return not busy


def rebuild(most: int) -> bool:
    """Rewrite the file without anything that its pages held before (VACUUM); whether it was.

    It is not when the file has more than `most` bytes, for nobody else writes in that time, nor
    when somebody writes for longer than db.PATIENCE.
    """
    if os.path.getsize(str(db.database.database)) > most:
        return False
    try:
        db.database.execute_sql("VACUUM")
    except OperationalError as error:
        if not db.is_busy(error):
            raise
        return False
    return True
