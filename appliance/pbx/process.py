"""The pbx process: threads that follow the event log, and that watch over Asterisk."""

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
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch
from appliance.pbx import (
    actions,
    agi,
    callback,
    carriers,
    clock_watch,
    config_sync,
    database_alarm,
    hold,
    inspection,
    jobs_alarm,
    ledger,
    logs,
    page_phones,
    phone_events,
    projection,
    rerecording,
)
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.pbx.follow import Follower
from appliance.pbx.orphaned_calls import OrphanedCalls
from appliance.pbx.refusals import Refusals
from appliance.pbx.witness import Witness
from appliance.people import presence
from appliance.telephony.recordings import postprocessing, reserve

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks at the event log of which nothing is told
_MEASURE = 1.0
_ROOM = 0.5
_PING = 1.0
_AGREE = 10.0
_BEAT = 1.0
_ALARM = 5.0


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. A fault in a thread ends the process, to be started anew.

    A busy database is none: what it broke off is begun anew.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    faults: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    memory.settle()
    reserve.look(settings)  # before the first word to a database on a full disk
    pulse = db.insist(functools.partial(db.connected, processes.begin, settings, "pbx"), stop)
    threads = [
        threading.Thread(target=_guarded, args=(work, settings, stop, faults), name=work.__name__)
        for work in _WORKS
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(_BEAT):
        pulse.give()
    for thread in threads:
        thread.join()
    pulse.end()
    if faults:
        raise SystemExit(1)


def _guarded(
    work: Callable[[Settings, threading.Event], None],
    settings: Settings,
    stop: threading.Event,
    faults: list[str],
) -> None:
    """Run one thread's work; a fault is logged and stops the others too.

    What a busy database broke off begins anew with a connection of its own.
    """
    try:
        db.insist(functools.partial(db.connected, work, settings, stop), stop)
    except Exception:  # the boundary of the thread
        log.exception("%s failed", work.__name__)
        faults.append(work.__name__)
    finally:
        stop.set()


def _follow(settings: Settings, stop: threading.Event) -> None:
    ledger.project_set_aside(settings.calls)
    follower = Follower(settings)
    with contextlib.closing(logs.watch(settings.paths.event_log.parent)) as watch:
        if known := follower.step():
            log.info("caught up: %d records", known)
        while not stop.is_set():
            watch.wait(_LOOK)
            follower.step()


def _measure(settings: Settings, stop: threading.Event) -> None:
    refusals, project = Refusals(settings), projection.projector(settings)
    postprocessing.tidy(settings)
    while not stop.wait(_MEASURE):
        postprocessing.measure(settings, project)
        refusals.look()
        postprocessing.compress(settings)


def _watch(settings: Settings, stop: threading.Event) -> None:
    """While Asterisk answers, write down that it lives; when it comes back, put states in force."""
    while not stop.is_set():
        try:
            with Connection(settings) as asterisk:
                log.info("Asterisk answers")
                inspection.note_sign_in("")
                config_sync.note_version(asterisk)
                actions.make_agree(settings, asterisk)
                agreed, began, vanished = time.monotonic(), clock.now(), OrphanedCalls()
                while not stop.wait(_PING):
                    asterisk.act("Ping")
                    _note_seen(began)
                    if presence.end_wrap_ups(dt.timedelta(seconds=settings.calls.more_time)):
                        _agree(settings, asterisk)
                    if time.monotonic() - agreed > _AGREE:
                        _agree(settings, asterisk)
                        agreed = time.monotonic()
                    vanished.look(settings, asterisk)
        except (Unreachable, Refused) as error:
            log.warning("Asterisk does not answer: %s", error)
            if str(error).startswith("Login:"):
                inspection.note_sign_in(str(error))
            stop.wait(_PING)
        except (KeyError, ValueError):  # an answer that lacks what it must tell
            log.exception("an answer of Asterisk was not understood")
            stop.wait(_PING)


def _agree(settings: Settings, asterisk: Connection) -> None:
    """Put in force what somebody chose and could not tell Asterisk, as when he was ended before."""
    try:
        actions.make_agree(settings, asterisk)
    except Refused as error:
        log.warning("states are not in force: %s", error)


def _listen(settings: Settings, stop: threading.Event) -> None:
    """Take in what Asterisk tells by itself."""
    witness = Witness()
    while not stop.is_set():
        try:
            with (
                Connection(settings, phone_events.EVENTS) as told,
                Connection(settings) as asterisk,
            ):
                told.hear_only(*{*phone_events.HEARD, *hold.KINDS, witness.HEARD})
                phones = phone_events.Phones()
                while not stop.is_set():
                    db.insist(witness.look, stop)
                    db.insist(functools.partial(phones.look, settings, asterisk), stop)
                    if event := told.next_event(_PING):
                        witness.hear(event)
                        phones.hear(event)
                        for hear in (phone_events.handle, hold.handle):
                            db.insist(functools.partial(hear, settings, event), stop)
        except (Unreachable, Refused):
            stop.wait(_PING)
        except (KeyError, ValueError):  # an event that lacks what it must tell
            log.exception("an event of Asterisk was not understood")
            stop.wait(_PING)


def _keep_room(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(_ROOM):
        reserve.look(settings)


def _watch_jobs(settings: Settings, stop: threading.Event) -> None:
    """Raise the alarm of the process that raises all others, and send it in its place."""
    while not stop.wait(_ALARM):
        alarms.raise_due(settings, [health.jobs_process(settings)], "jobs")
        jobs_alarm.send(settings)


def _note_seen(began: dt.datetime) -> None:
    with writing():
        row = {"started_at": began, "seen_at": clock.now()}
        statements.insert(AsteriskWatch, [row], update=("seen_at",))


_WORKS = (
    *(_follow, _measure, _watch, _listen),
    *(agi.answer, callback.call_back, config_sync.follow, carriers.follow),
    *(clock_watch.watch, rerecording.follow, inspection.follow, page_phones.follow, _keep_room),
    *(_watch_jobs, database_alarm.watch),
)
