"""A busy database: long work gives way, and what meets the lock is done a little later."""

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from appliance.core import db
from appliance.core.settings import Settings
from appliance.models import Call, EventRow
from appliance.pbx import hold, ledger, process
from tests.pbx.stories import GONE_IN_MENU, RATED
from tests.pbx.story import events, records
from tests.rig.waiting import until


@contextlib.contextmanager
def other_writer(settings: Settings):
    """A connection of another process, that does not wait."""
    with contextlib.closing(sqlite3.connect(settings.paths.database, timeout=0)) as other:
        other.isolation_level = None
        yield other


def test_others_write_between_the_calls_of_a_long_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as the lock is given away, another has it at once; each time between two calls."""
    told = []

    def give_way() -> None:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        told.append(Call.select().count())

    monkeypatch.setattr(db, "_LONGEST", 0)
    monkeypatch.setattr(ledger, "_TOGETHER", 1)
    monkeypatch.setattr(db, "give_way", give_way)
    monkeypatch.setattr(ledger, "_CHUNK", 20_000)
    log = tmp_path / "long.csv"
    log.write_bytes(b"".join(line for n in range(9) for line in records(RATED, f"hotline-{n}.0")))
    with other_writer(settings) as other:
        ledger.read(log, 5.0, growing=True)
    assert Call.select().count() == 9
    assert sorted(set(told)) == list(range(1, 10))


def test_who_waits_has_the_lock_as_soon_as_it_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE", 60.0)
    done = threading.Event()

    def write() -> None:
        with db.database.connection_context(), db.writing():
            EventRow.delete().execute()
        done.set()

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=write)
        waiting.start()
        assert not done.is_set()
        other.execute("ROLLBACK")
        waiting.join(30)
    assert done.is_set()


def test_a_busy_database_ends_no_thread_of_pbx(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE", 0.01)
    stop, faults, met = threading.Event(), [], threading.Event()

    def work(_settings: Settings, stop: threading.Event) -> None:
        try:
            with db.writing():
                ledger.take_in(events(GONE_IN_MENU), 5.0)
        except Exception:
            met.set()
            raise
        stop.set()

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Thread(target=process._guarded, args=(work, settings, stop, faults)).start()
        assert met.wait(30)
        other.execute("ROLLBACK")
        assert stop.wait(30)
    assert faults == []
    assert Call.get().outcome == "abandoned_menu"


def test_a_hold_that_is_heard_while_the_database_is_busy_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE", 0.01)
    event = {"Event": "Hold", "Uniqueid": "a-1.0", "Linkedid": "a-1.0", "Timestamp": "1795512600.5"}
    stop = threading.Event()

    def hear() -> None:
        with db.database.connection_context():
            db.insist(lambda: hold.handle(settings, event), stop)

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        hearing = threading.Thread(target=hear)
        hearing.start()
        other.execute("ROLLBACK")
        hearing.join(30)
    until(lambda: EventRow.select().where(EventRow.event == "HOLD").count() == 1)


def test_what_is_no_busy_database_is_not_tried_again(settings: Settings) -> None:
    def broken() -> None:
        db.database.execute_sql("SELECT * FROM nothing_here")

    with pytest.raises(db.OperationalError, match="no such table"):
        db.insist(broken, threading.Event())
