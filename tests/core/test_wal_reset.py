"""The appliance's SQLite loses nothing while many connections write and checkpoint."""

import sys
from pathlib import Path

import peewee

from appliance.core import db, sqlite
from appliance.core.settings import Settings
from tests.rig.wal_storm import run_wal_storm

STORM_SECONDS = 12


def test_concurrent_writes_and_checkpoints_lose_nothing(tmp_path: Path) -> None:
    """Version 3.46.1 of Debian 13 does: its file is damaged in most runs within two seconds."""
    outcome = run_wal_storm(tmp_path / "storm.db", STORM_SECONDS)
    assert (outcome.errors, outcome.lost_rows) == ([], 0)
    assert outcome.commits > 1000


def test_peewee_works_with_the_same_library(settings: Settings) -> None:
    """Two libraries in one process would not see each other's locks."""
    assert peewee.sqlite3.sqlite_version == sqlite.version
    assert isinstance(db.database.connection(), sqlite.Connection)
    assert sqlite.Connection.__module__.partition(".")[0] == "pysqlite3"
    [[version]] = db.database.execute_sql("SELECT sqlite_version()").fetchall()
    assert sqlite.is_safe_version(version)
    assert sys.modules["sqlite3"].Connection is not sqlite.Connection
