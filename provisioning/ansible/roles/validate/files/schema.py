"""schema.py BUNDLE DATABASE [USER]: checks that a bundle's release can serve the box's database.

Prints the problem, nothing when all is well. A release that lacks one of the database's migrations
is older than the release that created it, and would lose data written by that release. The first
migration of a release replaces older ones: a database that lacks it needs another release first.
"""

import contextlib
import os
import pwd
import re
import sqlite3
import sys
import zipfile
from pathlib import Path


def release_migrations(bundle: Path) -> set[str]:
    """Return the migrations of the bundle's release. Raises ValueError when it has no release."""
    for wheel in sorted(bundle.glob("wheels/appliance-*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            files = archive.namelist()
        matches = (re.search(r"migrations/(\d[^/]*)\.py$", file) for file in files)
        if names := {match[1] for match in matches if match}:
            return names
    raise ValueError(f"{bundle} holds no release")


def database_migrations(database: Path) -> set[str]:
    """Return the migrations that the database has."""
    with contextlib.closing(
        sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    ) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM schema_migration")}


def main(bundle: str, database: str, user: str = "") -> int:
    """Run the command. Exit status: 0 all is well, 1 the release is refused."""
    try:
        supported = release_migrations(Path(bundle))
        if user and os.getuid() == 0:  # the database is in a folder of that user
            account = pwd.getpwnam(user)
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.umask(0o007)
        applied = database_migrations(Path(database)) if Path(database).exists() else set()
        first = min(supported)
    except (OSError, KeyError, ValueError, sqlite3.Error, zipfile.BadZipFile) as error:
        print(f"the database and the release cannot be compared: {error}")
        return 1
    if unsupported := sorted(name for name in applied - supported if name > first):
        print(
            f"the box's database is of a newer release, which made {', '.join(unsupported[-3:])}. "
            "Take the bundle of the release in force, or a newer one"
        )
        return 1
    if applied and first not in applied:
        print("the box's database is of a release before 0.2.0. Install release 0.3.0 first")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
