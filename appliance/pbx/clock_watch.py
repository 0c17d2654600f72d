"""Steps of the machine's clock: noticed, written down for the ledger, and told to Asterisk."""

import datetime as dt
import functools
import json
import logging
import threading
import time

from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.pbx.eventlog import Event

log = logging.getLogger(__name__)

_LOOK = 0.05
_LEAST = 1.0  # seconds; what is less is too small to be found in the log
_CONTACTS = "registrar/contact"


def watch(settings: Settings, stop: threading.Event) -> None:
    """Compare the clock with one that is never stepped, until `stop`."""
    ahead = _ahead()
    while not stop.is_set():
        time.sleep(_LOOK)  # takes half of what a wait for `stop` does
        by = _ahead() - ahead
        if abs(by) < _LEAST:
            continue
        ahead += by
        log.warning("the clock was stepped by %.1f s", by)
        db.insist(functools.partial(note, settings, by), stop)
        try:
            with Connection(settings) as asterisk:
                _put_right(asterisk, by)
        except (Unreachable, Refused) as error:
            log.warning("Asterisk is not told of it: %s", error)


def note(settings: Settings, by: float) -> None:
    """Write a step of so many seconds, that was just now, among the event log's records."""
    ledger.note(settings, record(clock.now(), by))


def record(at: dt.datetime, by: float) -> Event:
    """A step of so many seconds, noticed at that moment by the clock after it."""
    return eventlog.own("CLOCK", f"clock-{at.timestamp():.6f}", at, facts=f"by={by:.6f}")


def _put_right(asterisk: Connection, by: float) -> None:
    """What Asterisk keeps by the clock: how long phones are registered, when members had calls.

    Registered for an hour, every phone would be unknown after a step of an hour; and a pause after
    a talk that ended in the future, by the clock set back, would last an hour.
    """
    for entry in asterisk.listed("DBGetTree", "DBGetTreeComplete", Family=_CONTACTS):
        try:
            contact = json.loads(entry["Val"])
            contact["expiration_time"] = str(int(int(contact["expiration_time"]) + by))
        except (KeyError, TypeError, ValueError):
            log.warning("Asterisk knows a phone in a way that we do not: %s", entry)
            continue
        key = entry["Key"].rpartition("/")[2]
        asterisk.act("DBPut", Family=_CONTACTS, Key=key, Val=json.dumps(contact))
    if by < 0:
        asterisk.act("QueueReset")


def _ahead() -> float:
    return time.time() - time.monotonic()
