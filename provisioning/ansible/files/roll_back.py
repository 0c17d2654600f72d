"""Give the former release its database back, with what was written since the upgrade.

    roll_back.py DATABASE COPY MIGRATED [--accept-loss] [--user NAME]
    roll_back.py DATABASE COPY --only-copy [--user NAME]

COPY is the database before the upgrade, in the former release's schema; MIGRATED is that copy as
the new release's migrations left it, before anybody wrote; DATABASE is its current state. What
differs between the last two was written since: it goes into a copy of COPY, table by table, which
then takes the place of DATABASE. The new release's database stays next to it (`.rolled-back-…`).

A table whose columns or values the migrations have changed cannot take those rows: they are named,
and without --accept-loss nothing is changed (exit status 3). Their numbers are never given out
again. The database must not be open elsewhere. Only the standard library is used: neither release
need work.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import pwd
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REFUSED = 3  # exit status: something cannot be carried over, and that was not accepted
HISTORY = "schema_migration"  # says which schema it is: stays the copy's
INDEX = ("search_entry", "search_word")  # with its full-text table; `appliance migrate` fills it
APPENDED = ("audit_entry", "audit_anchor")  # a chain: what the migrations added belongs to it
REGISTRATIONS = ("appeal", "call_form")  # named by their numbers; people fill in their new columns
SERIES = {"number_series": "appeal", "call_number_series": "call_form"}
SPARE = 1_000  # numbers left out where the new release's series cannot be read
EMPTY = ("NULL", "''", "0", "'[]'", "'{}'")  # of a new column: nobody has put anything there
SHOWN = 200  # names of rows printed for each table
ASIDE = 3  # databases of new releases that stay next to it


@dataclass
class Report:
    """What was carried over, table → rows; what cannot be, table → names of rows; hints."""

    carried: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)

    def lose(self, table: str, names: Sequence[str]) -> None:
        """These rows of a table, or their new columns, are not in the former release's database."""
        if names:
            self.lost.setdefault(table, []).extend(names)


class Merge:
    """The three databases on one connection: `main` is the copy, `migrated`, `newer`."""

    def __init__(self, result: Path, migrated: Path, newer: Path) -> None:
        """Attach all three; only `result` is written."""
        self.db = sqlite3.connect(f"{result.as_uri()}", uri=True, isolation_level=None)
        self.db.execute("PRAGMA foreign_keys = off")
        # The audit's triggers refuse changes; no row is changed by them here.
        self.db.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
        for name, file in (("migrated", migrated), ("newer", newer)):
            self.db.execute(f"ATTACH ? AS {name}", (f"{file.as_uri()}?mode=ro",))
        self.report = Report()

    def run(self) -> Report:
        """Carry over what can be; returns what was, and what was not."""
        self.db.execute("BEGIN IMMEDIATE")
        former = self._tables("main")
        newer = self._tables("newer")
        for table in former:
            if table not in newer or table not in self._tables("migrated"):
                self.report.hints.append(f"{table}: the new release has no such table")
            elif self._key("main", table) != self._key("newer", table):
                self.report.lose(table, self._names(table, self._written(table)))
            else:
                self._carry(table)
        for table in newer:
            if table not in former:
                self._look_at_new_table(table, bool(set(former) - set(newer)))
        self._drop_orphans(former)
        self._clear_index()
        if "held_message" not in former:
            self._end_messages_on_hold()
        self._leave_numbers_out()
        if (fault := self._value("PRAGMA main.quick_check(1)")) != "ok":
            raise RuntimeError(f"the database put together is damaged: {fault}")
        self.db.execute("COMMIT")
        return self.report

    def _carry(self, table: str) -> None:
        """The rows of a table that were written, changed or removed since the migrations."""
        columns = list(self._columns("main", table))
        key = self._key("main", table)
        base = "main" if table in APPENDED else "migrated"
        if any(c not in self._columns("newer", table) for c in columns):
            self.report.lose(table, self._names(table, self._written(table)))
            return
        self._look_at_new_columns(table, set(self._columns("newer", table)) - set(columns))
        here, there = f"newer.{_quoted(table)}", f"{base}.{_quoted(table)}"
        names = _list(columns)
        self.db.execute("DROP TABLE IF EXISTS temp.since")
        self.db.execute(
            f"CREATE TEMP TABLE since AS SELECT {_list(columns, 'n')} FROM {here} n"
            f" LEFT JOIN {there} b ON {_same(key, 'n', 'b')}"
            f" WHERE b.{_quoted(key[0])} IS NULL OR {_differs(columns, 'n', 'b')}"
        )
        gone = (
            f"SELECT {_list(key, 'b')} FROM {there} b"
            f" WHERE NOT EXISTS (SELECT 1 FROM {here} n WHERE {_same(key, 'n', 'b')})"
        )
        changed = self._value("SELECT count(*) FROM temp.since")
        removed = self._value(f"SELECT count(*) FROM ({gone})")
        if not changed and not removed:
            return
        if base == "migrated" and self._rewritten(table, key, columns):
            self.report.lose(table, self._names(table, "temp.since"))
            if removed:
                self.report.hints.append(f"{table}: {removed} rows removed since are there again")
            return
        own = f"main.{_quoted(table)}"
        since = f"SELECT {_list(key)} FROM temp.since"
        self.db.execute(f"DELETE FROM {own} WHERE ({_list(key)}) IN ({gone})")
        self.db.execute(f"DELETE FROM {own} WHERE ({_list(key)}) IN ({since})")
        self.db.execute(f"INSERT INTO {own} ({names}) SELECT {names} FROM temp.since")
        self.report.carried[table] = changed + removed

    def _rewritten(self, table: str, key: Sequence[str], columns: Sequence[str]) -> bool:
        """Whether the migrations have changed values of rows: new rows may be of the new form."""
        found = (
            f"SELECT 1 FROM main.{_quoted(table)} o JOIN migrated.{_quoted(table)} m"
            f" ON {_same(key, 'o', 'm')} WHERE {_differs(columns, 'o', 'm')} LIMIT 1"
        )
        return self.db.execute(found).fetchone() is not None

    def _look_at_new_columns(self, table: str, columns: set[str]) -> None:
        """What was put since into columns that the former release does not have."""
        for column in sorted(columns):
            filled = f"n.{_quoted(column)} IS NOT m.{_quoted(column)} AND " + " AND ".join(
                f"n.{_quoted(column)} IS NOT {empty}" for empty in EMPTY
            )
            rows = (
                f"SELECT n.* FROM newer.{_quoted(table)} n LEFT JOIN migrated.{_quoted(table)} m"
                f" ON {_same(self._key('newer', table), 'n', 'm')} WHERE {filled}"
            )
            names = self._names(table, f"({rows})")
            if table in REGISTRATIONS:
                self.report.lose(table, [f"{name} ({column} only)" for name in names])
            elif names:
                self.report.hints.append(f"{table}: {column} of {len(names)} rows is left behind")

    def _look_at_new_table(self, table: str, replaced: bool) -> None:
        """`replaced`: a table of before is gone, so this one may hold what that one did."""
        names = self._names(table, self._written(table))
        if names and replaced:
            self.report.lose(table, names)
        elif names:
            self.report.hints.append(
                f"{table}: {len(names)} rows of this new table are left behind"
            )

    def _drop_orphans(self, tables: Sequence[str]) -> None:
        """Rows that belong to a row that was not carried over are not carried over either."""
        while found := self.db.execute("PRAGMA main.foreign_key_check").fetchall():
            carried = [row for row in found if row[0] in self.report.carried and row[1] is not None]
            if not carried:
                return  # such rows were there before
            for table, row, _parent, _number in carried:
                where = f"(SELECT * FROM main.{_quoted(table)} WHERE rowid = {int(row)})"
                self.report.lose(table, self._names(table, where))
                self.db.execute(f"DELETE FROM main.{_quoted(table)} WHERE rowid = ?", (row,))

    def _clear_index(self) -> None:
        """Empty the search's index where it differs: the former release makes it again."""
        if not {"appeal", *INDEX} & set(self.report.carried):
            return
        for (name,) in self.db.execute(
            "SELECT name FROM main.sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
        ).fetchall():
            self.db.execute(f"INSERT INTO {_quoted(name)} ({_quoted(name)}) VALUES ('delete-all')")
        for table in INDEX:
            if self._columns("main", table):
                self.db.execute(f"DELETE FROM main.{_quoted(table)}")
            self.report.carried.pop(table, None)

    def _end_messages_on_hold(self) -> None:
        """The former release knows no such state: it lists them as too late, to be tried again."""
        ended = self.db.execute(
            "UPDATE main.message SET state = 'expired', ended_at = unixepoch() * 1000000"
            " WHERE state = 'held'"
        ).rowcount
        if ended:
            self.report.hints.append(f"message: {ended} on hold are listed as too late, not sent")

    def _leave_numbers_out(self) -> None:
        """No number that the new release gave out is given out again."""
        year = dt.datetime.now(dt.UTC).year
        for series, table in SERIES.items():
            if not self._columns("main", series):
                continue
            for one, last in self._last_numbers(series, table, year).items():
                self.db.execute(
                    f"INSERT INTO main.{series} (year, last) VALUES (?, ?) ON CONFLICT (year)"
                    " DO UPDATE SET last = max(last, excluded.last)",
                    (one, last),
                )
        if "message" in self.report.lost:
            self._stand_in("message", {"state": "delivered", "channel": "none"})
        if "ministry_package" in self.report.lost:
            self.report.hints.append("ministry_package: compare the numbers of the signed files")
        if "handling" in self.report.lost and self._columns("newer", "handling").get("version"):
            self.db.execute(
                "UPDATE main.handling SET version = max(version, coalesce((SELECT n.version"
                " FROM newer.handling n WHERE n.appeal_id = handling.appeal_id), 0))"
            )

    def _last_numbers(self, series: str, table: str, year: int) -> dict[int, int]:
        """The last number of each year that the new release gave out."""
        if {"year", "last"} <= set(self._columns("newer", series)):
            return dict(self.db.execute(f"SELECT year, last FROM newer.{series}").fetchall())
        if "number" in self._columns("newer", table):
            last_of: dict[int, int] = {}
            for (number,) in self.db.execute(f"SELECT number FROM newer.{table}"):
                one, _, count = str(number).removeprefix("Q-").partition("-")
                last_of[int(one)] = max(last_of.get(int(one), 0), int(count))
            return last_of
        last = self._value(f"SELECT max(last) FROM main.{series} WHERE year = {year}") or 0
        return {year: last + SPARE}

    def _stand_in(self, table: str, values: dict[str, Any]) -> None:
        """A row with the highest id that was given out, so that the next one is higher."""
        highest = self._value(f"SELECT max(id) FROM newer.{table}") or 0
        if highest <= (self._value(f"SELECT max(id) FROM main.{table}") or 0):
            return
        row: dict[str, Any] = {}
        for name, (kind, _key, required) in self._columns("main", table).items():
            if required:
                row[name] = 0 if "INT" in kind.upper() else "{}" if "JSON" in kind else ""
        row |= values | {"id": highest}
        if "key" in row:
            row["key"] = f"none:{highest}"
        marks = ", ".join("?" * len(row))
        self.db.execute(
            f"INSERT INTO main.{table} ({_list(row)}) VALUES ({marks})", [*row.values()]
        )

    def _written(self, table: str) -> str:
        """The rows of the newer database that the migrated one does not have, with all columns."""
        rows = f"SELECT * FROM newer.{_quoted(table)}"
        if table in self._tables("migrated"):
            rows += f" EXCEPT SELECT * FROM migrated.{_quoted(table)}"
        return f"({rows})"

    def _names(self, table: str, source: str) -> list[str]:
        """By which people know rows of a table or query: their numbers, else their keys."""
        found = [c[0] for c in self.db.execute(f"SELECT * FROM {source} LIMIT 0").description]
        by = (
            ["number"]
            if "number" in found and table in REGISTRATIONS
            else self._key("newer", table)
        )
        by = [one for one in by if one in found] or found[:1]
        rows = self.db.execute(f"SELECT {_list(by)} FROM {source} ORDER BY 1")
        return ["/".join(map(str, row)) for row in rows]

    def _key(self, schema: str, table: str) -> list[str]:
        """The columns of the primary key; all of them where there is none."""
        columns = self._columns(schema, table)
        return [n for n, (_, key, _) in columns.items() if key] or list(columns)

    def _columns(self, schema: str, table: str) -> dict[str, tuple[str, int, int]]:
        """Name → (declared type, place in the primary key, whether a value is required)."""
        rows = self.db.execute(
            'SELECT name, type, pk, "notnull" AND dflt_value IS NULL AND pk = 0'
            " FROM pragma_table_info(?, ?)",
            (table, schema),
        )
        return {name: (kind, key, required) for name, kind, key, required in rows}

    def _tables(self, schema: str) -> list[str]:
        """Those that hold what people and programs wrote."""
        rows = self.db.execute(
            "SELECT name FROM pragma_table_list WHERE schema = ? AND type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
            (schema,),
        )
        return [name for (name,) in rows if name != HISTORY]

    def _value(self, query: str) -> Any:
        return self.db.execute(query).fetchone()[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f"{of}.{_quoted(name)}" if of else _quoted(name) for name in names)


def _same(key: Sequence[str], one: str, other: str) -> str:
    return " AND ".join(f"{one}.{_quoted(c)} IS {other}.{_quoted(c)}" for c in key)


def _differs(columns: Sequence[str], one: str, other: str) -> str:
    return " OR ".join(f"{one}.{_quoted(c)} IS NOT {other}.{_quoted(c)}" for c in columns)


def roll_back(database: Path, copy: Path, migrated: Path | None, *, accept_loss: bool) -> Report:
    """Put the copy with what was written since in the database's place, unless that loses rows.

    `migrated`: None when nobody has written since.

    Raises OSError, sqlite3.Error, RuntimeError: nothing was changed then.
    """
    fold_in(database)
    result = database.with_name(f"{database.name}.rolling-back")
    result.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as source:
            source.execute("VACUUM INTO ?", (str(result),))
        report = merged(result, migrated, database) if migrated else Report()
        if report.lost and not accept_loss:
            return report
        with result.open("rb") as stream:
            os.fsync(stream.fileno())
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        os.link(database, database.with_name(f"{database.name}.rolled-back-{stamp}"))
        result.chmod(database.stat().st_mode & 0o777)
        result.replace(database)
        for file in sorted(database.parent.glob(f"{database.name}.rolled-back-*"))[:-ASIDE]:
            file.unlink()
    finally:
        result.unlink(missing_ok=True)
    return report


def merged(result: Path, migrated: Path, newer: Path) -> Report:
    """Put into `result` what was written since the migrations."""
    merge = Merge(result, migrated, newer)
    with contextlib.closing(merge.db):
        return merge.run()


def fold_in(database: Path) -> None:
    """Take the write-ahead log into the file. Raises sqlite3.Error while others have it open."""
    with contextlib.closing(sqlite3.connect(database, timeout=0)) as connection:
        connection.execute("PRAGMA journal_mode = delete")


def lines(report: Report, verb: str) -> Iterator[str]:
    """The report for people."""
    if report.carried:
        counts = ", ".join(f"{table} {count}" for table, count in sorted(report.carried.items()))
        yield f"{verb} over, rows by table: {counts}"
    for table, names in sorted(report.lost.items()):
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"not carried over, {table}: {', '.join(names[:SHOWN])}{more}"
    yield from report.hints


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit status: 0 done, 1 failed, 3 refused; 1 and 3 have changed nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("copy", type=Path)
    parser.add_argument("migrated", type=Path, nargs="?")
    parser.add_argument("--only-copy", action="store_true")
    parser.add_argument("--accept-loss", action="store_true")
    parser.add_argument("--user", help="become this one first, when root runs it")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(words)
    if wanted.user and os.getuid() == 0:
        who = pwd.getpwnam(wanted.user)
        os.initgroups(who.pw_name, who.pw_gid)
        os.setgid(who.pw_gid)
        os.setuid(who.pw_uid)
    os.umask(0o077)
    if (wanted.migrated is None) != wanted.only_copy:
        parser.error("either MIGRATED or --only-copy")
    migrated = wanted.migrated and wanted.migrated.absolute()
    files = wanted.database.absolute(), wanted.copy.absolute()
    try:
        report = roll_back(*files, migrated, accept_loss=wanted.accept_loss)
    except (OSError, sqlite3.Error, RuntimeError) as error:
        print(f"the database was not changed: {error}")
        return 1
    refused = bool(report.lost) and not wanted.accept_loss
    if wanted.json:
        print(json.dumps({"carried": report.carried, "lost": report.lost, "hints": report.hints}))
    else:
        print("\n".join(lines(report, "would be carried" if refused else "carried")))
    return REFUSED if refused else 0


if __name__ == "__main__":
    sys.exit(main())
