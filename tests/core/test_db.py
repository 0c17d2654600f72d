"""The schema: migrations lead to what the models say, and lose nothing on the way."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from peewee import fn
from playhouse.schema_diff import diff_models

from appliance.core import clock, db, sqlite
from appliance.core.settings import Settings
from appliance.models import TABLES, User
from appliance.people import presence
from tests.rig.waiting import until

GROUP = 4000  # nobody's


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
    with sqlite.connect(copy) as before:
        columns = [row[1] for row in before.execute("PRAGMA table_info(user)")]
        assert before.execute("SELECT count(*) FROM user").fetchone() == (people,)
    before.close()
    assert "room" not in columns


def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    db.database.execute_sql("DELETE FROM schema_migration WHERE name LIKE '0068%'")
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
    )
    with pytest.raises(db.NewerSchema, match="9998_newer"):
        db.migrate()
    assert copies(settings.paths.database) == []
    assert db.schema() == (["0068_operators_past"], ["9998_newer"])


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


def test_a_connection_that_stays_open_is_taken_up_again(empty: Path) -> None:
    db.migrate()
    try:
        db.keep_open(1)
        first = db.database.connection()
        db.database.close()
        assert db.database.is_closed()
        db.database.connect()
        assert db.database.connection() is first
        db.database.close()
        db.open_database(empty.with_name("another.db"))
        assert db.database.connection() is not first
        with pytest.raises(sqlite.ProgrammingError, match="closed"):
            first.execute("SELECT 1")
    finally:
        db.keep_open(0)


def test_a_connection_that_stays_open_reads_what_is_new(empty: Path) -> None:
    """Also when somebody has not read to the end, and what he reads with is not forgotten yet."""
    db.migrate()
    try:
        db.keep_open(1)
        db.database.execute_sql("CREATE TABLE counted (n)")
        db.database.execute_sql("INSERT INTO counted VALUES (1), (2)")
        half_read = db.database.execute_sql("SELECT n FROM counted")
        half_read.fetchone()
        db.database.close()
        with contextlib.closing(sqlite.connect(empty, isolation_level=None)) as another:
            another.execute("INSERT INTO counted VALUES (3)")
        db.database.connect()
        assert db.database.execute_sql("SELECT count(*) FROM counted").fetchone() == (3,)
    finally:
        db.database.close()
        db.keep_open(0)


def test_a_connection_keeps_its_locks_when_the_database_is_opened_again(empty: Path) -> None:
    db.database.execute_sql("CREATE TABLE note (text)")
    db.open_database(empty)
    other = "import sys; from appliance.core import sqlite; "
    other += "sqlite.connect(sys.argv[1]).execute('SELECT * FROM note')"
    subprocess.run([sys.executable, "-c", other, empty], check=True)
    assert empty.with_name(f"{empty.name}-wal").exists()  # who is the last to leave removes it


def test_long_work_gives_the_lock_up_to_who_waits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits: all is one transaction. Somebody comes: he has the lock after this step."""
    monkeypatch.setattr(db, "_TURN", 0)
    monkeypatch.setattr(db, "_LONGEST", 60)
    monkeypatch.setattr(db, "PATIENCE", 60)
    done: list[str] = []
    other = threading.Thread(target=_writes, args=(done,))

    def step(name: str) -> None:
        if name == "second":
            other.start()
            until(lambda: not db.database.line.is_empty())
        done.append(name)

    names = ("first", "second", "third", "fourth")
    db.in_turns([functools.partial(step, name) for name in names])
    other.join()
    assert done == ["first", "second", "other", "third", "fourth"]


def test_all_who_wait_come_before_the_next_step_of_long_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads of one process come one after the other, and the lock is free between two of them."""
    monkeypatch.setattr(db, "_TURN", 0)
    monkeypatch.setattr(db, "_LONGEST", 60)
    monkeypatch.setattr(db, "_POLITE", 60)
    monkeypatch.setattr(db, "PATIENCE", 60)
    done: list[str] = []
    others = [threading.Thread(target=_writes, args=(done,)) for _ in range(12)]
    stand, standing = db.database.line.stand, []

    @contextlib.contextmanager
    def counted() -> Iterator[Callable[[], bool]]:
        with stand() as stay:
            stay()
            standing.append(1)
            yield stay

    def step(name: str) -> None:
        if name == "second":
            for other in others:
                other.start()
            until(lambda: len(standing) == len(others))
        done.append(name)

    monkeypatch.setattr(db.database.line, "stand", counted)
    names = ("first", "second", "third", "fourth")
    db.in_turns([functools.partial(step, name) for name in names])
    for other in others:
        other.join()
    assert done == ["first", "second", *["other"] * len(others), "third", "fourth"]


def test_only_the_last_step_of_long_work_waits_for_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short work is on the disk when it is done, as all else; and so is long work."""
    full, normal = 2, 1
    monkeypatch.setattr(db, "_LONGEST", 0)
    found: list[int] = []

    def step() -> None:
        [[kept]] = db.database.execute_sql("PRAGMA synchronous").fetchall()
        found.append(kept)

    db.in_turns([step])
    assert found == [full]
    db.in_turns([step] * 4)
    assert found == [full, full, normal, normal, full]
    step()
    assert found[-1] == full


def test_what_undoes_a_part_of_a_transaction_is_in_memory(empty: Path) -> None:
    db.database.execute_sql("CREATE TABLE wide (id INTEGER PRIMARY KEY, held TEXT)")
    rows = [(number, "x" * 3000) for number in range(200)]
    with db.writing():
        db.database.cursor().executemany("INSERT INTO wide VALUES (?, ?)", rows)
    for _ in range(2):  # and so is the next one
        with db.writing(), contextlib.suppress(KeyError), db.database.atomic():
            db.database.execute_sql("UPDATE wide SET held = 'other'")
            assert [name for name in _open_files() if "etilqs" in name] == []
            raise KeyError
    found = db.database.execute_sql("SELECT id, held FROM wide ORDER BY id").fetchall()
    assert found == rows


def test_what_is_removed_is_overwritten_in_the_file(empty: Path) -> None:
    text = "a citizen's name " * 20
    db.database.execute_sql("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
    db.database.execute_sql("INSERT INTO note (text) VALUES (?), ('another')", (text,))
    db.database.execute_sql("PRAGMA wal_checkpoint(truncate)").fetchall()
    assert text.encode() in empty.read_bytes()
    db.database.execute_sql("DELETE FROM note WHERE id = 1")
    db.database.execute_sql("PRAGMA wal_checkpoint(truncate)").fetchall()
    assert b"citizen" not in empty.read_bytes()
    assert b"another" in empty.read_bytes()


def _open_files() -> Iterator[str]:
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            yield os.readlink(f"/proc/self/fd/{number}")


def _writes(done: list[str]) -> None:
    with db.database.connection_context(), db.writing():
        done.append("other")


def test_a_statement_outside_of_a_transaction_waits_in_line_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE", 0.05)
    with sqlite.connect(settings.paths.database) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(db.OperationalError, match="locked"):
            User.update(theme="dark").execute()
        other.execute("ROLLBACK")
    other.close()
    assert User.update(theme="dark").execute() == User.select().count()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize("mode", [None, 0o600, 0o640], ids=["made", "restored", "of before"])
def test_who_may_write_into_the_folder_may_write_the_database(mode: int | None) -> None:
    """Each process of a box has an account of its own, and one group with the others."""
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name, "data")).mkdir()
        Path(name).chmod(0o755)
        os.chown(folder, -1, GROUP)
        folder.chmod(0o2770)
        file, former = folder / "site.db", os.umask(0o007)
        try:
            if mode:
                file.touch()
                os.chown(file, -1, GROUP)
                file.chmod(mode)
            with db.open_database(file).connection_context():
                db.database.execute_sql("CREATE TABLE note (text TEXT)")
                insert = f"import sqlite3; c = sqlite3.connect('{file}'); "
                insert += "c.execute('INSERT INTO note VALUES (1)'); c.commit()"
                become = ["setpriv", "--reuid=4001", f"--regid={GROUP}", "--clear-groups"]
                subprocess.run([*become, "/usr/bin/python3", "-c", insert], check=True)
                with db.writing():
                    db.database.execute_sql("INSERT INTO note VALUES (2)")
                assert db.database.execute_sql("SELECT count(*) FROM note").fetchone() == (2,)
        finally:
            os.umask(former)
            db.database.close()
