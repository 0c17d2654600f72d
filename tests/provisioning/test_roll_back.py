"""The former release's database is restored with the data written under the new release."""

import contextlib
import datetime as dt
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.casework import search
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.core import audit, clock, db, sqlite
from appliance.core.outbox.tables import HeldMessage
from appliance.core.settings import Settings
from appliance.models import Appeal, Draft, Message, NumberSeries, User
from provisioning.box.bundle import PLAYBOOK_FOLDER

PROGRAM = PLAYBOOK_FOLDER / "files" / "roll_back"
TASHKENT = ZoneInfo("Asia/Tashkent")
REFUSED_STATUS = 3
NEW_TABLE = "CREATE TABLE novelty (id INTEGER PRIMARY KEY, appeal_id INTEGER, text TEXT)"
NEW_COLUMN = "ALTER TABLE appeal ADD COLUMN mood TEXT NOT NULL DEFAULT ''"
REWRITE = "UPDATE appeal SET gist = upper(gist)"
RENAME = "ALTER TABLE appeal RENAME COLUMN gist TO summary"


@dataclass
class Upgrade:
    """The three databases of an upgrade that is to be rolled back."""

    database: Path
    copy: Path
    migrated: Path

    def migrate(self, *statements: str) -> None:
        """Change the schema as the new release's migrations do."""
        run_sql(
            self.database,
            *statements,
            "INSERT INTO schema_migration (name, applied) VALUES ('0999_newer', '2026-12-01')",
        )
        db.copy_database(self.migrated)

    def roll_back(self, *options: str) -> tuple[int, dict[str, Any], str]:
        """Return (exit status, report, output); the database is open again afterwards."""
        db.database.close()
        files = (self.database, self.copy, self.migrated)
        process = subprocess.run(
            ["/usr/bin/python3", "-I", "-B", PROGRAM, *files, "--json", *options],
            capture_output=True,
            text=True,
        )
        assert not process.stderr
        db.open_database(self.database).connect()
        return (
            process.returncode,
            json.loads(process.stdout) if process.stdout[:1] == "{" else {},
            process.stdout,
        )


@pytest.fixture
def upgrade(settings: Settings, nilufar: User, tmp_path: Path) -> Upgrade:
    """An upgrade before which one appeal was registered and the database copied."""
    register_appeal(nilufar, "Oldingi murojaat")
    started = Upgrade(settings.paths.database, tmp_path / "copy.db", tmp_path / "migrated.db")
    db.copy_database(started.copy)
    return started


def register_appeal(operator: User, gist: str) -> str:
    """Register a new appeal and return its number."""
    values = {
        "applicant_kind": "person",
        "appeal_type": "application",
        "first_name": "Gulchehra",
        "surname": "Yoʻldosheva",
        "phone": "935550147",
        "openness": "open",
        "gist": gist,
    }
    token = drafts.token_for(operator, None)
    return str(registering.register(values, operator=operator, token=token, tz=TASHKENT).number)


def run_sql(file: Path, *statements: str) -> list[Any]:
    """Run statements on a connection independent of the models; return the rows of the last one."""
    rows: list[Any] = []
    with contextlib.closing(sqlite.connect(file)) as connection, connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def appeal_numbers() -> list[str]:
    return [row.number for row in Appeal.select(Appeal.number).order_by(Appeal.number)]


def table_rows(file: Path) -> dict[str, list[Any]]:
    """Return the rows of every table except the search index and the history of the schema."""
    tables = run_sql(
        file,
        "SELECT name FROM pragma_table_list WHERE schema = 'main'"
        " AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_%'"
        " AND name <> 'schema_migration' ORDER BY name",
    )
    rows = {name: run_sql(file, f'SELECT * FROM "{name}"') for (name,) in tables}  # noqa: S608
    return {name: sorted(unsorted, key=str) for name, unsorted in rows.items()}


@pytest.mark.parametrize("statement", [NEW_TABLE, NEW_COLUMN])
def test_rows_written_since_the_upgrade_are_carried_to_the_former_schema(
    upgrade: Upgrade, nilufar: User, statement: str
) -> None:
    upgrade.migrate(statement)
    new_numbers = [register_appeal(nilufar, f"Yangi murojaat {count}") for count in range(3)]
    assert [number[-6:] for number in new_numbers] == ["000002", "000003", "000004"]
    drafts.save_draft(nilufar, drafts.token_for(nilufar, None), {"gist": "hali yozilmoqda"})
    Appeal.update(gist="tuzatilgan").where(Appeal.number == appeal_numbers()[0]).execute()
    expected = {
        table: rows for table, rows in table_rows(upgrade.database).items() if table != "novelty"
    }
    if statement == NEW_COLUMN:
        expected["appeal"] = [row[:-1] for row in expected["appeal"]]

    status, report, _ = upgrade.roll_back()

    assert (status, report["lost"]) == (0, {})
    assert table_rows(upgrade.database) == expected
    assert run_sql(upgrade.database, "SELECT 1 FROM schema_migration WHERE name LIKE '0999%'") == []
    assert "mood" not in str(run_sql(upgrade.database, "SELECT sql FROM sqlite_master"))
    assert audit.first_broken_id() is None
    assert Draft.get().values == {"gist": "hali yozilmoqda"}
    assert register_appeal(nilufar, "keyingi")[-6:] == "000005"
    [set_aside] = upgrade.database.parent.glob("*.rolled-back-*")
    assert run_sql(set_aside, "SELECT count(*) FROM appeal") == [(4,)]


def test_the_search_finds_rows_carried_over(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    number = register_appeal(nilufar, "parrandachilik fermasi uchun subsidiya")
    assert upgrade.roll_back()[0] == 0
    assert search.fill_empty_kinds() > 0
    hits = search.find_hits("parrandachilik", user=nilufar, kinds=["appeal"])
    assert number in [hit.ref for hit in hits]
    assert db.integrity_errors() == []


def test_removed_rows_and_rows_of_the_migration_do_not_return(
    upgrade: Upgrade, nilufar: User
) -> None:
    drafts.save_draft(nilufar, drafts.token_for(nilufar, None), {"gist": "eski"})
    upgrade.copy.unlink()
    db.copy_database(upgrade.copy)
    upgrade.migrate(
        "INSERT INTO region (soato, name_uz_latn, name_uz_cyrl, name_ru, position)"
        " VALUES ('9999', 'x', 'x', 'x', 99)"
    )
    Draft.delete().execute()
    assert upgrade.roll_back()[0] == 0
    assert not Draft.select().exists()
    assert run_sql(upgrade.database, "SELECT 1 FROM region WHERE soato = '9999'") == []


def test_rows_that_refer_to_a_row_of_the_migration_are_named(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(
        "INSERT INTO region (soato, name_uz_latn, name_uz_cyrl, name_ru, position)"
        " VALUES ('9999', 'x', 'x', 'x', 99)"
    )
    number = register_appeal(nilufar, "Yangi")
    Appeal.update(region="9999").where(Appeal.number == number).execute()
    status, report, _ = upgrade.roll_back()
    assert (status, report["lost"]["appeal"]) == (REFUSED_STATUS, [number])
    assert upgrade.roll_back("--accept-loss")[0] == 0
    assert run_sql(upgrade.database, "PRAGMA foreign_key_check") == []
    assert appeal_numbers() == [f"{number[:5]}000001"]


@pytest.mark.parametrize("statement", [REWRITE, RENAME])
def test_rows_without_a_place_are_named_and_refused(
    upgrade: Upgrade, nilufar: User, statement: str
) -> None:
    upgrade.migrate(statement)
    with contextlib.ExitStack() as stack:
        if statement == RENAME:  # the models are those of the former schema
            run_sql(upgrade.database, "ALTER TABLE appeal RENAME COLUMN summary TO gist")
            stack.callback(
                run_sql, upgrade.database, "ALTER TABLE appeal RENAME COLUMN gist TO summary"
            )
        new_numbers = [register_appeal(nilufar, "Yangi"), register_appeal(nilufar, "Yana")]
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    before = table_rows(upgrade.database)

    status, report, _ = upgrade.roll_back()
    assert status == REFUSED_STATUS
    assert report["lost"]["appeal"] == new_numbers
    assert table_rows(upgrade.database) == before
    assert not list(upgrade.database.parent.glob("*.rolled-back-*"))
    assert not list(upgrade.database.parent.glob("*.rolling-back"))

    status, report, _ = upgrade.roll_back("--accept-loss")
    assert (status, report["lost"]["appeal"]) == (0, new_numbers)
    assert appeal_numbers() == [f"{new_numbers[0][:5]}000001"]
    assert run_sql(upgrade.database, "PRAGMA foreign_key_check") == []
    assert register_appeal(nilufar, "keyingi")[-6:] == "000004"  # two numbers are skipped
    [set_aside] = upgrade.database.parent.glob("*.rolled-back-*")
    assert run_sql(set_aside, "SELECT count(*) FROM appeal") == [(3,)]


def test_numbers_are_skipped_when_the_series_table_has_changed(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(REWRITE)
    for _ in range(3):
        register_appeal(nilufar, "Yangi")
    run_sql(upgrade.database, "ALTER TABLE number_series RENAME COLUMN last TO newest")
    assert upgrade.roll_back("--accept-loss")[0] == 0
    assert NumberSeries.get().last == 4
    assert register_appeal(nilufar, "keyingi")[-6:] == "000005"


def test_a_lost_new_field_is_named_by_the_number_of_its_appeal(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(NEW_COLUMN)
    number = register_appeal(nilufar, "Yangi")
    run_sql(upgrade.database, "UPDATE appeal SET mood = 'sad' WHERE id = 2")
    status, report, _ = upgrade.roll_back()
    assert (status, report["lost"]) == (REFUSED_STATUS, {"appeal": [f"{number} (mood only)"]})
    status, report, _ = upgrade.roll_back("--accept-loss")
    assert status == 0
    assert number in appeal_numbers()


def test_rows_of_a_new_table_are_named_without_a_refusal(upgrade: Upgrade) -> None:
    upgrade.migrate(NEW_TABLE)
    run_sql(upgrade.database, "INSERT INTO novelty (appeal_id, text) VALUES (1, 'x'), (1, 'y')")
    status, report, printed = upgrade.roll_back()
    assert status == 0
    assert report["hints"] == ["novelty: 2 rows of this new table are left behind"]


def test_a_failed_migration_restores_the_copy(upgrade: Upgrade, nilufar: User) -> None:
    run_sql(upgrade.database, NEW_TABLE)
    db.database.close()
    process = subprocess.run(
        ["/usr/bin/python3", "-I", "-B", PROGRAM, upgrade.database, upgrade.copy, "--only-copy"],
        check=True,
    )
    assert process.returncode == 0
    assert run_sql(upgrade.database, "SELECT 1 FROM sqlite_master WHERE name = 'novelty'") == []
    db.open_database(upgrade.database).connect()
    assert register_appeal(nilufar, "keyingi")[-6:] == "000002"


def test_a_database_in_use_is_not_changed(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    register_appeal(nilufar, "Yangi")
    with contextlib.closing(sqlite.connect(upgrade.database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        status, _, printed = upgrade.roll_back()
        assert (status, printed.partition(":")[0]) == (1, "the database was not changed")
    assert len(appeal_numbers()) == 2


def test_a_damaged_copy_changes_nothing(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    register_appeal(nilufar, "Yangi")
    data = bytearray(upgrade.copy.read_bytes())
    data[4096:-4096] = b"\xff" * (len(data) - 8192)
    upgrade.copy.write_bytes(data)
    assert upgrade.roll_back()[0] == 1
    assert len(appeal_numbers()) == 2


def test_held_messages_expire_if_the_former_release_lacks_that_state(
    upgrade: Upgrade, nilufar: User
) -> None:
    """Otherwise they are never sent, and that release's pages fail at the unknown state."""
    run_sql(upgrade.copy, "DROP TABLE held_message")
    upgrade.migrate()
    now = clock.now()
    times = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at"), now)
    row = {"channel": "sms", "purpose": "registered", "recipient": "+998935550147", "key": "a"}
    message = Message.create(**row, **times, state="held")
    HeldMessage.create(message=message, held_at=now)
    status, report, _ = upgrade.roll_back()
    assert status == 0
    assert "message: 1 on hold are listed as too late, not sent" in report["hints"]
    message = Message.get(Message.key == "a")
    assert (message.state, message.ended_at >= now - dt.timedelta(seconds=2)) == ("expired", True)
