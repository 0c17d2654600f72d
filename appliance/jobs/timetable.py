"""The one loop of scheduled work."""

import logging
import signal
import threading
from collections.abc import Callable

import schedule

from appliance import live, retention
from appliance.db import database
from appliance.gateways import sms
from appliance.gateways.telegram import Telegram
from appliance.jobs import reports, sending, telegram
from appliance.notices import duty
from appliance.settings import Settings

log = logging.getLogger(__name__)

LAST = 20.0  # seconds that a message on its way may still take after the stop


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is logged and tried again later."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable = schedule.Scheduler()
    timetable.every(10).minutes.do(_guarded, "clear live events", live.clear)
    timetable.every(20).seconds.do(
        _guarded, "make reports", lambda: reports.make(settings, lambda: not stop.is_set())
    )
    timetable.every(1).hours.do(_guarded, "read disks", lambda: retention.read_disks(settings))
    timetable.every(1).hours.do(
        _guarded,
        "remove what is old",
        lambda: retention.remove_due(settings, lambda: not stop.is_set()),
    )
    if settings.telegram:
        timetable.every(20).seconds.do(
            _guarded, "ask the next on duty", lambda: duty.escalate(settings)
        )
    log.info("%d jobs on the timetable of %s", len(timetable.jobs), settings.web.url)
    threads = _start(settings, stop)
    with database.connection_context():
        timetable.run_all()
        while not stop.wait(1):
            timetable.run_pending()
    for thread in threads:
        thread.join(LAST)


def _start(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    """What waits for others outside the box, each in a thread, so that nothing waits for it.

    A thread that a slow service holds for longer than LAST after the stop is left behind: what it
    had claimed is taken up again, and said to be perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {}
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


def _guarded(name: str, job: Callable[[], object]) -> None:
    try:
        if done := job():
            log.info("%s: %s", name, done)
    except Exception:  # the boundary of a job
        log.exception("%s failed", name)
