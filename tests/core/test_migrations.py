"""Each migration with data: rows of the previous schema survive it and its reversal unchanged."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playhouse.migrations import Runner

from appliance.core import db, sqlite

MIGRATION_NAMES = sorted(file.stem for file in db.MIGRATIONS.glob("[0-9]*.py"))
HISTORY_TABLE = "schema_migration"
RENAMED_TABLES = {"0034_merged_calls": {"folded": "merged_call"}}
CHANGED_COLUMNS = {  # columns that a migration rewrites or drops
    "0020_receipts": {("ministry_package", "receipt_at")},
    "0028_bot_by_settings": {
        ("quarter_answer", "telegram_bot"),
        ("quarter_answer", "telegram_bot_note"),
    },
    "0054_sessions": {("user", "session_number")},
    "0056_search_anew": {("article_version", "search_key")},
}
REBUILT_TABLES = {"0056_search_anew": ("search_entry", "search_word")}  # filled after the migration
CHANNEL_FIELDS = {
    "LinkedID": "b",
    "Context": "from-operator",
    "Exten": "1006",
    "ChanName": "PJSIP/1001-1",
}
UZBEK_VALUE = {"code": "uz", "text": ""}
PERSONAL_FIELD = {"name": "kim", "kind": "list", "personal": True}
# the values of two rows of a table where they matter; elsewhere any value that fits
ROW_VALUES: dict[str, list[dict[str, Any]]] = {
    "event_row": [
        {"event": "BOOT", "fields": json.dumps({"UniqueID": "a"})},
        {"event": "CHAN_START", "fields": json.dumps({"UniqueID": "b"} | CHANNEL_FIELDS)},
    ],
    "message": [
        {"created_at": 10, "due_at": 30, "tried_at": 20},
        {"created_at": 10, "due_at": 30, "tried_at": None},
    ],
    "ministry_package": [
        {"way": "in", "receipt_at": None, "body": "", "at": 7},
        {"way": "out", "receipt_at": None, "body": "", "at": 8},
    ],
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
    "access_key": [
        {"scopes": "reports:read", "made_at": 5},
        {"scopes": "appeals:read", "made_at": 6},
    ],
}
# the results of a migration
EXPECTED_RESULTS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "0003_whole_calls": (
        "SELECT uniqueid, begins, phone FROM event_row ORDER BY uniqueid",
        [("a", "BOOT", None), ("b", "from-operator", "1001")],
    ),
    "0019_waiting": ("SELECT wanted_at FROM message ORDER BY id", [(20,), (30,)]),
    "0020_receipts": ("SELECT receipt_at FROM ministry_package ORDER BY at", [(7,), (None,)]),
    "0038_lists_and_consultations": (
        "SELECT appeal_id, asked_at, contacted_at, done_at FROM consultation ORDER BY appeal_id",
        [(1, 10, None, None), (2, 20, 20, 20)],
    ),
    "0046_field_values": (
        "SELECT form, number, call_id, field, code FROM field_value ORDER BY form",
        [("1", "2026-1", "a.1", "til", "uz"), ("2", "Q-2026-1", "b.1", "til", "*")],
    ),
    "0022_second_word": ("SELECT confirmed_at FROM access_key ORDER BY made_at", [(5,), (None,)]),
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
    return Runner(db.database, str(db.MIGRATIONS), table_name=HISTORY_TABLE)


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
    assert changed_values(name, rows, table_rows(site), RENAMED_TABLES.get(name, {})) == []
    if name in EXPECTED_RESULTS:
        question, answer = EXPECTED_RESULTS[name]
        assert db.database.execute_sql(question).fetchall() == answer
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
    assert db.integrity_errors() == []
    migration_runner().down(name)
    assert table_schemas(site) == columns
    assert changed_values(name, rows, table_rows(site), {}) == []


@pytest.mark.parametrize("name", MIGRATION_NAMES)
def test_rows_of_any_schema_reach_the_newest_one(site: Path, name: str) -> None:
    rows = table_rows(site).keys() - {
        table for rebuilt in REBUILT_TABLES.values() for table in rebuilt
    }
    assert db.apply_migrations()[0] == name
    after = table_rows(site)
    renamed = {old: new for names in RENAMED_TABLES.values() for old, new in names.items()}
    assert {table: len(after[renamed.get(table, table)]) for table in rows} == dict.fromkeys(
        rows, 2
    )
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []


def changed_values(
    name: str,
    before: dict[str, list[dict[str, Any]]],
    after: dict[str, list[dict[str, Any]]],
    renamed: dict[str, str],
) -> list[str]:
    """Return the differences between the rows before and after."""
    differences = []
    for table, rows in before.items():
        if table in REBUILT_TABLES.get(name, ()):
            continue
        new_rows = after[renamed.get(table, table)]
        if len(new_rows) != len(rows):
            differences.append(f"{table}: {len(new_rows)} rows, not {len(rows)}")
        differences += [
            f"{table}.{column}: {new.get(column)!r}, not {old_value!r}"
            for old, new in zip(rows, new_rows, strict=False)
            for column, old_value in old.items()
            if new.get(column) != old_value and (table, column) not in CHANGED_COLUMNS.get(name, ())
        ]
    return differences
