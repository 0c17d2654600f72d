"""The one loop of scheduled work, and the threads that wait for others outside the box."""

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable

import schedule

from appliance import live, retention, runs
from appliance.db import database
from appliance.gateways import sms
from appliance.gateways.telegram import Telegram
from appliance.jobs import reports, sending, snapshots, telegram
from appliance.jobs.due import Job, run_due
from appliance.notices import duty
from appliance.pbx.actions import keep_up
from appliance.settings import Settings

log = logging.getLogger(__name__)

LOOK = 1  # seconds between two looks at what is due
LAST = 20.0  # seconds that a message on its way may still take after the stop
NIGHT = dt.time(3)


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is written down, and goes on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("fontTools", "weasyprint"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable = schedule.Scheduler()
    for job in jobs(settings, lambda: not stop.is_set()):
        timetable.every(LOOK).seconds.do(_look, job, stop)
    log.info("%d jobs on the timetable of %s", len(timetable.jobs), settings.web.url)
    threads = _start(settings, stop)
    with database.connection_context():
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
    ]
    if settings.telegram:
        timetable.append(Job("duty", runs.every(20), lambda: duty.escalate(settings)))
    return timetable


def _look(job: Job, stop: threading.Event) -> None:
    if not stop.is_set():
        run_due(job)


def _start(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    """What waits for others outside the box, each in a thread, so that nothing waits for it.

    A thread that a slow service holds for longer than LAST after the stop is left behind: what it
    had claimed is taken up again, and said to be perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {}
    if settings.backups:
        loops["snapshots"] = snapshots.Keeper(settings).follow
    if settings.sms:
        loops["sms"] = sending.Senders(sms.gateways(settings)).follow
    if settings.telegram:
        bot = Telegram(settings.telegram.url, settings.telegram.token)
        loops["telegram"] = telegram.Courier(bot).follow
        loops["telegram reader"] = telegram.Reader(bot, settings).follow

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
