"""The pbx process: threads that follow the event log, and that watch over Asterisk."""

import datetime as dt
import logging
import signal
import threading
import time
from collections.abc import Callable

from appliance import clock, processes
from appliance.db import database, writing
from appliance.models import AsteriskWatch
from appliance.pbx import (
    actions,
    agi,
    callback,
    carriers,
    finishing,
    holding,
    presence,
    rerecording,
    stepping,
    upkeep,
)
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.pbx.follow import Follower
from appliance.pbx.refusals import Refusals
from appliance.pbx.vanished import Vanished
from appliance.recordings import reserve
from appliance.settings import Settings

log = logging.getLogger(__name__)

_LOOK = 0.05  # seconds between two looks at the event log
_MEASURE = 1.0
_ROOM = 0.5
_PING = 1.0
_AGREE = 10.0


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. A fault in a thread ends the process, to be started anew."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    faults: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    reserve.look(settings)  # before the first word to a database on a full disk
    with database.connection_context():
        processes.begin("pbx")
    threads = [
        threading.Thread(target=_guarded, args=(work, settings, stop, faults), name=work.__name__)
        for work in _WORKS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(1)


def _guarded(
    work: Callable[[Settings, threading.Event], None],
    settings: Settings,
    stop: threading.Event,
    faults: list[str],
) -> None:
    """Run one thread's work; a fault is logged and stops the others too."""
    try:
        with database.connection_context():
            work(settings, stop)
    except Exception:  # the boundary of the thread
        log.exception("%s failed", work.__name__)
        faults.append(work.__name__)
    finally:
        stop.set()


def _follow(settings: Settings, stop: threading.Event) -> None:
    follower = Follower(settings)
    if known := follower.step():
        log.info("caught up: %d records", known)
    while not stop.wait(_LOOK):
        follower.step()


def _measure(settings: Settings, stop: threading.Event) -> None:
    refusals = Refusals(settings)
    finishing.tidy(settings)
    while not stop.wait(_MEASURE):
        finishing.measure(settings)
        refusals.look()
        finishing.compress(settings)


def _watch(settings: Settings, stop: threading.Event) -> None:
    """While Asterisk answers, write down that it lives; when it comes back, put states in force."""
    while not stop.is_set():
        try:
            with Connection(settings) as asterisk:
                log.info("Asterisk answers")
                upkeep.note_version(asterisk)
                actions.make_agree(settings, asterisk)
                agreed, began, vanished = time.monotonic(), clock.now(), Vanished()
                while not stop.wait(_PING):
                    asterisk.act("Ping")
                    _seen(began)
                    if time.monotonic() - agreed > _AGREE:
                        _agree(settings, asterisk)
                        agreed = time.monotonic()
                    presence.look(settings, asterisk)
                    vanished.look(settings, asterisk)
        except (Unreachable, Refused) as error:
            log.warning("Asterisk does not answer: %s", error)
            stop.wait(_PING)


def _agree(settings: Settings, asterisk: Connection) -> None:
    """Put in force what somebody chose and could not tell Asterisk, as when he was ended before."""
    try:
        actions.make_agree(settings, asterisk)
    except Refused as error:
        log.warning("states are not in force: %s", error)


def _hear(settings: Settings, stop: threading.Event) -> None:
    """Take in what Asterisk tells by itself."""
    while not stop.is_set():
        try:
            with Connection(settings, presence.EVENTS) as asterisk:
                while not stop.is_set():
                    if event := asterisk.next_event(_PING):
                        presence.hear(settings, event)
                        holding.hear(settings, event)
        except (Unreachable, Refused):
            stop.wait(_PING)


def _keep_room(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(_ROOM):
        reserve.look(settings)


def _seen(began: dt.datetime) -> None:
    with writing():
        AsteriskWatch.replace(started_at=began, seen_at=clock.now()).execute()


_WORKS = (
    *(_follow, _measure, _watch, _hear),
    *(agi.answer, callback.call_back, upkeep.keep, carriers.follow),
    *(stepping.watch, rerecording.follow, _keep_room),
)
