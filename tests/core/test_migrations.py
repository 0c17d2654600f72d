"""Each migration with data: rows of the schema before it go through, and back, as they were."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playhouse.migrations import Runner

from appliance.core import db, sqlite

NAMES = sorted(file.stem for file in db.MIGRATIONS.glob("[0-9]*.py"))
HISTORY = "schema_migration"
RENAMED = {"0034_merged_calls": {"folded": "merged_call"}}
CHANGED = {  # what a migration rewrites, or leaves out
    "0020_receipts": {("ministry_package", "receipt_at")},
    "0028_bot_by_settings": {
        ("quarter_answer", "telegram_bot"),
        ("quarter_answer", "telegram_bot_note"),
    },
    "0054_sessions": {("user", "session_number")},
    "0056_search_anew": {("article_version", "search_key")},
}
ANEW = {"0056_search_anew": ("search_entry", "search_word")}  # filled after it
CHANNEL = {"LinkedID": "b", "Context": "from-operator", "Exten": "1006", "ChanName": "PJSIP/1001-1"}
UZBEK = {"code": "uz", "text": ""}
KIM = {"name": "kim", "kind": "list", "personal": True}
# what two rows of a table hold where it matters; any value that fits elsewhere
GIVEN: dict[str, list[dict[str, Any]]] = {
    "event_row": [
        {"event": "BOOT", "fields": json.dumps({"UniqueID": "a"})},
        {"event": "CHAN_START", "fields": json.dumps({"UniqueID": "b"} | CHANNEL)},
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
        | {"extra": json.dumps({"til": UZBEK, "kim": UZBEK})},
        {"consultation": 1, "consultation_contact": "A. Sobirov", "registered_at": 20}
        | {"extra": json.dumps({"til": UZBEK})},  # of no call
    ],
    "call_form": [
        {"number": "Q-2026-1", "call_id": "b.1", "version": 3}
        | {"extra": json.dumps({"til": {"code": "", "text": "Qozoqcha"}})},
        {"number": "Q-2026-2", "call_id": "c.1", "version": 3, "extra": "{}"},
    ],
    "form_version": [
        {"form": form, "number": 3}
        | {"fields": json.dumps({"fields": [{"name": "til", "kind": "list"}, KIM]})}
        for form in ("1", "2")
    ],
    "access_key": [
        {"scopes": "reports:read", "made_at": 5},
        {"scopes": "appeals:read", "made_at": 6},
    ],
}
# what a migration makes of them
FOUND: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
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


def tables(connection: sqlite.Connection) -> list[str]:
    """The tables of ours; those of the full-text search hold nothing of their own."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    searched = [name for name, sql in rows if sql.startswith("CREATE VIRTUAL")]
    others = (HISTORY, "sqlite_", *searched)
    return sorted(name for name, _ in rows if not name.startswith(others))


def fill(file: Path) -> None:
    """Two rows into each table: all columns, and only those that must be."""
    with closing(sqlite.connect(file)) as connection, connection:
        for table in tables(connection):
            columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
            keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
            links = {key[3]: kind_of(connection, key[2], key[4]) for key in keys}
            for number in (1, 2):
                row = {
                    name: value(links.get(name, kind), number)
                    for _, name, kind, must_be, _, is_key in columns
                    if must_be or is_key or number == 1
                }
                given = GIVEN.get(table, [{}, {}])[number - 1]
                row |= {name: v for name, v in given.items() if name in {c[1] for c in columns}}
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" * len(row))
                put = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608
                connection.execute(put, [*row.values()])
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def kind_of(connection: sqlite.Connection, table: str, column: str) -> str:
    rows = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    return next(kind for _, name, kind, *_ in rows if name == column)


def value(kind: str, number: int) -> object:
    """Something of a column's type, the same in each table, so that keys find their rows."""
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


def content(file: Path) -> dict[str, list[dict[str, Any]]]:
    """table → its rows, as they were put in."""
    with closing(sqlite.connect(file)) as connection:
        connection.row_factory = sqlite.Row
        return {
            table: [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608
            for table in tables(connection)
        }


def schema(file: Path) -> dict[str, list[Any]]:
    """table → its columns, keys and indexes."""
    with closing(sqlite.connect(file)) as connection:
        pragmas = ("table_info", "foreign_key_list", "index_list")
        return {
            f"{table}, {pragma}": sorted(
                row[1:] for row in connection.execute(f'PRAGMA {pragma}("{table}")')
            )
            for table in tables(connection)
            for pragma in pragmas
        }


def runner() -> Runner:
    return Runner(db.database, str(db.MIGRATIONS), table_name=HISTORY)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each migration a database as it was before it, rows in all tables."""
    folder = tmp_path_factory.mktemp("stages")
    made = {}
    db.open_database(folder / "bare.db")
    for name in NAMES:
        made[name] = folder / f"{name}.db"
        db.copy_to(made[name])
        fill(made[name])
        runner().up(name)
    db.database.close()
    return made


@pytest.fixture
def site(stages: dict[str, Path], name: str, tmp_path: Path) -> Iterator[Path]:
    """That database, open."""
    file = tmp_path / "site.db"
    shutil.copy(stages[name], file)
    db.open_database(file)
    yield file
    db.database.close()


@pytest.mark.parametrize("name", NAMES)
def test_rows_go_through_and_back(site: Path, name: str) -> None:
    rows, columns = content(site), schema(site)
    assert all(rows.values())
    runner().up(name)
    assert losses(name, rows, content(site), RENAMED.get(name, {})) == []
    if name in FOUND:
        question, answer = FOUND[name]
        assert db.database.execute_sql(question).fetchall() == answer
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []
    assert db.faults() == []
    runner().down(name)
    assert schema(site) == columns
    assert losses(name, rows, content(site), {}) == []


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_any_age_reach_the_head(site: Path, name: str) -> None:
    rows = content(site).keys() - {table for anew in ANEW.values() for table in anew}
    assert db.migrate()[0] == name
    after = content(site)
    renamed = {old: new for names in RENAMED.values() for old, new in names.items()}
    assert {table: len(after[renamed.get(table, table)]) for table in rows} == dict.fromkeys(
        rows, 2
    )
    assert db.database.execute_sql("PRAGMA foreign_key_check").fetchall() == []


def losses(
    name: str,
    before: dict[str, list[dict[str, Any]]],
    after: dict[str, list[dict[str, Any]]],
    renamed: dict[str, str],
) -> list[str]:
    """What is no more as it was before."""
    lost = []
    for table, rows in before.items():
        if table in ANEW.get(name, ()):
            continue
        now = after[renamed.get(table, table)]
        if len(now) != len(rows):
            lost.append(f"{table}: {len(now)} rows, not {len(rows)}")
        lost += [
            f"{table}.{column}: {new.get(column)!r}, not {was!r}"
            for old, new in zip(rows, now, strict=False)
            for column, was in old.items()
            if new.get(column) != was and (table, column) not in CHANGED.get(name, ())
        ]
    return lost
