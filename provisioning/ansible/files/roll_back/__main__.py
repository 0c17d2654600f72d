"""Restores the former release's database, with the rows written since the upgrade.

    python3 roll_back DATABASE COPY MIGRATED [--accept-loss] [--user NAME]
    python3 roll_back DATABASE COPY --only-copy [--user NAME]

COPY is the database before the upgrade, in the former release's schema; MIGRATED is that copy after
the new release's migrations, before anybody wrote; DATABASE is its current state. The differences
between the last two were written since: they are merged into a copy of COPY, table by table, which
then replaces DATABASE. The new release's database stays next to it (`.rolled-back-…`).

A table whose columns or values were changed by the migrations cannot receive those rows: they are
listed, and without --accept-loss nothing is changed (exit status 3). Their numbers are never issued
again. The database must not be open elsewhere. Only the standard library is used: neither release
needs to work.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import pwd
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from merging import Report, merge_into_copy

REFUSED_EXIT_STATUS = 3  # exit status: rows cannot be carried over, and that loss was not accepted
MAX_SHOWN_ROWS = 200  # names of rows printed per table
MAX_ROLLED_BACK_FILES = 3  # databases of new releases that stay next to it


def roll_back(database: Path, copy: Path, migrated: Path | None, *, accept_loss: bool) -> Report:
    """Replace the database by the copy with the rows written since, unless rows would be lost.

    `migrated`: None when nothing was written since.

    Raises OSError, sqlite3.Error, RuntimeError: then nothing was changed.
    """
    checkpoint_database(database)
    result = database.with_name(f"{database.name}.rolling-back")
    result.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as source:
            source.execute("VACUUM INTO ?", (str(result),))
        report = merge_into_copy(result, migrated, database) if migrated else Report()
        if report.lost and not accept_loss:
            return report
        with result.open("rb") as stream:
            os.fsync(stream.fileno())
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        os.link(database, database.with_name(f"{database.name}.rolled-back-{stamp}"))
        result.chmod(database.stat().st_mode & 0o777)
        result.replace(database)
        for file in sorted(database.parent.glob(f"{database.name}.rolled-back-*"))[
            :-MAX_ROLLED_BACK_FILES
        ]:
            file.unlink()
    finally:
        result.unlink(missing_ok=True)
    return report


def checkpoint_database(database: Path) -> None:
    """Merge the write-ahead log into the file. Raises sqlite3.Error while others have it open."""
    with contextlib.closing(sqlite3.connect(database, timeout=0)) as connection:
        connection.execute("PRAGMA journal_mode = delete")


def report_lines(report: Report, verb: str) -> Iterator[str]:
    """Yield the lines of the report for people."""
    if report.carried:
        counts = ", ".join(f"{table} {count}" for table, count in sorted(report.carried.items()))
        yield f"{verb} over, rows by table: {counts}"
    for table, names in sorted(report.lost.items()):
        more = f" and {len(names) - MAX_SHOWN_ROWS} more" if len(names) > MAX_SHOWN_ROWS else ""
        yield f"not carried over, {table}: {', '.join(names[:MAX_SHOWN_ROWS])}{more}"
    yield from report.hints


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit status: 0 done, 1 failed, 3 refused; 1 and 3 have changed nothing."""
    parser = argparse.ArgumentParser(prog="roll_back", description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("copy", type=Path)
    parser.add_argument("migrated", type=Path, nargs="?")
    parser.add_argument("--only-copy", action="store_true")
    parser.add_argument("--accept-loss", action="store_true")
    parser.add_argument("--user", help="become this one first, when root runs it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.user and os.getuid() == 0:
        account = pwd.getpwnam(options.user)
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    os.umask(0o077)
    if (options.migrated is None) != options.only_copy:
        parser.error("either MIGRATED or --only-copy")
    migrated = options.migrated and options.migrated.absolute()
    files = options.database.absolute(), options.copy.absolute()
    try:
        report = roll_back(*files, migrated, accept_loss=options.accept_loss)
    except (OSError, sqlite3.Error, RuntimeError) as error:
        print(f"the database was not changed: {error}")
        return 1
    is_refused = bool(report.lost) and not options.accept_loss
    if options.json:
        print(json.dumps({"carried": report.carried, "lost": report.lost, "hints": report.hints}))
    else:
        print("\n".join(report_lines(report, "would be carried" if is_refused else "carried")))
    return REFUSED_EXIT_STATUS if is_refused else 0


if __name__ == "__main__":
    sys.exit(main())
