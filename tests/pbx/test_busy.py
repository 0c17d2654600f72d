"""A busy database: long work yields the lock, and work that finds it locked is retried."""

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
from appliance.pbx.ledger import chunks, reading
from tests.pbx.stories import ABANDONED_IN_MENU, RATED_CALL
from tests.pbx.story import log_records, table_events
from tests.rig.locked import locked_database
from tests.rig.rules import RULES
from tests.rig.waiting import wait_until

_WRITING_JOBS = ("_follow", "_watch_jobs")  # jobs that write, whether or not Asterisk answers


@contextlib.contextmanager
def other_writer(settings: Settings):
    """Open a connection like that of another process; it does not wait for a lock."""
    with contextlib.closing(sqlite.connect(settings.paths.database, timeout=0)) as other:
        other.isolation_level = None
        yield other


def test_others_can_write_between_the_calls_of_a_long_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time the lock is yielded, another process gets it at once, always between two calls."""
    call_counts = []

    def yield_to_other_writer() -> None:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        call_counts.append(Call.select().count())

    monkeypatch.setattr(db, "_MAX_HOLD_SECONDS", 0)
    monkeypatch.setattr(reading, "_CALLS_PER_STEP", 1)
    monkeypatch.setattr(db, "yield_write_lock", yield_to_other_writer)
    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 20_000)
    log = tmp_path / "long.csv"
    log.write_bytes(
        b"".join(line for n in range(9) for line in log_records(RATED_CALL, f"hotline-{n}.0"))
    )
    with other_writer(settings) as other:
        ledger.read_log(log, RULES, growing=True)
    assert Call.select().count() == 9
    assert sorted(set(call_counts)) == list(range(1, 10))


def test_garbage_collection_waits_for_the_end_of_a_chunk_of_the_log(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []
    between: list[bool] = []
    take_calls, without_collection, file = (
        reading._store_calls,
        memory.garbage_collection_pause,
        tmp_path / "events.csv",
    )

    def note_state_within(*arguments: Any) -> None:
        within.append(gc.isenabled())
        take_calls(*arguments)

    def note_state_between() -> contextlib.AbstractContextManager[None]:
        between.append(gc.isenabled())
        return without_collection()

    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 20_000)
    monkeypatch.setattr(reading, "_store_calls", note_state_within)
    monkeypatch.setattr(memory, "garbage_collection_pause", note_state_between)
    file.write_bytes(
        b"".join(line for n in range(9) for line in log_records(RATED_CALL, f"hotline-{n}.0"))
    )
    assert ledger.read_log(file, RULES, growing=True)
    assert len(between) > 2
    assert all(between)
    assert not any(within)
    assert gc.isenabled()


def test_a_waiting_writer_gets_the_lock_when_it_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 60.0)
    written_event = threading.Event()

    def delete_events() -> None:
        with db.database.connection_context(), db.write_transaction():
            EventRow.delete().execute()
        written_event.set()

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=delete_events)
        waiting.start()
        assert not written_event.is_set()
        other.execute("ROLLBACK")
        waiting.join(30)
    assert written_event.is_set()


def test_a_busy_database_ends_no_thread_of_pbx(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 0.01)
    stop, faults, was_busy = threading.Event(), [], threading.Event()

    def take_in_call(_settings: Settings, stop: threading.Event) -> None:
        try:
            with db.write_transaction():
                ledger.store_events(table_events(ABANDONED_IN_MENU), RULES)
        except Exception:
            was_busy.set()
            raise
        stop.set()

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Thread(
            target=process._run_guarded, args=(take_in_call, settings, stop, faults)
        ).start()
        assert was_busy.wait(30)
        other.execute("ROLLBACK")
        assert stop.wait(30)
    assert faults == []
    assert Call.get().outcome == "abandoned_menu"


def test_all_pbx_work_survives_a_busy_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All jobs start while the database is locked, are interrupted, and continue later."""
    for pause in ("_MEASURE_SECONDS", "_ALARM_SECONDS"):
        monkeypatch.setattr(process, pause, 0.01)
    settings.paths.event_log.write_bytes(b"".join(log_records(ABANDONED_IN_MENU)))
    # it fills a disk
    jobs = [work for work in process._THREAD_FUNCTIONS if work is not process._maintain_reserve]
    stop, faults = threading.Event(), []
    threads = [
        threading.Thread(target=process._run_guarded, args=(work, settings, stop, faults))
        for work in jobs
    ]
    with locked_database(settings.paths.database):
        for thread in threads:
            thread.start()
        wait_until(
            lambda: caplog.text.count("the database is busy: tried again") >= 2 * len(_WRITING_JOBS)
        )
        assert not stop.is_set()
    wait_until(lambda: Call.select().count() == 1)
    assert all(thread.is_alive() for thread in threads)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert faults == []


def test_work_is_retried_when_the_database_cannot_even_be_opened(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As while another process, the first after a crash, recovers the write-ahead log."""
    monkeypatch.setattr(db.database, "_timeout", 0.01)
    stop, faults = threading.Event(), []

    def count_events(_settings: Settings, stop: threading.Event) -> None:
        assert EventRow.select().count() == 0
        stop.set()

    db.database.close()
    with other_writer(settings) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        threading.Thread(
            target=process._run_guarded, args=(count_events, settings, stop, faults)
        ).start()
        wait_until(lambda: "the database is busy: tried again" in caplog.text or faults)
    assert stop.wait(30)
    assert faults == []


def test_a_late_row_also_reports_a_busy_database() -> None:
    """SQLite raises the error when a row is fetched; peewee only when a statement begins."""
    for error in (sqlite.OperationalError, db.OperationalError):
        assert db.is_busy(error("database is locked"))
        assert db.is_busy(error("locking protocol"))
        assert not db.is_busy(error("no such table: nothing_here"))


def test_a_hold_received_while_the_database_is_busy_is_stored(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 0.01)
    event = {"Event": "Hold", "Uniqueid": "a-1.0", "Linkedid": "a-1.0", "Timestamp": "1795512600.5"}
    stop = threading.Event()

    def handle_hold() -> None:
        with db.database.connection_context():
            db.retry_while_busy(lambda: hold.record_hold(settings, event), stop)

    with other_writer(settings) as other:
        other.execute("BEGIN IMMEDIATE")
        handler = threading.Thread(target=handle_hold)
        handler.start()
        other.execute("ROLLBACK")
        handler.join(30)
    wait_until(lambda: EventRow.select().where(EventRow.event == "HOLD").count() == 1)


def test_an_error_other_than_a_busy_database_is_not_retried(settings: Settings) -> None:
    def query_missing_table() -> None:
        db.database.execute_sql("SELECT * FROM nothing_here")

    with pytest.raises(db.OperationalError, match="no such table"):
        db.retry_while_busy(query_missing_table, threading.Event())
