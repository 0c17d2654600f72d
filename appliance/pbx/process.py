"""The pbx process: threads that follow the event log and monitor Asterisk."""

import contextlib
import datetime as dt
import functools
import logging
import signal
import threading
import time
from collections.abc import Callable

from appliance.box import alarms, health, processes
from appliance.core import clock, db, memory, statements
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch
from appliance.pbx import (
    actions,
    agi,
    browser_phones,
    callback,
    carriers,
    clock_watch,
    config_sync,
    database_alarm,
    hold,
    inspection,
    jobs_alarm,
    ledger,
    log_files,
    phone_events,
    rerecording,
)
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.pbx.log_follower import LogFollower
from appliance.pbx.orphaned_calls import OrphanedCalls
from appliance.pbx.refusals import RefusalLog
from appliance.pbx.witness import CallWitness
from appliance.people import presence
from appliance.telephony.recordings import postprocessing, reserve

log = logging.getLogger(__name__)

_LOG_POLL_SECONDS = 1.0  # between two reads of the event log without a notification
_MEASURE_SECONDS = 1.0
_RESERVE_SECONDS = 0.5
_PING_SECONDS = 1.0
_SYNC_SECONDS = 10.0
_HEARTBEAT_SECONDS = 1.0
_ALARM_SECONDS = 5.0


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. A fault in a thread ends the process, which is then restarted.

    A busy database is not a fault: the work that it interrupted starts again.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    faults: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    memory.freeze_loaded_objects()
    reserve.check_free_space(settings)  # before the first write to a database on a full disk
    pulse = db.retry_while_busy(
        functools.partial(db.run_with_connection, processes.register_process, settings, "pbx"), stop
    )
    threads = [
        threading.Thread(
            target=_run_guarded, args=(work, settings, stop, faults), name=work.__name__
        )
        for work in _THREAD_FUNCTIONS
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(_HEARTBEAT_SECONDS):
        pulse.write_if_due()
    for thread in threads:
        thread.join()
    pulse.remove_file()
    if faults:
        raise SystemExit(1)


def _run_guarded(
    work: Callable[[Settings, threading.Event], None],
    settings: Settings,
    stop: threading.Event,
    faults: list[str],
) -> None:
    """Run one thread's work; when it ends, for any reason, the other threads stop too.

    A fault is logged, and the name of the work is added to `faults`. Work that a busy database
    interrupts starts again, with a new database connection.
    """
    try:
        db.retry_while_busy(functools.partial(db.run_with_connection, work, settings, stop), stop)
    except Exception:  # the boundary of the thread
        log.exception("%s failed", work.__name__)
        faults.append(work.__name__)
    finally:
        stop.set()


def _follow_event_log(settings: Settings, stop: threading.Event) -> None:
    """Read the event log into the ledger as it grows, until `stop` is set.

    First the calls are tried again that could not be interpreted when they were read.
    """
    ledger.retry_quarantined_calls(settings.calls)
    follower = LogFollower(settings)
    with contextlib.closing(log_files.watch_folder(settings.paths.event_log.parent)) as watch:
        if new_count := follower.read_new_records():
            log.info("caught up: %d records", new_count)
        while not stop.is_set():
            watch.wait_for_event(_LOG_POLL_SECONDS)
            follower.read_new_records()


def _process_recordings(settings: Settings, stop: threading.Event) -> None:
    """Measure and compress recordings, and record refused requests, which Asterisk's logs contain.

    WAV files whose compressed copy is complete are deleted first.
    """
    refusals, project = RefusalLog(settings), ledger.call_projector(settings)
    postprocessing.remove_compressed_wavs(settings)
    while not stop.wait(_MEASURE_SECONDS):
        postprocessing.measure_recordings(settings, project)
        refusals.read_refusals()
        postprocessing.compress_oldest(settings)


def _monitor_asterisk(settings: Settings, stop: threading.Event) -> None:
    """Record that Asterisk is alive while it answers, and apply the operators' states.

    It also ends wrap-ups that last too long, and calls whose end the event log lacks.
    """
    while not stop.is_set():
        try:
            with Connection(settings) as asterisk:
                log.info("Asterisk answers")
                inspection.record_sign_in("")
                config_sync.record_asterisk_version(asterisk)
                actions.sync_queue_members(settings, asterisk)
                synced_at, answers_since, orphaned_calls = (
                    time.monotonic(),
                    clock.now(),
                    OrphanedCalls(),
                )
                while not stop.wait(_PING_SECONDS):
                    asterisk.send_action("Ping")
                    _record_asterisk_seen(answers_since)
                    if presence.end_wrap_ups(dt.timedelta(seconds=settings.calls.more_time)):
                        _sync_states(settings, asterisk)
                    if time.monotonic() - synced_at > _SYNC_SECONDS:
                        _sync_states(settings, asterisk)
                        synced_at = time.monotonic()
                    orphaned_calls.end_orphaned_calls(settings, asterisk)
        except (Unreachable, ActionRefused) as error:
            log.warning("Asterisk does not answer: %s", error)
            if str(error).startswith("Login:"):
                inspection.record_sign_in(str(error))
            stop.wait(_PING_SECONDS)
        except (KeyError, ValueError):  # an answer that lacks a required header
            log.exception("an answer of Asterisk was not understood")
            stop.wait(_PING_SECONDS)


def _sync_states(settings: Settings, asterisk: Connection) -> None:
    """Apply operators' states that did not reach Asterisk, as after a process was killed.

    A refusal is logged: the next round tries again.
    """
    try:
        actions.sync_queue_members(settings, asterisk)
    except ActionRefused as error:
        log.warning("states are not in force: %s", error)


def _receive_events(settings: Settings, stop: threading.Event) -> None:
    """Handle the events that Asterisk sends about phones, holds and the beginnings of calls.

    It uses two connections: one that receives the events, and one for queries.
    """
    witness = CallWitness()
    while not stop.is_set():
        try:
            with (
                Connection(settings, phone_events.EVENT_CLASSES) as event_connection,
                Connection(settings) as asterisk,
            ):
                event_connection.receive_only(
                    *{*phone_events.EVENT_NAMES, *hold.RECORD_TYPES, witness.EVENT_NAME}
                )
                phones = phone_events.PhoneMonitor()
                while not stop.is_set():
                    db.retry_while_busy(witness.find_unlogged_calls, stop)
                    db.retry_while_busy(
                        functools.partial(phones.update_devices, settings, asterisk), stop
                    )
                    if event := event_connection.next_event(_PING_SECONDS):
                        witness.observe_call_begin(event)
                        phones.track_event(event)
                        for handler in (
                            phone_events.resume_talk_or_pause_operator,
                            hold.record_hold,
                        ):
                            db.retry_while_busy(functools.partial(handler, settings, event), stop)
        except (Unreachable, ActionRefused):  # `_monitor_asterisk` reports it
            stop.wait(_PING_SECONDS)
        except (KeyError, ValueError):  # an event that lacks a required header
            log.exception("an event of Asterisk was not understood")
            stop.wait(_PING_SECONDS)


def _maintain_reserve(settings: Settings, stop: threading.Event) -> None:
    """Keep the disk space reserved for the ledger, and release it when the disk is full."""
    while not stop.wait(_RESERVE_SECONDS):
        reserve.check_free_space(settings)


def _monitor_jobs_process(settings: Settings, stop: threading.Event) -> None:
    """Raise and send an alarm if the process `appliance jobs` does not work, until `stop` is set.

    That process sends all other alarms, so it cannot send this one.
    """
    while not stop.wait(_ALARM_SECONDS):
        alarms.notify_due_alarms(settings, [health.jobs_process(settings)], "jobs")
        jobs_alarm.send_alarm(settings)


def _record_asterisk_seen(answers_since: dt.datetime) -> None:
    """Record that Asterisk answers now; `answers_since` is when this connection was opened."""
    with write_transaction():
        row = {"started_at": answers_since, "seen_at": clock.now()}
        statements.insert_rows(AsteriskWatch, [row], update=("seen_at",))


_THREAD_FUNCTIONS = (
    *(_follow_event_log, _process_recordings, _monitor_asterisk, _receive_events),
    *(
        agi.serve_look_ups,
        callback.call_missed_callers,
        config_sync.follow_changes,
        carriers.monitor_lines,
    ),
    *(
        clock_watch.watch_clock,
        rerecording.follow_joined_calls,
        inspection.inspect_regularly,
        browser_phones.unregister_ended_phones_regularly,
        _maintain_reserve,
    ),
    *(_monitor_jobs_process, database_alarm.watch_database),
)
