"""The one SQLite database: connection, write transactions, online copy."""

import datetime as dt
import sqlite3
from pathlib import Path

from peewee import SqliteDatabase
from playhouse.migrations import Runner

MIGRATIONS = Path(__file__).parent / "migrations"

# WAL: readers never wait for the writer. synchronous=full: what was acknowledged to an operator
# survives a power cut. busy_timeout: writers from other processes queue up instead of failing.
database = SqliteDatabase(
    None,
    pragmas={
        "journal_mode": "wal",
        "synchronous": "full",
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "cache_size": -32_000,
    },
)


def open_database(path: Path) -> SqliteDatabase:
    """Point the models at the database file (made if missing) and return the database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if database.database != str(path):
        if not database.is_closed():
            database.close()
        database.init(str(path))
    return database


def writing():  # type: ignore[no-untyped-def]  # peewee's context manager has no type
    """A write transaction that takes the write lock at once, so that it cannot fail half-way."""
    return database.atomic("immediate")


def prove_writable() -> None:
    """Change something that nobody reads. Raises peewee.OperationalError when it cannot."""
    with writing():
        stamp = int(dt.datetime.now(dt.UTC).timestamp())
        database.execute_sql(f"PRAGMA user_version = {stamp % 2**31}")


def faults() -> list[str]:
    """What SQLite finds wrong with the file, at most some; reads all of it."""
    rows = database.execute_sql("PRAGMA quick_check(5)").fetchall()
    return [text for (text,) in rows if text != "ok"]


def copy_to(target: Path) -> None:
    """Copy the running database, consistently, into a new file (SQLite's online backup)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(target) as copy:
        database.connection().backup(copy)
    copy.close()


def migrate() -> list[str]:
    """Bring the open database to the newest schema; returns the names of what was applied.

    A database that holds anything is first copied beside itself, online.
    """
    runner = Runner(database, str(MIGRATIONS), table_name="schema_migration")
    if runner.applied() and any(m.applied is None for m in runner.status()):
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
        copy_to(Path(f"{database.database}.before-{stamp}"))
    return list(runner.up())
