"""The one loop of scheduled work, and the threads that wait for others outside the box.

The loop looks what is due and hands it to a thread: a job that hangs holds up no other.
"""

import datetime as dt
import functools
import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import schedule

from appliance import alarms, clock, health, links, live, processes, retention, runs
from appliance.db import database
from appliance.gateways.telegram import Telegram
from appliance.jobs import ministry, reports, selftests, sending, snapshots, telegram
from appliance.jobs.due import Job, run_due
from appliance.jobs.links import Watcher
from appliance.notices import callers, duty, summary
from appliance.pbx.actions import keep_up
from appliance.settings import Settings

log = logging.getLogger(__name__)

LOOK = 1  # seconds between two looks at what is due
LAST = 20.0  # seconds that a message or a job on its way may still take after the stop
HEARD = 1.0  # seconds in which the signal that ended a helper reaches this process too
NIGHT, LATER = dt.time(3), dt.time(4)


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is written down, and goes on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("fontTools", "weasyprint"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable, hands = schedule.Scheduler(), Hands(stop)
    for job in jobs(settings, lambda: not stop.is_set()):
        timetable.every(LOOK).seconds.do(hands.look, job)
    log.info("%d jobs on the timetable of %s", len(timetable.jobs), settings.web.url)
    threads = _start(settings, stop)
    with database.connection_context():
        processes.begin("jobs")
        timetable.run_all()
        while not stop.wait(LOOK):
            if (timetable.idle_seconds or 0) > LOOK:  # the clock was set back
                timetable.run_all()
            timetable.run_pending()
    end = time.monotonic() + LAST
    for thread in (*threads, *hands.busy.values()):
        thread.join(max(0.0, end - time.monotonic()))


@dataclass
class Hands:
    """A thread for each job that runs."""

    stop: threading.Event
    busy: dict[str, threading.Thread] = field(default_factory=dict)

    def look(self, job: Job) -> None:
        """Have a job run if it is due and does not run."""
        running = self.busy.get(job.name)
        if self.stop.is_set() or (running and running.is_alive()) or not _is_due(job):
            return
        stopped = functools.partial(self.stop.wait, HEARD)
        self.busy[job.name] = threading.Thread(
            target=_connected, args=(run_due, job, stopped), name=job.name, daemon=True
        )
        self.busy[job.name].start()


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
        Job("checks", runs.every(60), lambda: _check(settings)),
        Job(
            "integrity",
            runs.daily(LATER, settings.tz),
            health.database.look_through,
            catches_up=False,
        ),
    ]
    if settings.sms:
        timetable.append(Job("callers", runs.every(20), lambda: callers.tell_due(settings)))
    if settings.telegram:
        timetable.append(Job("duty", runs.every(20), lambda: duty.escalate(settings)))
    if slot := summary.slot(settings):
        timetable.append(Job("summary", slot, lambda: summary.tell(settings), catches_up=False))
    return timetable + _outside(settings)


def _is_due(job: Job) -> bool:
    try:
        return runs.is_due(job.name, job.slot(clock.now()))
    except Exception:  # the boundary of a look: the next one is in a second
        log.exception("%s: nobody knows whether it is due", job.name)
        return False


def _outside(settings: Settings) -> list[Job]:
    """What takes long or waits for somebody outside, as the settings ask for it."""
    tests, at = settings.self_tests, settings.links
    found = snapshots.jobs(settings) if settings.backups else []
    if tests.call_minutes:
        slot = runs.every(tests.call_minutes * 60)
        found.append(Job("self_test_call", slot, lambda: selftests.call(settings), False))
    if tests.offline_weekday:
        slot = runs.weekly(tests.offline_weekday, dt.time(tests.offline_hour), settings.tz)
        drill = functools.partial(selftests.offline, settings)
        found.append(Job("self_test_offline", slot, drill, False))
    if at.rate_url:
        slot = runs.daily(dt.time(at.rate_hour), settings.tz)
        measure = functools.partial(links.measure, settings)
        # It fills the line: never in the middle of the day, when the box was off at night.
        found.append(Job("rate", slot, measure, False, within=dt.timedelta(hours=1)))
    return found


def _check(settings: Settings) -> str:
    """Look at everything; what has failed for long enough is told."""
    return ", ".join(alarms.keep(settings, health.checks(settings)))


def _start(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    """What waits for others outside the box, each in a thread, so that nothing waits for it.

    A thread that a slow service holds for longer than LAST after the stop is left behind: what it
    had claimed is taken up again, and said to be perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {}
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
    started = [
        threading.Thread(target=_connected, args=(loop, stop), name=name, daemon=True)
        for name, loop in loops.items()
    ]
    for thread in started:
        thread.start()
    return started


def _connected(do: Callable[..., object], *arguments: object) -> None:
    with database.connection_context():
        do(*arguments)
