"""The one SQLite of all processes: the library that the package `pysqlite3` brings along.

Debian's own has the WAL-reset fault (https://sqlite.org/wal.html#walresetbug): where several
connections write and checkpoint, it can lose committed changes or damage the file. Nothing else
imports `sqlite3` or `pysqlite3`: two libraries in one process would not see each other's locks on
the file, and the first to close it would drop those of the other.

    python -m appliance.core.sqlite FILE [STATEMENT]

prints the rows of a statement, or of those on standard input, each as a tuple. Use it in place of
`python -m sqlite3` and of Debian's `sqlite3`.
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

FIXED = (3, 51, 3)  # the first version without the WAL-reset fault, by sqlite.org
BACKPORTS = ((3, 50, 7), (3, 44, 6))  # older lines that received the correction, and from where on


def is_safe(number: str) -> bool:
    """Whether a version of SQLite, as "3.51.3", is free of the WAL-reset fault.

    A text that is no version is not.
    """
    try:
        parts = tuple(int(part) for part in number.split("."))
    except ValueError:
        return False
    return parts >= FIXED or any(parts[:2] == first[:2] and parts >= first for first in BACKPORTS)


def _main(file: str, *statements: str) -> None:
    """Print what statements on a database file return; raises Error for what it refuses."""
    with contextlib.closing(connect(file, isolation_level=None)) as connection:
        for statement in statements or _whole(sys.stdin.read()):
            for row in connection.execute(statement):
                sys.stdout.write(f"{row}\n")


def _whole(text: str) -> list[str]:
    """The statements of a text, each of which ends with a semicolon."""
    found = [""]
    for piece in text.split(";"):
        found[-1] += f"{piece};"
        if driver.complete_statement(found[-1]):
            found.append("")
    return [statement for statement in found if statement.strip(" \n;")]


if __name__ == "__main__":
    _main(*sys.argv[1:])
