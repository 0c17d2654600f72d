"""Whoever has the database file: he takes the audit's triggers away, and puts them back."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from appliance.core import db, sqlite
from appliance.core.audit import verifying


def unguard() -> None:
    """Take the triggers away."""
    for name in verifying.TRIGGERS:
        db.database.execute_sql(f"DROP TRIGGER IF EXISTS {name}")


@contextlib.contextmanager
def forging() -> Iterator[None]:
    """The open database without the triggers; afterwards nobody sees that they were away."""
    unguard()
    yield
    for name in verifying.TRIGGERS:
        table, _, what = name.rpartition("_")
        body = "BEGIN SELECT RAISE(ABORT, 'no'); END"
        db.database.execute_sql(f"CREATE TRIGGER {name} BEFORE {what} ON {table} {body}")


def unguard_file(file: Path) -> None:
    """The same to a database file that nobody has open."""
    with contextlib.closing(sqlite.connect(file)) as connection, connection:
        for name in verifying.TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
