"""Steps of the machine's clock: detected, recorded for the ledger, and corrected in Asterisk.

A step is a sudden change of the time, as when the clock is set.
"""

import datetime as dt
import functools
import json
import logging
import threading
import time

from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.pbx.eventlog import Event

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_MIN_STEP_SECONDS = 1.0  # a smaller step cannot be found in the log
_CONTACT_FAMILY = "registrar/contact"


def watch_clock(settings: Settings, stop: threading.Event) -> None:
    """Watch for steps of the clock until `stop` is set, by a second clock that is never stepped."""
    offset = _wall_clock_offset()
    while not stop.is_set():
        time.sleep(_POLL_SECONDS)  # needs half the time of a wait for `stop`
        step_seconds = _wall_clock_offset() - offset
        if abs(step_seconds) < _MIN_STEP_SECONDS:
            continue
        offset += step_seconds
        log.warning("the clock was stepped by %.1f s", step_seconds)
        db.retry_while_busy(functools.partial(record_step, settings, step_seconds), stop)
        try:
            with Connection(settings) as asterisk:
                _correct_asterisk(asterisk, step_seconds)
        except (Unreachable, ActionRefused) as error:
            log.warning("Asterisk is not told of it: %s", error)


def record_step(settings: Settings, step_seconds: float) -> None:
    """Record in the ledger that the clock was just stepped by `step_seconds` (< 0: set back)."""
    ledger.record_event(settings, step_event(clock.now(), step_seconds))


def step_event(at: dt.datetime, step_seconds: float) -> Event:
    """Return the event for a step of the clock; `at` is when it was detected, by the new time."""
    return eventlog.create_event(
        "CLOCK", f"clock-{at.timestamp():.6f}", at, facts=f"by={step_seconds:.6f}"
    )


def _correct_asterisk(asterisk: Connection, step_seconds: float) -> None:
    """Correct the times that Asterisk stores: registrations of phones, last calls of operators.

    Phones register for an hour: after a step forward by an hour, Asterisk would have lost them all.
    After a step back by an hour, the pause that follows an operator's talk would last an hour
    longer.
    """
    for entry in asterisk.list_events("DBGetTree", "DBGetTreeComplete", Family=_CONTACT_FAMILY):
        try:
            contact = json.loads(entry["Val"])
            contact["expiration_time"] = str(int(int(contact["expiration_time"]) + step_seconds))
        except (KeyError, TypeError, ValueError):
            log.warning("Asterisk knows a phone in a way that we do not: %s", entry)
            continue
        key = entry["Key"].rpartition("/")[2]
        asterisk.send_action("DBPut", Family=_CONTACT_FAMILY, Key=key, Val=json.dumps(contact))
    if step_seconds < 0:
        asterisk.send_action("QueueReset")


def _wall_clock_offset() -> float:
    """Return the seconds by which the clock is ahead of the monotonic one."""
    return time.time() - time.monotonic()
