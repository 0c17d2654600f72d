"""Act as a person who has the database file: drop the audit's triggers, and restore them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from appliance.core import db, sqlite
from appliance.core.audit import verifying


def drop_triggers() -> None:
    """Drop the audit's triggers in the open database."""
    for name in verifying.GUARD_TRIGGERS:
        db.database.execute_sql(f"DROP TRIGGER IF EXISTS {name}")


@contextlib.contextmanager
def without_triggers() -> Iterator[None]:
    """Open database without the triggers; afterwards no trace shows that they were missing."""
    drop_triggers()
    yield
    for name in verifying.GUARD_TRIGGERS:
        table, _, operation = name.rpartition("_")
        body = "BEGIN SELECT RAISE(ABORT, 'no'); END"
        db.database.execute_sql(f"CREATE TRIGGER {name} BEFORE {operation} ON {table} {body}")


def drop_triggers_in_file(file: Path) -> None:
    """Drop the audit's triggers in a database file that nobody has open."""
    with contextlib.closing(sqlite.connect(file)) as connection, connection:
        for name in verifying.GUARD_TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
