"""schema.py BUNDLE DATABASE [USER]: whether the release of a bundle can serve the box's database.

Prints what is wrong, nothing when all is well. A release whose migrations lack one of those that
the database has is older than the one that made it, and would lose what that one wrote.
"""

import contextlib
import os
import pwd
import re
import sqlite3
import sys
import zipfile
from pathlib import Path


def known(bundle: Path) -> set[str]:
    """The migrations of the bundle's release. Raises ValueError when it has none."""
    for wheel in sorted(bundle.glob("wheels/appliance-*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            names = packed.namelist()
        return {found[1] for n in names if (found := re.search(r"migrations/(\d[^/]*)\.py$", n))}
    raise ValueError(f"{bundle} holds no release")


def applied(database: Path) -> set[str]:
    """The migrations that the database has."""
    with contextlib.closing(
        sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    ) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM schema_migration")}


def main(bundle: str, database: str, user: str = "") -> int:
    """The command. Exit status: 0 all is well, 1 it is refused."""
    try:
        mine = known(Path(bundle))
        if user and os.getuid() == 0:  # the database lies in that one's folder
            who = pwd.getpwnam(user)
            os.initgroups(who.pw_name, who.pw_gid)
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)
            os.umask(0o007)
        strange = sorted(applied(Path(database)) - mine) if Path(database).exists() else []
    except (OSError, KeyError, ValueError, sqlite3.Error, zipfile.BadZipFile) as error:
        print(f"the database and the release cannot be compared: {error}")
        return 1
    if strange:
        print(f"the box's database is of a newer release, which made {', '.join(strange[-3:])}")
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
