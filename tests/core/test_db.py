"""The schema: migrations lead to what the models say, and lose nothing on the way."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import fn
from playhouse.schema_diff import diff_models

from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.models import TABLES, User
from appliance.people import presence


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An open database without a table."""
    file = tmp_path / "empty.db"
    db.open_database(file)
    yield file
    db.database.close()


def copies(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.name}.before-*"))


def test_migrations_lead_to_the_models(empty: Path) -> None:
    assert db.migrate()
    assert not diff_models(db.database, list(TABLES))
    assert db.migrate() == []
    assert copies(empty) == []


def test_a_new_migration_keeps_the_data_and_a_copy_of_before(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = User.select().count()
    later = tmp_path / "migrations"
    shutil.copytree(db.MIGRATIONS, later)
    (later / "9999_add_room.py").write_text(
        "from peewee import CharField\n\n\ndef up(migrator, db):\n"
        "    migrator.migrate(migrator.add_column('user', 'room', CharField(default='')))\n"
    )
    monkeypatch.setattr(db, "MIGRATIONS", later)
    assert db.migrate() == ["9999_add_room"]
    assert User.select().count() == people
    [copy] = copies(settings.paths.database)
    with sqlite3.connect(copy) as before:
        columns = [row[1] for row in before.execute("PRAGMA table_info(user)")]
        assert before.execute("SELECT count(*) FROM user").fetchone() == (people,)
    before.close()
    assert "room" not in columns


def test_a_migration_that_fails_changes_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(db.MIGRATIONS, later)
    (later / "9999_fail.py").write_text(
        "def up(migrator, db):\n"
        "    db.execute_sql('DELETE FROM presence')\n    raise ValueError('half-way')\n"
    )
    monkeypatch.setattr(db, "MIGRATIONS", later)
    user = User.get(User.role == "operator")
    presence.choose_state(user, "ready")
    with pytest.raises(ValueError, match="half-way"):
        db.migrate()
    state = presence.state_of(user)
    assert state
    assert state.state == "ready"


def test_writers_wait_for_one_another(settings: Settings) -> None:
    user = User.get(User.role == "operator")
    faults: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(20):
                presence.choose_state(user, "pause")
        except Exception as error:  # noqa: BLE001  told to the test's own thread
            faults.append(error)
        finally:
            db.database.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert user.presences.count() == 80


def test_a_moment_with_a_zone_is_never_a_text(settings: Settings) -> None:
    """As a text it would be later than every number with which a table has moments."""
    now = clock.now()
    bare = fn.COALESCE(User.created_at, User.created_at)
    with pytest.raises(TypeError, match="MomentField"):
        User.select().where(bare < now).count()
    assert User.select().where(bare <= User.created_at.db_value(now)).count() > 0
    assert User.select().where(User.created_at <= now).count() > 0
