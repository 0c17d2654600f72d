"""Merges the rows written since an upgrade into the former release's database, table by table."""

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIGRATIONS_TABLE = "schema_migration"  # holds the version of the schema: stays that of the copy
INDEX_TABLES = ("search_entry", "search_word")  # with its full-text table; `migrate` fills it
APPEND_ONLY_TABLES = ("audit_entry", "audit_anchor")  # a chain, with the migrations' entries
REGISTRATION_TABLES = ("appeal", "call_form")  # listed by number; people fill in new columns
SERIES_TABLES = {"number_series": "appeal", "call_number_series": "call_form"}
SPARE_NUMBERS = 1_000  # numbers skipped where the new release's series cannot be read
EMPTY_SQL_VALUES = ("NULL", "''", "0", "'[]'", "'{}'")  # of a new column that nobody has filled in


@dataclass
class Report:
    """Rows carried over, table → count; rows that cannot be, table → names of rows; hints."""

    carried: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)

    def add_lost_rows(self, table: str, names: Sequence[str]) -> None:
        """Record rows, or their new columns, as missing in the former release's database."""
        if names:
            self.lost.setdefault(table, []).extend(names)


def merge_into_copy(result: Path, migrated: Path, newer: Path) -> Report:
    """Merge the rows written since the migrations into `result`."""
    merge = DatabaseMerge(result, migrated, newer)
    with contextlib.closing(merge.db):
        return merge.carry_over()


class DatabaseMerge:
    """The three databases on one connection: `main` is the copy, `migrated`, `newer`."""

    def __init__(self, result: Path, migrated: Path, newer: Path) -> None:
        """Attach all three databases; only `result` is written."""
        self.db = sqlite3.connect(f"{result.as_uri()}", uri=True, isolation_level=None)
        self.db.execute("PRAGMA foreign_keys = off")
        # The audit's triggers refuse changes; no row of it is changed here.
        self.db.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
        for name, file in (("migrated", migrated), ("newer", newer)):
            self.db.execute(f"ATTACH ? AS {name}", (f"{file.as_uri()}?mode=ro",))
        self.report = Report()

    def carry_over(self) -> Report:
        """Carry over all possible rows; returns the report."""
        self.db.execute("BEGIN IMMEDIATE")
        former_tables = self._table_names("main")
        newer_tables = self._table_names("newer")
        for table in former_tables:
            if table not in newer_tables or table not in self._table_names("migrated"):
                self.report.hints.append(f"{table}: the new release has no such table")
            elif self._primary_key("main", table) != self._primary_key("newer", table):
                self.report.add_lost_rows(table, self._row_names(table, self._new_rows(table)))
            else:
                self._carry_table(table)
        for table in newer_tables:
            if table not in former_tables:
                self._report_new_table(table, bool(set(former_tables) - set(newer_tables)))
        self._drop_orphans(former_tables)
        self._clear_index()
        if "held_message" not in former_tables:
            self._expire_held_messages()
        self._skip_used_numbers()
        if (fault := self._single_value("PRAGMA main.quick_check(1)")) != "ok":
            raise RuntimeError(f"the database put together is damaged: {fault}")
        self.db.execute("COMMIT")
        return self.report

    def _carry_table(self, table: str) -> None:
        """Carry over rows of a table that were written, changed or removed since the migrations."""
        columns = list(self._table_columns("main", table))
        key = self._primary_key("main", table)
        base = "main" if table in APPEND_ONLY_TABLES else "migrated"
        if any(column not in self._table_columns("newer", table) for column in columns):
            self.report.add_lost_rows(table, self._row_names(table, self._new_rows(table)))
            return
        self._report_new_columns(table, set(self._table_columns("newer", table)) - set(columns))
        newer_table, base_table = f"newer.{_quote(table)}", f"{base}.{_quote(table)}"
        name_list = _column_list(columns)
        self.db.execute("DROP TABLE IF EXISTS temp.since")
        self.db.execute(
            f"CREATE TEMP TABLE since AS SELECT {_column_list(columns, 'n')} FROM {newer_table} n"
            f" LEFT JOIN {base_table} b ON {_all_equal(key, 'n', 'b')}"
            f" WHERE b.{_quote(key[0])} IS NULL OR {_any_differs(columns, 'n', 'b')}"
        )
        removed_keys = (
            f"SELECT {_column_list(key, 'b')} FROM {base_table} b"
            f" WHERE NOT EXISTS (SELECT 1 FROM {newer_table} n WHERE {_all_equal(key, 'n', 'b')})"
        )
        changed_count = self._single_value("SELECT count(*) FROM temp.since")
        removed_count = self._single_value(f"SELECT count(*) FROM ({removed_keys})")
        if not changed_count and not removed_count:
            return
        if base == "migrated" and self._is_rewritten(table, key, columns):
            self.report.add_lost_rows(table, self._row_names(table, "temp.since"))
            if removed_count:
                self.report.hints.append(
                    f"{table}: {removed_count} rows removed since are there again"
                )
            return
        target = f"main.{_quote(table)}"
        changed_keys = f"SELECT {_column_list(key)} FROM temp.since"
        self.db.execute(f"DELETE FROM {target} WHERE ({_column_list(key)}) IN ({removed_keys})")
        self.db.execute(f"DELETE FROM {target} WHERE ({_column_list(key)}) IN ({changed_keys})")
        self.db.execute(f"INSERT INTO {target} ({name_list}) SELECT {name_list} FROM temp.since")
        self.report.carried[table] = changed_count + removed_count

    def _is_rewritten(self, table: str, key: Sequence[str], columns: Sequence[str]) -> bool:
        """Return True if the migrations changed values: new rows may have the new format."""
        query = (
            f"SELECT 1 FROM main.{_quote(table)} o JOIN migrated.{_quote(table)} m"
            f" ON {_all_equal(key, 'o', 'm')} WHERE {_any_differs(columns, 'o', 'm')} LIMIT 1"
        )
        return self.db.execute(query).fetchone() is not None

    def _report_new_columns(self, table: str, columns: set[str]) -> None:
        """Report values written since into columns that the former release does not have."""
        for column in sorted(columns):
            is_filled = f"n.{_quote(column)} IS NOT m.{_quote(column)} AND " + " AND ".join(
                f"n.{_quote(column)} IS NOT {empty}" for empty in EMPTY_SQL_VALUES
            )
            rows = (
                f"SELECT n.* FROM newer.{_quote(table)} n LEFT JOIN migrated.{_quote(table)} m"
                f" ON {_all_equal(self._primary_key('newer', table), 'n', 'm')} WHERE {is_filled}"
            )
            names = self._row_names(table, f"({rows})")
            if table in REGISTRATION_TABLES:
                self.report.add_lost_rows(table, [f"{name} ({column} only)" for name in names])
            elif names:
                self.report.hints.append(f"{table}: {column} of {len(names)} rows is left behind")

    def _report_new_table(self, table: str, is_replacement: bool) -> None:
        """Report the rows of a table that the former release does not have.

        `is_replacement`: a former table is missing, so this one may hold its data.
        """
        names = self._row_names(table, self._new_rows(table))
        if names and is_replacement:
            self.report.add_lost_rows(table, names)
        elif names:
            self.report.hints.append(
                f"{table}: {len(names)} rows of this new table are left behind"
            )

    def _drop_orphans(self, tables: Sequence[str]) -> None:
        """Remove carried-over rows whose parent row was not carried over."""
        while violations := self.db.execute("PRAGMA main.foreign_key_check").fetchall():
            orphans = [
                row for row in violations if row[0] in self.report.carried and row[1] is not None
            ]
            if not orphans:
                return  # such rows existed before
            for table, row, _parent, _number in orphans:
                source = f"(SELECT * FROM main.{_quote(table)} WHERE rowid = {int(row)})"
                self.report.add_lost_rows(table, self._row_names(table, source))
                self.db.execute(f"DELETE FROM main.{_quote(table)} WHERE rowid = ?", (row,))

    def _clear_index(self) -> None:
        """Empty the search index where it differs: the former release rebuilds it."""
        if not {"appeal", *INDEX_TABLES} & set(self.report.carried):
            return
        for (name,) in self.db.execute(
            "SELECT name FROM main.sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
        ).fetchall():
            self.db.execute(f"INSERT INTO {_quote(name)} ({_quote(name)}) VALUES ('delete-all')")
        for table in INDEX_TABLES:
            if self._table_columns("main", table):
                self.db.execute(f"DELETE FROM main.{_quote(table)}")
            self.report.carried.pop(table, None)

    def _expire_held_messages(self) -> None:
        """Expire messages on hold, a state that the former release does not have.

        It lists them as too late, to be retried.
        """
        expired_count = self.db.execute(
            "UPDATE main.message SET state = 'expired', ended_at = unixepoch() * 1000000"
            " WHERE state = 'held'"
        ).rowcount
        if expired_count:
            self.report.hints.append(
                f"message: {expired_count} on hold are listed as too late, not sent"
            )

    def _skip_used_numbers(self) -> None:
        """Prevent that a number issued by the new release is issued again."""
        year = dt.datetime.now(dt.UTC).year
        for series, table in SERIES_TABLES.items():
            if not self._table_columns("main", series):
                continue
            for series_year, last in self._last_numbers(series, table, year).items():
                self.db.execute(
                    f"INSERT INTO main.{series} (year, last) VALUES (?, ?) ON CONFLICT (year)"
                    " DO UPDATE SET last = max(last, excluded.last)",
                    (series_year, last),
                )
        if "message" in self.report.lost:
            self._insert_placeholder("message", {"state": "delivered", "channel": "none"})
        if "ministry_package" in self.report.lost:
            self.report.hints.append("ministry_package: compare the numbers of the signed files")
        if "handling" in self.report.lost and self._table_columns("newer", "handling").get(
            "version"
        ):
            self.db.execute(
                "UPDATE main.handling SET version = max(version, coalesce((SELECT n.version"
                " FROM newer.handling n WHERE n.appeal_id = handling.appeal_id), 0))"
            )

    def _last_numbers(self, series: str, table: str, year: int) -> dict[int, int]:
        """Return the last number issued by the new release, by year."""
        if {"year", "last"} <= set(self._table_columns("newer", series)):
            return dict(self.db.execute(f"SELECT year, last FROM newer.{series}").fetchall())
        if "number" in self._table_columns("newer", table):
            last_by_year: dict[int, int] = {}
            for (number,) in self.db.execute(f"SELECT number FROM newer.{table}"):
                number_year, _, count = str(number).removeprefix("Q-").partition("-")
                last_by_year[int(number_year)] = max(
                    last_by_year.get(int(number_year), 0), int(count)
                )
            return last_by_year
        last = self._single_value(f"SELECT max(last) FROM main.{series} WHERE year = {year}") or 0
        return {year: last + SPARE_NUMBERS}

    def _insert_placeholder(self, table: str, values: dict[str, Any]) -> None:
        """Insert a row with the highest id that was issued, so that the next id is higher."""
        highest = self._single_value(f"SELECT max(id) FROM newer.{table}") or 0
        if highest <= (self._single_value(f"SELECT max(id) FROM main.{table}") or 0):
            return
        row: dict[str, Any] = {}
        for name, (kind, _key, required) in self._table_columns("main", table).items():
            if required:
                row[name] = 0 if "INT" in kind.upper() else "{}" if "JSON" in kind else ""
        row |= values | {"id": highest}
        if "key" in row:
            row["key"] = f"none:{highest}"
        marks = ", ".join("?" * len(row))
        self.db.execute(
            f"INSERT INTO main.{table} ({_column_list(row)}) VALUES ({marks})", [*row.values()]
        )

    def _new_rows(self, table: str) -> str:
        """Return a query of the newer database's rows that differ from the migrated one's."""
        rows = f"SELECT * FROM newer.{_quote(table)}"
        if table in self._table_names("migrated"):
            rows += f" EXCEPT SELECT * FROM migrated.{_quote(table)}"
        return f"({rows})"

    def _row_names(self, table: str, source: str) -> list[str]:
        """Return the names of rows of a table or query: their numbers, else their keys."""
        columns = [c[0] for c in self.db.execute(f"SELECT * FROM {source} LIMIT 0").description]
        name_columns = (
            ["number"]
            if "number" in columns and table in REGISTRATION_TABLES
            else self._primary_key("newer", table)
        )
        name_columns = [column for column in name_columns if column in columns] or columns[:1]
        rows = self.db.execute(f"SELECT {_column_list(name_columns)} FROM {source} ORDER BY 1")
        return ["/".join(map(str, row)) for row in rows]

    def _primary_key(self, schema: str, table: str) -> list[str]:
        """Return the columns of the primary key; all columns where there is no key."""
        columns = self._table_columns(schema, table)
        return [name for name, (_, key, _) in columns.items() if key] or list(columns)

    def _table_columns(self, schema: str, table: str) -> dict[str, tuple[str, int, int]]:
        """Return name → (declared type, position in the primary key, if a value is required)."""
        rows = self.db.execute(
            'SELECT name, type, pk, "notnull" AND dflt_value IS NULL AND pk = 0'
            " FROM pragma_table_info(?, ?)",
            (table, schema),
        )
        return {name: (kind, key, required) for name, kind, key, required in rows}

    def _table_names(self, schema: str) -> list[str]:
        """Return the tables with data, without SQLite's own tables and the migrations' table."""
        rows = self.db.execute(
            "SELECT name FROM pragma_table_list WHERE schema = ? AND type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
            (schema,),
        )
        return [name for (name,) in rows if name != MIGRATIONS_TABLE]

    def _single_value(self, query: str) -> Any:
        return self.db.execute(query).fetchone()[0]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _column_list(names: Iterable[str], alias: str = "") -> str:
    return ", ".join(f"{alias}.{_quote(name)}" if alias else _quote(name) for name in names)


def _all_equal(key: Sequence[str], first_alias: str, second_alias: str) -> str:
    """Return the SQL condition that all columns are equal in two aliases."""
    return " AND ".join(
        f"{first_alias}.{_quote(column)} IS {second_alias}.{_quote(column)}" for column in key
    )


def _any_differs(columns: Sequence[str], first_alias: str, second_alias: str) -> str:
    """Return the SQL condition that any column differs between two aliases."""
    return " OR ".join(
        f"{first_alias}.{_quote(column)} IS NOT {second_alias}.{_quote(column)}"
        for column in columns
    )
