"""Database files that nobody has open: a stage, a copy, what comes out of a snapshot."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from appliance.core import sqlite


def faults_of(file: Path) -> str:
    """What SQLite finds wrong in a database file that nobody has open; "" when it is whole."""
    try:
        with contextlib.closing(_untouched(file)) as connection:
            [first] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite.DatabaseError as error:
        return str(error)
    return "" if first == "ok" else first


def count_rows(file: Path, tables: Iterable[str]) -> dict[str, int]:
    """How many rows tables of a database file hold that nobody has open."""
    with contextlib.closing(_untouched(file)) as connection:
        return {
            table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
            for table in tables
        }


def highest(file: Path, table: str, column: str) -> int | None:
    """The highest whole number in a column of a database file; None when there is no row."""
    with contextlib.closing(sqlite.connect(file)) as connection:
        [found] = connection.execute(f'SELECT max("{column}") FROM "{table}"').fetchone()  # noqa: S608
    return found


def fold_in(file: Path) -> None:
    """Take the write-ahead log of a database file into it, so that the file alone is whole."""
    with contextlib.closing(sqlite.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = delete")


def address_to_read(file: Path) -> str:
    """The URI that opens a database file to read only: without a log next to it no byte changes."""
    log = file.with_name(f"{file.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return f"{file.resolve().as_uri()}?{how}"


def _untouched(file: Path) -> sqlite.Connection:
    return sqlite.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True)
