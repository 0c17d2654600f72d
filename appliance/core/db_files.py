"""Checks of database files that no process has open, such as the copy in a snapshot."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from appliance.core import sqlite


def first_integrity_error(file: Path) -> str:
    """Return the first integrity error in a database file that no process has open; "" if sound."""
    try:
        with contextlib.closing(_connect_immutable(file)) as connection:
            [result] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite.DatabaseError as error:
        return str(error)
    return "" if result == "ok" else result


def count_table_rows(file: Path, tables: Iterable[str]) -> dict[str, int]:
    """Return the number of rows in each of `tables` of a database file that no process has open."""
    with contextlib.closing(_connect_immutable(file)) as connection:
        return {
            table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
            for table in tables
        }


def highest_value(file: Path, table: str, column: str) -> int | None:
    """Return the highest integer in a column of a database file's table; None if it has no rows.

    A write-ahead log next to the file counts too.
    """
    with contextlib.closing(sqlite.connect(file)) as connection:
        rows = connection.execute(f'SELECT max("{column}") FROM "{table}"')  # noqa: S608
        value: int | None = rows.fetchone()[0]
    return value


def merge_write_ahead_log(file: Path) -> None:
    """Merge a database file's write-ahead log into it, so that the file alone is complete."""
    with contextlib.closing(sqlite.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = delete")


def read_only_uri(file: Path) -> str:
    """Return the URI that opens a database file read-only.

    If there is no write-ahead log next to it, opening it changes no byte.
    """
    log = file.with_name(f"{file.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return f"{file.resolve().as_uri()}?{mode}"


def _connect_immutable(file: Path) -> sqlite.Connection:
    """Open a file that nobody changes: SQLite takes no lock, and ignores a write-ahead log."""
    return sqlite.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True)
