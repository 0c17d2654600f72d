"""The one loop of scheduled work."""

import logging
import signal
import threading
from collections.abc import Callable
from functools import partial

import schedule

from appliance import live
from appliance.db import database
from appliance.jobs import reports
from appliance.pbx.actions import keep_up
from appliance.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is logged and tried again later."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("fontTools", "weasyprint"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable = schedule.Scheduler()
    timetable.every(10).minutes.do(_guarded, "clear live events", live.clear)
    timetable.every(20).seconds.do(
        _guarded, "make reports", lambda: reports.make(settings, lambda: not stop.is_set())
    )
    timetable.every(10).minutes.do(_guarded, "keep Asterisk up to date", partial(keep_up, settings))
    log.info("%d jobs on the timetable of %s", len(timetable.jobs), settings.web.url)
    with database.connection_context():
        timetable.run_all()
        while not stop.wait(1):
            timetable.run_pending()


def _guarded(name: str, job: Callable[[], object]) -> None:
    try:
        if done := job():
            log.info("%s: %s", name, done)
    except Exception:  # the boundary of a job
        log.exception("%s failed", name)
