"""The one loop of scheduled work, and the threads that wait for others outside the box."""

import datetime as dt
import functools
import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

import schedule

from appliance import alarms, clock, health, links, live, processes, retention, runs
from appliance.db import database
from appliance.gateways.telegram import Telegram
from appliance.jobs import ministry, reports, selftests, sending, telegram
from appliance.jobs.links import Watcher
from appliance.notices import callers, duty
from appliance.pbx.actions import keep_up
from appliance.settings import Settings

log = logging.getLogger(__name__)

LOOK = 1  # seconds between two looks at what is due
LAST = 20.0  # seconds that a message on its way may still take after the stop
NIGHT, LATER = dt.time(3), dt.time(4)


@dataclass(frozen=True)
class Job:
    """What is done when; `do` returns what was done, in words, or nothing."""

    name: str  # worded by the page of the state
    slot: runs.Slot
    do: Callable[[], object]
    catches_up: bool = True  # also on a site that did not know the job before
    apart: bool = False  # in a thread of its own, so that neither waits for the other


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is written down, and goes on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("fontTools", "weasyprint"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable = schedule.Scheduler()
    known = jobs(settings, lambda: not stop.is_set())
    for job in known:
        if not job.apart:
            timetable.every(LOOK).seconds.do(_look, job, stop)
    log.info("%d jobs on the timetable of %s", len(known), settings.web.url)
    threads = _start(settings, [job for job in known if job.apart], stop)
    with database.connection_context():
        processes.begin("jobs")
        timetable.run_all()
        while not stop.wait(LOOK):
            timetable.run_pending()
    for thread in threads:
        thread.join(LAST)


def jobs(settings: Settings, goes_on: Callable[[], bool]) -> list[Job]:
    """The timetable of a site."""
    timetable = [
        Job("clear", runs.every(600), live.clear),
        Job("reports", runs.every(20), lambda: reports.make(settings, goes_on)),
        Job("asterisk", runs.every(600), lambda: keep_up(settings)),
        Job("disks", runs.every(3600), lambda: retention.read_disks(settings)),
        Job(
            "retention",
            runs.daily(NIGHT, settings.tz),
            lambda: retention.remove_due(settings, goes_on),
            catches_up=False,
        ),
        Job("checks", runs.every(60), lambda: _check(settings), apart=True),
        Job(
            "integrity",
            runs.daily(LATER, settings.tz),
            health.database.look_through,
            catches_up=False,
            apart=True,
        ),
    ]
    if settings.sms:
        timetable.append(Job("callers", runs.every(20), lambda: callers.tell_due(settings)))
    if settings.telegram:
        timetable.append(Job("duty", runs.every(20), lambda: duty.escalate(settings)))
    return timetable + _outside(settings)


def _check(settings: Settings) -> str:
    """Look at everything; what has failed for long enough is told."""
    return ", ".join(alarms.keep(settings, health.checks(settings)))


def _repeat(job: Job, stop: threading.Event) -> None:
    """Run one job as it is due."""
    while not stop.is_set():
        run_due(job)
        stop.wait(LOOK)


def _outside(settings: Settings) -> list[Job]:
    """What takes long or waits for somebody outside, as the settings ask for it."""
    tests, at = settings.self_tests, settings.links
    found = []
    if tests.call_minutes:
        slot = runs.every(tests.call_minutes * 60)
        found.append(Job("self_test_call", slot, lambda: selftests.call(settings), False, True))
    if tests.offline_weekday:
        slot = runs.weekly(tests.offline_weekday, dt.time(tests.offline_hour), settings.tz)
        drill = functools.partial(selftests.offline, settings)
        found.append(Job("self_test_offline", slot, drill, False, True))
    if at.rate_url:
        slot = runs.daily(dt.time(at.rate_hour), settings.tz)
        found.append(Job("rate", slot, lambda: links.measure(settings), False, True))
    return found


def _look(job: Job, stop: threading.Event) -> None:
    if not stop.is_set():
        run_due(job)


def run_due(job: Job) -> bool:
    """Run a job if it is due and nobody runs it; whether it ran. Never raises what it raises."""
    try:
        due_at = job.slot(clock.now())
        if not runs.is_due(job.name, due_at):
            return False
        if not job.catches_up:
            runs.begin_later(job.name, due_at)
        mine = runs.begin(job.name, due_at, runs.this_process())
        if not mine:
            return False
        try:
            done = job.do()
        except Exception as error:  # the boundary of a job
            log.exception("%s failed", job.name)
            runs.end(mine, "failed", f"{type(error).__name__}: {error}")
        else:
            if done:
                log.info("%s: %s", job.name, done)
            runs.end(mine, "done", str(done or ""))
        return True
    except Exception:  # the database takes no change: nothing can be written down
        log.exception("%s could not be run", job.name)
        return False


def _start(settings: Settings, apart: list[Job], stop: threading.Event) -> list[threading.Thread]:
    """What waits for others outside the box, each in a thread, so that nothing waits for it.

    A thread that a slow service holds for longer than LAST after the stop is left behind: what it
    had claimed is taken up again, and said to be perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {
        job.name: functools.partial(_repeat, job) for job in apart
    }
    if settings.sms:
        loops["sms"] = sending.senders(settings).follow
    if settings.telegram:
        bot = Telegram(settings.telegram.url, settings.telegram.token)
        loops["telegram"] = telegram.Courier(bot).follow
        loops["telegram reader"] = telegram.Reader(bot, settings).follow
    if links.watched(settings):
        loops["links"] = Watcher(settings).follow
    if settings.ministry and settings.ministry.url:
        system = ministry.gateway(settings.ministry)
        loops["ministry"] = ministry.Courier(system, settings, settings.ministry).follow

    def connected(loop: Callable[[threading.Event], None]) -> None:
        with database.connection_context():
            loop(stop)

    started = [
        threading.Thread(target=connected, args=(loop,), name=name, daemon=True)
        for name, loop in loops.items()
    ]
    for thread in started:
        thread.start()
    return started
