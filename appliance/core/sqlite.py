"""The single SQLite library of all processes, supplied by the package `pysqlite3`.

Debian's own has the WAL-reset fault (https://sqlite.org/wal.html#walresetbug): when several
connections write and checkpoint, it can lose committed changes or damage the file. No other module
imports `sqlite3` or `pysqlite3`: two libraries in one process would not see each other's locks on
the file, and the first to close it would release the locks of the other.

    python -m appliance.core.sqlite FILE [STATEMENT]

prints the rows returned by a statement, or by the statements on standard input, each as a tuple.
Use it in place of `python -m sqlite3` and of Debian's `sqlite3`.
"""

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pysqlite3 declares no types; its interface is that of the standard library
    import sqlite3 as driver
else:
    from pysqlite3 import dbapi2 as driver

Connection = driver.Connection
Cursor = driver.Cursor
Row = driver.Row
Error = driver.Error
DatabaseError = driver.DatabaseError
OperationalError = driver.OperationalError
ProgrammingError = driver.ProgrammingError
connect = driver.connect
register_adapter = driver.register_adapter
version: str = driver.sqlite_version

FIRST_SAFE_VERSION = (3, 51, 3)  # first version without the WAL-reset fault (sqlite.org)
SAFE_BACKPORTS = ((3, 50, 7), (3, 44, 6))  # first fixed versions of older branches


def is_safe_version(version_text: str) -> bool:
    """Return True if a version of SQLite, such as "3.51.3", is free of the WAL-reset fault.

    Returns False for a text that is not a version.
    """
    try:
        parts = tuple(int(part) for part in version_text.split("."))
    except ValueError:
        return False
    return parts >= FIRST_SAFE_VERSION or any(
        parts[:2] == first[:2] and parts >= first for first in SAFE_BACKPORTS
    )


def _main(file: str, *statements: str) -> None:
    """Print the rows that statements on a database file return. Raises Error for an invalid one."""
    with contextlib.closing(connect(file, isolation_level=None)) as connection:
        for statement in statements or _complete_statements(sys.stdin.read()):
            for row in connection.execute(statement):
                sys.stdout.write(f"{row}\n")


def _complete_statements(text: str) -> list[str]:
    """Split a text into its SQL statements, each of which ends with a semicolon."""
    statements = [""]
    for piece in text.split(";"):
        statements[-1] += f"{piece};"
        if driver.complete_statement(statements[-1]):
            statements.append("")
    return [statement for statement in statements if statement.strip(" \n;")]


if __name__ == "__main__":
    _main(*sys.argv[1:])
