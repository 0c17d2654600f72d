"""A busy database: long work gives way, and what meets the lock is done a little later."""

import contextlib
import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from appliance.core import db, memory, sqlite
from appliance.core.settings import Settings
from appliance.models import Call, EventRow
from appliance.pbx import hold, ledger, process
from tests.pbx.stories import GONE_IN_MENU, RATED
from tests.pbx.story import events, records
from tests.rig.locked import locked
from tests.rig.rules import RULES
from tests.rig.waiting import until

_WRITE = ("_follow", "_watch_jobs")  # works that write, whether or not Asterisk answers


@contextlib.contextmanager
def other_writer(settings: Settings):
    """A connection of another process, that does not wait."""
    with contextlib.closing(sqlite.connect(settings.paths.database, timeout=0)) as other:
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
        ledger.read(log, RULES, growing=True)
    assert Call.select().count() == 9
    assert sorted(set(told)) == list(range(1, 10))


def test_no_garbage_is_searched_for_in_a_stretch_of_a_log_and_is_after_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []
    between: list[bool] = []
    take, stretch, file = ledger._take_calls, memory.unsearched, tmp_path / "events.csv"

    def taking(*arguments: Any) -> None:
        within.append(gc.isenabled())
        take(*arguments)

    def unsearched() -> contextlib.AbstractContextManager[None]:
        between.append(gc.isenabled())
        return stretch()

    monkeypatch.setattr(ledger, "_CHUNK", 20_000)
    monkeypatch.setattr(ledger, "_take_calls", taking)
    monkeypatch.setattr(memory, "unsearched", unsearched)
    file.write_bytes(b"".join(line for n in range(9) for line in records(RATED, f"hotline-{n}.0")))
    assert ledger.read(file, RULES, growing=True)
    assert len(between) > 2
    assert all(between)
    assert not any(within)
    assert gc.isenabled()


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
                ledger.take_in(events(GONE_IN_MENU), RULES)
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


def test_nothing_that_pbx_does_ends_for_a_busy_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All of it begins while another holds the database, is broken off, and goes on afterwards."""
    for pause in ("_MEASURE", "_ALARM"):
        monkeypatch.setattr(process, pause, 0.01)
    settings.paths.event_log.write_bytes(b"".join(records(GONE_IN_MENU)))
    works = [work for work in process._WORKS if work is not process._keep_room]  # it fills a disk
    stop, faults = threading.Event(), []
    threads = [
        threading.Thread(target=process._guarded, args=(work, settings, stop, faults))
        for work in works
    ]
    with locked(settings.paths.database):
        for thread in threads:
            thread.start()
        until(lambda: caplog.text.count("the database is busy: tried again") >= 2 * len(_WRITE))
        assert not stop.is_set()
    until(lambda: Call.select().count() == 1)
    assert all(thread.is_alive() for thread in threads)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert faults == []


def test_work_begins_anew_when_not_even_a_connection_could_be_had(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As while another process, the first after a crash, takes the write-ahead log in again."""
    monkeypatch.setattr(db.database, "_timeout", 0.01)
    stop, faults = threading.Event(), []

    def work(_settings: Settings, stop: threading.Event) -> None:
        assert EventRow.select().count() == 0
        stop.set()

    db.database.close()
    with other_writer(settings) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        threading.Thread(target=process._guarded, args=(work, settings, stop, faults)).start()
        until(lambda: "the database is busy: tried again" in caplog.text or faults)
    assert stop.wait(30)
    assert faults == []


def test_a_row_that_is_read_late_tells_a_busy_database_too() -> None:
    """SQLite says so itself when a row is fetched; peewee only when a statement begins."""
    for error in (sqlite.OperationalError, db.OperationalError):
        assert db.is_busy(error("database is locked"))
        assert db.is_busy(error("locking protocol"))
        assert not db.is_busy(error("no such table: nothing_here"))


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
