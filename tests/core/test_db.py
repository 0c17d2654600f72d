"""The database: migrations that match the models and lose nothing, connections, the write lock."""

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

from appliance.core import clock, db, schema, sqlite
from appliance.core.settings import Settings
from appliance.models import TABLES, User
from appliance.people import presence
from tests.rig.waiting import wait_until

GROUP_ID = 4000  # a group without members


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An open database without a table."""
    file = tmp_path / "empty.db"
    db.open_database(file)
    yield file
    db.database.close()


def migration_copies(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.name}.before-*"))


def test_migrations_lead_to_the_models(empty: Path) -> None:
    assert schema.apply_migrations()
    assert not diff_models(db.database, list(TABLES))
    assert schema.apply_migrations() == []
    assert migration_copies(empty) == []


def test_a_new_migration_keeps_the_data_and_a_copy_of_the_old_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = User.select().count()
    later = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, later)
    (later / "9999_add_room.py").write_text(
        "from peewee import CharField\n\n\ndef up(migrator, db):\n"
        "    migrator.migrate(migrator.add_column('user', 'room', CharField(default='')))\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    assert schema.apply_migrations() == ["9999_add_room"]
    assert User.select().count() == people
    [copy] = migration_copies(settings.paths.database)
    with sqlite.connect(copy) as before:
        columns = [row[1] for row in before.execute("PRAGMA table_info(user)")]
        assert before.execute("SELECT count(*) FROM user").fetchone() == (people,)
    before.close()
    assert "room" not in columns


def test_a_database_of_a_newer_release_is_not_changed(settings: Settings) -> None:
    db.database.execute_sql("DELETE FROM schema_migration WHERE name LIKE '0068%'")
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
    )
    with pytest.raises(schema.UnsupportedSchema, match="9998_newer"):
        schema.apply_migrations()
    assert migration_copies(settings.paths.database) == []
    assert schema.schema_differences() == (["0068_operators_past"], ["9998_newer"])


def test_a_migration_that_fails_changes_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, later)
    (later / "9999_fail.py").write_text(
        "def up(migrator, db):\n"
        "    db.execute_sql('DELETE FROM presence')\n    raise ValueError('half-way')\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    user = User.get(User.role == "operator")
    presence.choose_state(user, "ready")
    with pytest.raises(ValueError, match="half-way"):
        schema.apply_migrations()
    state = presence.state_of(user)
    assert state
    assert state.state == "ready"


def test_writers_wait_for_one_another(settings: Settings) -> None:
    user = User.get(User.role == "operator")
    faults: list[Exception] = []

    def change_state_often() -> None:
        try:
            for _ in range(20):
                presence.choose_state(user, "pause")
        except Exception as error:  # noqa: BLE001  reported to the thread of the test
            faults.append(error)
        finally:
            db.database.close()

    threads = [threading.Thread(target=change_state_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert user.presences.count() == 80


def test_comparing_with_a_zoned_datetime_as_text_is_refused(settings: Settings) -> None:
    """As a text it would be later than every number that the tables store as a time."""
    now = clock.now()
    bare = fn.COALESCE(User.created_at, User.created_at)
    with pytest.raises(TypeError, match="MomentField"):
        User.select().where(bare < now).count()
    assert User.select().where(bare <= User.created_at.db_value(now)).count() > 0
    assert User.select().where(User.created_at <= now).count() > 0


def test_a_connection_kept_open_is_reused(empty: Path) -> None:
    schema.apply_migrations()
    try:
        db.keep_connections_open(1)
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
        db.keep_connections_open(0)


def test_a_connection_kept_open_reads_new_rows(empty: Path) -> None:
    """Even after a cursor that was not read to its end and still exists."""
    schema.apply_migrations()
    try:
        db.keep_connections_open(1)
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
        db.keep_connections_open(0)


def test_a_connection_keeps_its_locks_when_the_database_is_opened_again(empty: Path) -> None:
    db.database.execute_sql("CREATE TABLE note (text)")
    db.open_database(empty)
    other = "import sys; from appliance.core import sqlite; "
    other += "sqlite.connect(sys.argv[1]).execute('SELECT * FROM note')"
    subprocess.run([sys.executable, "-c", other, empty], check=True)
    assert empty.with_name(f"{empty.name}-wal").exists()  # the last connection to close removes it


def test_long_work_yields_the_lock_to_a_waiting_writer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a waiting writer all steps are one transaction; a writer gets the lock after one."""
    monkeypatch.setattr(db, "_CONTENDED_HOLD_SECONDS", 0)
    monkeypatch.setattr(db, "_MAX_HOLD_SECONDS", 60)
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 60)
    order: list[str] = []
    other = threading.Thread(target=_write_once, args=(order,))

    def run_step(name: str) -> None:
        if name == "second":
            other.start()
            wait_until(lambda: not db.database.waiting_writers.is_empty())
        order.append(name)

    names = ("first", "second", "third", "fourth")
    db.in_short_transactions([functools.partial(run_step, name) for name in names])
    other.join()
    assert order == ["first", "second", "other", "third", "fourth"]


def test_all_waiting_writers_precede_the_next_step_of_long_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads of a process write one after the other; the lock is free between two of them."""
    monkeypatch.setattr(db, "_CONTENDED_HOLD_SECONDS", 0)
    monkeypatch.setattr(db, "_MAX_HOLD_SECONDS", 60)
    monkeypatch.setattr(db, "_MAX_YIELD_SECONDS", 60)
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 60)
    order: list[str] = []
    writers = [threading.Thread(target=_write_once, args=(order,)) for _ in range(12)]
    wait_in_queue, queued = db.database.waiting_writers.announce_writer, []

    @contextlib.contextmanager
    def counted_wait() -> Iterator[Callable[[], bool]]:
        with wait_in_queue() as stay:
            stay()
            queued.append(1)
            yield stay

    def run_step(name: str) -> None:
        if name == "second":
            for other in writers:
                other.start()
            wait_until(lambda: len(queued) == len(writers))
        order.append(name)

    monkeypatch.setattr(db.database.waiting_writers, "announce_writer", counted_wait)
    names = ("first", "second", "third", "fourth")
    db.in_short_transactions([functools.partial(run_step, name) for name in names])
    for other in writers:
        other.join()
    assert order == ["first", "second", *["other"] * len(writers), "third", "fourth"]


def test_only_the_last_step_of_long_work_is_synced_to_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short work is on disk when it is done; long work also is, after its last step."""
    full, normal = 2, 1
    monkeypatch.setattr(db, "_MAX_HOLD_SECONDS", 0)
    levels: list[int] = []

    def note_level() -> None:
        [[level]] = db.database.execute_sql("PRAGMA synchronous").fetchall()
        levels.append(level)

    db.in_short_transactions([note_level])
    assert levels == [full]
    db.in_short_transactions([note_level] * 4)
    assert levels == [full, full, normal, normal, full]
    note_level()
    assert levels[-1] == full


def test_a_statement_journal_is_kept_in_memory(empty: Path) -> None:
    db.database.execute_sql("CREATE TABLE wide (id INTEGER PRIMARY KEY, held TEXT)")
    rows = [(number, "x" * 3000) for number in range(200)]
    with db.write_transaction():
        db.database.cursor().executemany("INSERT INTO wide VALUES (?, ?)", rows)
    for _ in range(2):  # the next one is in memory as well
        with db.write_transaction(), contextlib.suppress(KeyError), db.database.atomic():
            db.database.execute_sql("UPDATE wide SET held = 'other'")
            assert [name for name in _open_files() if "etilqs" in name] == []
            raise KeyError
    stored_rows = db.database.execute_sql("SELECT id, held FROM wide ORDER BY id").fetchall()
    assert stored_rows == rows


def test_deleted_text_is_overwritten_in_the_file(empty: Path) -> None:
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
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the listing itself
            yield os.readlink(f"/proc/self/fd/{number}")


def _write_once(order: list[str]) -> None:
    with db.database.connection_context(), db.write_transaction():
        order.append("other")


def test_a_statement_outside_a_transaction_waits_in_the_queue(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 0.05)
    with sqlite.connect(settings.paths.database) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(db.OperationalError, match="locked"):
            User.update(theme="dark").execute()
        other.execute("ROLLBACK")
    other.close()
    assert User.update(theme="dark").execute() == User.select().count()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize("mode", [None, 0o600, 0o640], ids=["made", "restored", "of before"])
def test_a_member_of_the_folders_group_can_write_the_database(mode: int | None) -> None:
    """Each process of a box has its own account, and shares a group with the others."""
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name, "data")).mkdir()
        Path(name).chmod(0o755)
        os.chown(folder, -1, GROUP_ID)
        folder.chmod(0o2770)
        file, former = folder / "site.db", os.umask(0o007)
        try:
            if mode:
                file.touch()
                os.chown(file, -1, GROUP_ID)
                file.chmod(mode)
            with db.open_database(file).connection_context():
                db.database.execute_sql("CREATE TABLE note (text TEXT)")
                insert = f"import sqlite3; c = sqlite3.connect('{file}'); "
                insert += "c.execute('INSERT INTO note VALUES (1)'); c.commit()"
                become = ["setpriv", "--reuid=4001", f"--regid={GROUP_ID}", "--clear-groups"]
                subprocess.run([*become, "/usr/bin/python3", "-c", insert], check=True)
                with db.write_transaction():
                    db.database.execute_sql("INSERT INTO note VALUES (2)")
                assert db.database.execute_sql("SELECT count(*) FROM note").fetchone() == (2,)
        finally:
            os.umask(former)
            db.database.close()
