"""The schema of the open database: its migrations, and whether another release has made it."""

import datetime as dt
from pathlib import Path

from playhouse.migrations import Runner

from appliance import PACKAGE
from appliance.core import db

MIGRATIONS = PACKAGE / "migrations"
OLDEST_RELEASE = "0.2.0"  # whose tables the first migration creates
BRIDGE_RELEASE = "0.3.0"  # the newest release that migrates databases of older ones


class UnsupportedSchema(RuntimeError):
    """A newer or a too old release made the database; the message says which one to install."""


def schema_differences() -> tuple[list[str], list[str]]:
    """Return the names of the migrations that the open database lacks, and of those unknown here.

    The first belong to this release and were not applied; the others were applied by another
    release.
    """
    rows = db.database.execute_sql("SELECT name FROM schema_migration").fetchall()
    applied_names = {name for (name,) in rows}
    release_names = _release_names()
    missing_names = sorted(set(release_names) - applied_names)
    return missing_names, _unknown_names(applied_names, release_names)


def apply_migrations() -> list[str]:
    """Bring the open database to the newest schema; returns the names of the applied migrations.

    A database that holds data is first copied, online, to a file next to it. Raises
    UnsupportedSchema, and changes nothing, if this release cannot migrate it.
    """
    runner = Runner(db.database, str(MIGRATIONS), table_name="schema_migration")
    applied_names, release_names = set(runner.applied()), _release_names()
    if unknown_names := _unknown_names(applied_names, release_names):  # the newest suffice below
        raise UnsupportedSchema(
            f"a newer release has made this database: {', '.join(unknown_names[-3:])}; "
            "install that release or a newer one"
        )
    if applied_names and release_names[0] not in applied_names:
        raise UnsupportedSchema(
            f"a release before {OLDEST_RELEASE} has made this database: {max(applied_names)}; "
            f"install release {BRIDGE_RELEASE} first"
        )
    # An empty database, or one with the newest schema, needs no copy.
    if applied_names and not applied_names.issuperset(release_names):
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
        db.copy_database(Path(f"{db.database.database}.before-{stamp}"))
    return list(runner.up())


def _release_names() -> list[str]:
    """Return the names of this release's migrations, in their order."""
    return sorted(file.stem for file in MIGRATIONS.glob("[0-9]*.py"))


def _unknown_names(applied_names: set[str], release_names: list[str]) -> list[str]:
    """Return those of `applied_names` that belong to other releases only.

    `release_names` are this release's own migrations, in order. Names older than the first of them
    are left out, because that migration replaces them.
    """
    return sorted(
        name for name in applied_names.difference(release_names) if name > release_names[0]
    )
