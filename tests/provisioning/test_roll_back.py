"""The former release's database comes back with what was written under the new release."""

import contextlib
import datetime as dt
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.casework import appeals, search
from appliance.core import audit, clock, db, sqlite
from appliance.core.outbox.tables import HeldMessage
from appliance.core.settings import Settings
from appliance.models import Appeal, Draft, Message, NumberSeries, User
from provisioning.box.bundle import PLAYBOOKS

SCRIPT = PLAYBOOKS / "files" / "roll_back.py"
TZ = ZoneInfo("Asia/Tashkent")
REFUSED = 3
NEW_TABLE = "CREATE TABLE novelty (id INTEGER PRIMARY KEY, appeal_id INTEGER, text TEXT)"
NEW_COLUMN = "ALTER TABLE appeal ADD COLUMN mood TEXT NOT NULL DEFAULT ''"
REWRITE = "UPDATE appeal SET gist = upper(gist)"
RENAME = "ALTER TABLE appeal RENAME COLUMN gist TO summary"


@dataclass
class Upgrade:
    """The three databases of an upgrade that is to be taken back."""

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
        db.copy_to(self.migrated)

    def roll_back(self, *options: str) -> tuple[int, dict[str, Any], str]:
        """(exit status, report, what is printed); the database is open again afterwards."""
        db.database.close()
        files = (self.database, self.copy, self.migrated)
        done = subprocess.run(
            ["/usr/bin/python3", "-I", SCRIPT, *files, "--json", *options],
            capture_output=True,
            text=True,
        )
        assert not done.stderr
        db.open_database(self.database).connect()
        return (
            done.returncode,
            json.loads(done.stdout) if done.stdout[:1] == "{" else {},
            done.stdout,
        )


@pytest.fixture
def upgrade(settings: Settings, nilufar: User, tmp_path: Path) -> Upgrade:
    """One appeal was registered before the upgrade, whose copy is made."""
    register(nilufar, "Oldingi murojaat")
    made = Upgrade(settings.paths.database, tmp_path / "copy.db", tmp_path / "migrated.db")
    db.copy_to(made.copy)
    return made


def register(operator: User, gist: str) -> str:
    """The number of a new appeal."""
    values = {
        "applicant_kind": "person",
        "appeal_type": "application",
        "first_name": "Gulchehra",
        "surname": "Yoʻldosheva",
        "phone": "935550147",
        "openness": "open",
        "gist": gist,
    }
    token = appeals.token_for(operator, None)
    return str(appeals.register(values, operator=operator, token=token, tz=TZ).number)


def run_sql(file: Path, *statements: str) -> list[Any]:
    """Run statements on a connection that knows nothing of the models; rows of the last one."""
    rows: list[Any] = []
    with contextlib.closing(sqlite.connect(file)) as connection, connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def numbers() -> list[str]:
    return [row.number for row in Appeal.select(Appeal.number).order_by(Appeal.number)]


def content(file: Path) -> dict[str, list[Any]]:
    """Every row of every table but the search's index and the history of the schema."""
    tables = run_sql(
        file,
        "SELECT name FROM pragma_table_list WHERE schema = 'main'"
        " AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_%'"
        " AND name <> 'schema_migration' ORDER BY name",
    )
    rows = {name: run_sql(file, f'SELECT * FROM "{name}"') for (name,) in tables}  # noqa: S608
    return {name: sorted(found, key=str) for name, found in rows.items()}


@pytest.mark.parametrize("statement", [NEW_TABLE, NEW_COLUMN])
def test_what_was_typed_since_is_in_the_former_schema(
    upgrade: Upgrade, nilufar: User, statement: str
) -> None:
    upgrade.migrate(statement)
    written = [register(nilufar, f"Yangi murojaat {count}") for count in range(3)]
    assert [number[-6:] for number in written] == ["000002", "000003", "000004"]
    appeals.save_draft(nilufar, appeals.token_for(nilufar, None), {"gist": "hali yozilmoqda"})
    Appeal.update(gist="tuzatilgan").where(Appeal.number == numbers()[0]).execute()
    whole = {table: rows for table, rows in content(upgrade.database).items() if table != "novelty"}
    if statement == NEW_COLUMN:
        whole["appeal"] = [row[:-1] for row in whole["appeal"]]

    status, report, _ = upgrade.roll_back()

    assert (status, report["lost"]) == (0, {})
    assert content(upgrade.database) == whole
    assert run_sql(upgrade.database, "SELECT 1 FROM schema_migration WHERE name LIKE '0999%'") == []
    assert "mood" not in str(run_sql(upgrade.database, "SELECT sql FROM sqlite_master"))
    assert audit.broken_at() is None
    assert Draft.get().values == {"gist": "hali yozilmoqda"}
    assert register(nilufar, "keyingi")[-6:] == "000005"
    [aside] = upgrade.database.parent.glob("*.rolled-back-*")
    assert run_sql(aside, "SELECT count(*) FROM appeal") == [(4,)]


def test_the_search_finds_what_was_carried_over(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    number = register(nilufar, "parrandachilik fermasi uchun subsidiya")
    assert upgrade.roll_back()[0] == 0
    assert search.fill() > 0
    hits = search.search("parrandachilik", user=nilufar, kinds=["appeal"])
    assert number in [hit.ref for hit in hits]
    assert db.faults() == []


def test_what_was_removed_since_is_gone_and_what_the_migration_added_too(
    upgrade: Upgrade, nilufar: User
) -> None:
    appeals.save_draft(nilufar, appeals.token_for(nilufar, None), {"gist": "eski"})
    upgrade.copy.unlink()
    db.copy_to(upgrade.copy)
    upgrade.migrate(
        "INSERT INTO region (soato, name_uz_latn, name_uz_cyrl, name_ru, position)"
        " VALUES ('9999', 'x', 'x', 'x', 99)"
    )
    Draft.delete().execute()
    assert upgrade.roll_back()[0] == 0
    assert not Draft.select().exists()
    assert run_sql(upgrade.database, "SELECT 1 FROM region WHERE soato = '9999'") == []


def test_what_belongs_to_a_row_of_the_migration_only_is_named(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(
        "INSERT INTO region (soato, name_uz_latn, name_uz_cyrl, name_ru, position)"
        " VALUES ('9999', 'x', 'x', 'x', 99)"
    )
    number = register(nilufar, "Yangi")
    Appeal.update(region="9999").where(Appeal.number == number).execute()
    status, report, _ = upgrade.roll_back()
    assert (status, report["lost"]["appeal"]) == (REFUSED, [number])
    assert upgrade.roll_back("--accept-loss")[0] == 0
    assert run_sql(upgrade.database, "PRAGMA foreign_key_check") == []
    assert numbers() == [f"{number[:5]}000001"]


@pytest.mark.parametrize("statement", [REWRITE, RENAME])
def test_what_has_no_place_is_named_and_refused(
    upgrade: Upgrade, nilufar: User, statement: str
) -> None:
    upgrade.migrate(statement)
    with contextlib.ExitStack() as stack:
        if statement == RENAME:  # the models are of the former schema
            run_sql(upgrade.database, "ALTER TABLE appeal RENAME COLUMN summary TO gist")
            stack.callback(
                run_sql, upgrade.database, "ALTER TABLE appeal RENAME COLUMN gist TO summary"
            )
        written = [register(nilufar, "Yangi"), register(nilufar, "Yana")]
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    before = content(upgrade.database)

    status, report, _ = upgrade.roll_back()
    assert status == REFUSED
    assert report["lost"]["appeal"] == written
    assert content(upgrade.database) == before
    assert not list(upgrade.database.parent.glob("*.rolled-back-*"))
    assert not list(upgrade.database.parent.glob("*.rolling-back"))

    status, report, _ = upgrade.roll_back("--accept-loss")
    assert (status, report["lost"]["appeal"]) == (0, written)
    assert numbers() == [f"{written[0][:5]}000001"]
    assert run_sql(upgrade.database, "PRAGMA foreign_key_check") == []
    assert register(nilufar, "keyingi")[-6:] == "000004"  # two numbers are left out
    [aside] = upgrade.database.parent.glob("*.rolled-back-*")
    assert run_sql(aside, "SELECT count(*) FROM appeal") == [(3,)]


def test_numbers_are_left_out_where_the_series_has_another_form(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(REWRITE)
    for _ in range(3):
        register(nilufar, "Yangi")
    run_sql(upgrade.database, "ALTER TABLE number_series RENAME COLUMN last TO newest")
    assert upgrade.roll_back("--accept-loss")[0] == 0
    assert NumberSeries.get().last == 4
    assert register(nilufar, "keyingi")[-6:] == "000005"


def test_a_new_field_of_an_appeal_is_named_by_the_appeals_number(
    upgrade: Upgrade, nilufar: User
) -> None:
    upgrade.migrate(NEW_COLUMN)
    number = register(nilufar, "Yangi")
    run_sql(upgrade.database, "UPDATE appeal SET mood = 'sad' WHERE id = 2")
    status, report, _ = upgrade.roll_back()
    assert (status, report["lost"]) == (REFUSED, {"appeal": [f"{number} (mood only)"]})
    status, report, _ = upgrade.roll_back("--accept-loss")
    assert status == 0
    assert number in numbers()


def test_rows_of_a_new_table_are_named_and_do_not_refuse(upgrade: Upgrade) -> None:
    upgrade.migrate(NEW_TABLE)
    run_sql(upgrade.database, "INSERT INTO novelty (appeal_id, text) VALUES (1, 'x'), (1, 'y')")
    status, report, printed = upgrade.roll_back()
    assert status == 0
    assert report["hints"] == ["novelty: 2 rows of this new table are left behind"]


def test_a_failed_migration_leaves_the_copy(upgrade: Upgrade, nilufar: User) -> None:
    run_sql(upgrade.database, NEW_TABLE)
    db.database.close()
    done = subprocess.run(
        ["/usr/bin/python3", "-I", SCRIPT, upgrade.database, upgrade.copy, "--only-copy"],
        check=True,
    )
    assert done.returncode == 0
    assert run_sql(upgrade.database, "SELECT 1 FROM sqlite_master WHERE name = 'novelty'") == []
    db.open_database(upgrade.database).connect()
    assert register(nilufar, "keyingi")[-6:] == "000002"


def test_a_database_in_use_is_not_touched(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    register(nilufar, "Yangi")
    with contextlib.closing(sqlite.connect(upgrade.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, _, printed = upgrade.roll_back()
        assert (status, printed.partition(":")[0]) == (1, "the database was not changed")
    assert len(numbers()) == 2


def test_a_damaged_copy_changes_nothing(upgrade: Upgrade, nilufar: User) -> None:
    upgrade.migrate(NEW_TABLE)
    register(nilufar, "Yangi")
    data = bytearray(upgrade.copy.read_bytes())
    data[4096:-4096] = b"\xff" * (len(data) - 8192)
    upgrade.copy.write_bytes(data)
    assert upgrade.roll_back()[0] == 1
    assert len(numbers()) == 2


def test_messages_on_hold_end_where_the_former_release_knows_no_such_state(
    upgrade: Upgrade, nilufar: User
) -> None:
    """Else nobody sends them, and pages of that release fail at the unknown state."""
    run_sql(upgrade.copy, "DROP TABLE held_message")
    upgrade.migrate()
    now = clock.now()
    moments = dict.fromkeys(("created_at", "wanted_at", "due_at", "expires_at"), now)
    row = {"channel": "sms", "purpose": "registered", "recipient": "+998935550147", "key": "a"}
    message = Message.create(**row, **moments, state="held")
    HeldMessage.create(message=message, held_at=now)
    status, report, _ = upgrade.roll_back()
    assert status == 0
    assert "message: 1 on hold are listed as too late, not sent" in report["hints"]
    message = Message.get(Message.key == "a")
    assert (message.state, message.ended_at >= now - dt.timedelta(seconds=2)) == ("expired", True)
