"""The one loop of scheduled work."""

import logging
import signal
import threading
from collections.abc import Callable
from functools import partial

import schedule

from appliance import live
from appliance.db import database
from appliance.pbx.actions import keep_up
from appliance.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is logged and tried again later."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timetable = schedule.Scheduler()
    timetable.every(10).minutes.do(_guarded, "clear live events", live.clear)
    timetable.every(10).minutes.do(_guarded, "keep Asterisk up to date", partial(keep_up, settings))
    log.info("%d jobs on the timetable of %s", len(timetable.jobs), settings.web.url)
    with database.connection_context():
        timetable.run_all()
        while not stop.wait(1):
            timetable.run_pending()


def _guarded(name: str, job: Callable[[], object]) -> None:
    try:
        log.info("%s: %s", name, job())
    except Exception:  # the boundary of a job
        log.exception("%s failed", name)
