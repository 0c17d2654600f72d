"""Each migration with data: rows of the previous schema survive it and its reversal unchanged."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playhouse.migrations import Runner

from appliance.core import db, schema, sqlite
from provisioning.local.settings_file import scratch_settings

MIGRATION_NAMES = sorted(file.stem for file in schema.MIGRATIONS.glob("[0-9]*.py"))
HISTORY_TABLE = "schema_migration"
CHANGED_COLUMNS = {  # columns that a migration rewrites or drops
    "0054_sessions": {("user", "session_number")},
    "0056_search_anew": {("article_version", "search_key")},
}
REBUILT_TABLES = {"0056_search_anew": ("search_entry", "search_word")}  # filled after the migration
RELEASE_0_2 = Path(__file__).with_name("release_0_2.sql")  # a site's database, as SQL
EARLY_MIGRATION, LATE_MIGRATION = "0021_attempts", "0068_operators_past"  # before 0.2.0; amid 0.3.0
UZBEK_VALUE = {"code": "uz", "text": ""}
PERSONAL_FIELD = {"name": "kim", "kind": "list", "personal": True}
# the values of two rows of a table where they matter; elsewhere any value that fits
ROW_VALUES: dict[str, list[dict[str, Any]]] = {
    "appeal": [
        {"consultation": 1, "consultation_contact": "", "registered_at": 10}
        | {"number": "2026-1", "call_id": "a.1", "form_version": 3}
        | {"extra": json.dumps({"til": UZBEK_VALUE, "kim": UZBEK_VALUE})},
        {"consultation": 1, "consultation_contact": "A. Sobirov", "registered_at": 20}
        | {"extra": json.dumps({"til": UZBEK_VALUE})},  # of no call
    ],
    "call_form": [
        {"number": "Q-2026-1", "call_id": "b.1", "version": 3}
        | {"extra": json.dumps({"til": {"code": "", "text": "Qozoqcha"}})},
        {"number": "Q-2026-2", "call_id": "c.1", "version": 3, "extra": "{}"},
    ],
    "form_version": [
        {"form": form, "number": 3}
        | {"fields": json.dumps({"fields": [{"name": "til", "kind": "list"}, PERSONAL_FIELD]})}
        for form in ("1", "2")
    ],
}
# the results of a migration
EXPECTED_RESULTS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "0038_lists_and_consultations": (
        "SELECT appeal_id, asked_at, contacted_at, done_at FROM consultation ORDER BY appeal_id",
        [(1, 10, None, None), (2, 20, 20, 20)],
    ),
    "0046_field_values": (
        "SELECT form, number, call_id, field, code FROM field_value ORDER BY form",
        [("1", "2026-1", "a.1", "til", "uz"), ("2", "Q-2026-1", "b.1", "til", "*")],
    ),
}


def own_tables(connection: sqlite.Connection) -> list[str]:
    """Return our own tables; those of the full-text search hold no data of their own."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    search_tables = [name for name, sql in rows if sql.startswith("CREATE VIRTUAL")]
    excluded = (HISTORY_TABLE, "sqlite_", *search_tables)
    return sorted(name for name, _ in rows if not name.startswith(excluded))


def fill_tables(file: Path) -> None:
    """Insert two rows into each table: one with all columns, one with only the required ones."""
    with closing(sqlite.connect(file)) as connection, connection:
        for table in own_tables(connection):
            columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
            keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
            links = {key[3]: column_type(connection, key[2], key[4]) for key in keys}
            for number in (1, 2):
                row = {
                    name: column_value(links.get(name, kind), number)
                    for _, name, kind, must_be, _, is_key in columns
                    if must_be or is_key or number == 1
                }
                values = ROW_VALUES.get(table, [{}, {}])[number - 1]
                row |= {name: v for name, v in values.items() if name in {c[1] for c in columns}}
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" * len(row))
                statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608
                connection.execute(statement, [*row.values()])
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def column_type(connection: sqlite.Connection, table: str, column: str) -> str:
    rows = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    return next(kind for _, name, kind, *_ in rows if name == column)


def column_value(kind: str, number: int) -> object:
    """Return a value of a column's type, the same in each table, so that keys match their rows."""
    match kind:
        case "INTEGER":
            return number
        case "REAL":
            return number + 0.5
        case "DATE":
            return f"2026-11-{number:02}"
        case "BLOB":
            return bytes([number])
        case "TEXT":
            return json.dumps({"number": number})
        case _:
            return f"text {number}"


def table_rows(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return table → its rows, in the order of insertion."""
    with closing(sqlite.connect(file)) as connection:
        connection.row_factory = sqlite.Row
        return {
            table: [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608
            for table in own_tables(connection)
        }


def table_schemas(file: Path) -> dict[str, list[Any]]:
    """Return table → its columns, keys and indexes."""
    with closing(sqlite.connect(file)) as connection:
        pragmas = ("table_info", "foreign_key_list", "index_list")
        return {
            f"{table}, {pragma}": sorted(
                row[1:] for row in connection.execute(f'PRAGMA {pragma}("{table}")')
            )
            for table in own_tables(connection)
            for pragma in pragmas
        }


def migration_runner() -> Runner:
    return Runner(db.database, str(schema.MIGRATIONS), table_name=HISTORY_TABLE)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each migration the database before it, with rows in all tables."""
    folder = tmp_path_factory.mktemp("stages")
    files = {}
    db.open_database(folder / "bare.db")
    for name in MIGRATION_NAMES:
        files[name] = folder / f"{name}.db"
        db.copy_database(files[name])
        fill_tables(files[name])
        migration_runner().up(name)
    db.database.close()
    return files


@pytest.fixture
def site(stages: dict[str, Path], name: str, tmp_path: Path) -> Iterator[Path]:
    """The database before the migration, open."""
    file = tmp_path / "site.db"
    shutil.copy(stages[name], file)
    db.open_database(file)
    yield file
    db.database.close()


@pytest.mark.parametrize("name", MIGRATION_NAMES)
def test_rows_survive_a_migration_and_its_reversal(site: Path, name: str) -> None:
    rows, columns = table_rows(site), table_schemas(site)
    assert all(rows.values())
    migration_runner().up(name)
    assert changed_values({name}, rows, table_rows(site)) == []
    if name in EXPECTED_RESULTS:
        question, answer = EXPECTED_RESULTS[name]
        assert db.database.execute_sql(question).fetchall() == answer
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
    assert db.integrity_errors() == []
    migration_runner().down(name)
    assert table_schemas(site) == columns
    assert changed_values({name}, rows, table_rows(site)) == []


@pytest.mark.parametrize("name", MIGRATION_NAMES)
def test_rows_of_any_schema_reach_the_newest_one(site: Path, name: str) -> None:
    rows = table_rows(site).keys() - {
        table for rebuilt in REBUILT_TABLES.values() for table in rebuilt
    }
    assert schema.apply_migrations()[0] == name
    after = table_rows(site)
    assert {table: len(after[table]) for table in rows} == dict.fromkeys(rows, 2)
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def old_site(tmp_path: Path) -> Iterator[Path]:
    """A database of release 0.2.0 with calls and appeals, open."""
    file = tmp_path / "old.db"
    with closing(sqlite.connect(file)) as connection:
        connection.executescript(RELEASE_0_2.read_text("utf-8"))
    db.open_database(file)
    yield file
    db.database.close()


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Path]:
    """A path for a new database; the test opens it."""
    yield tmp_path / "new.db"
    db.database.close()


def schema_statements(file: Path) -> list[tuple[str, ...]]:
    """Return the schema, in the order of creation: type, name, table, statement."""
    statement = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
    with closing(sqlite.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def applied_names(file: Path) -> list[str]:
    """Return the names of the applied migrations, in the order in which they were applied."""
    with closing(sqlite.connect(file)) as connection:
        rows = connection.execute(f"SELECT name FROM {HISTORY_TABLE} ORDER BY id")  # noqa: S608
        return [name for (name,) in rows]


def test_the_first_migration_creates_the_schema_and_history_of_release_0_2(
    old_site: Path, new_site: Path
) -> None:
    db.open_database(new_site)
    migration_runner().up(MIGRATION_NAMES[0])
    assert schema_statements(new_site) == schema_statements(old_site)
    assert applied_names(new_site) == applied_names(old_site)


@pytest.mark.parametrize("last_migration", [MIGRATION_NAMES[0], LATE_MIGRATION])
def test_an_old_database_is_upgraded_with_all_its_rows(
    old_site: Path, new_site: Path, last_migration: str
) -> None:
    migration_runner().up(last_migration)
    rows = table_rows(old_site)
    assert all(rows.values()) == (last_migration == MIGRATION_NAMES[0])
    missing_names = [name for name in MIGRATION_NAMES if name > last_migration]
    assert schema.schema_differences() == (missing_names, [])
    assert schema.apply_migrations() == missing_names
    assert schema.schema_differences() == ([], [])
    assert changed_values(set(missing_names), rows, table_rows(old_site)) == []
    assert db.integrity_errors() == []
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
    [copy] = old_site.parent.glob("old.db.before-*")
    assert table_rows(copy) == rows
    db.database.close()
    db.open_database(new_site)
    schema.apply_migrations()
    assert schema_statements(old_site) == schema_statements(new_site)
    assert applied_names(old_site) == applied_names(new_site)


def test_the_command_upgrades_a_site_of_release_0_2(old_site: Path, tmp_path: Path) -> None:
    settings_file = tmp_path / "site.toml"
    settings_file.write_text(scratch_settings(paths={"database": str(old_site)}))
    migrated = run_appliance(settings_file, "migrate")
    assert migrated[:1] == [MIGRATION_NAMES[1]]
    assert "5 entries put into the index of the search" in migrated  # appeals and people
    assert "holds" in run_appliance(settings_file, "audit", "verify")[-1]


def run_appliance(settings_file: Path, *arguments: str) -> list[str]:
    """Run an appliance command, which must succeed; return the lines of its output."""
    program = Path(sys.executable).with_name("appliance")
    process = subprocess.run(
        [program, "--config", settings_file, *arguments], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def test_a_database_of_a_release_before_0_2_is_refused_and_left_unchanged(old_site: Path) -> None:
    db.database.execute_sql("DELETE FROM schema_migration WHERE name > ?", (EARLY_MIGRATION,))
    rows, statements = table_rows(old_site), schema_statements(old_site)
    with pytest.raises(schema.UnsupportedSchema, match="0021_attempts; install release 0.3.0"):
        schema.apply_migrations()
    assert schema.schema_differences() == (MIGRATION_NAMES, [])
    assert (table_rows(old_site), schema_statements(old_site)) == (rows, statements)
    assert list(old_site.parent.glob("old.db.before-*")) == []


def changed_values(
    names: set[str],
    before: dict[str, list[dict[str, Any]]],
    after: dict[str, list[dict[str, Any]]],
) -> list[str]:
    """Return the differences between the rows before and after the migrations of these names."""
    rebuilt_tables = {table for name in names for table in REBUILT_TABLES.get(name, ())}
    changed_columns = {column for name in names for column in CHANGED_COLUMNS.get(name, ())}
    differences = []
    for table, rows in before.items():
        if table in rebuilt_tables:
            continue
        if len(after[table]) != len(rows):
            differences.append(f"{table}: {len(after[table])} rows, not {len(rows)}")
        differences += [
            f"{table}.{column}: {new.get(column)!r}, not {old_value!r}"
            for old, new in zip(rows, after[table], strict=False)
            for column, old_value in old.items()
            if new.get(column) != old_value and (table, column) not in changed_columns
        ]
    return differences
