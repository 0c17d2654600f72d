"""Detects calls that the event log lacks, by events of Asterisk's manager interface."""

import datetime as dt
import logging
import time

from appliance.core import clock
from appliance.pbx.ami import event_time
from appliance.telephony import calls

log = logging.getLogger(__name__)

RECORD_DELAY = dt.timedelta(seconds=10)  # until then, the first record of a call has been read
_POLL_SECONDS = 5.0


class CallWitness:
    """Receives an event as each call begins, and checks whether the event log contains the call."""

    EVENT_NAME = "Newchannel"  # event of AMI

    def __init__(self) -> None:
        self._observed: dict[str, tuple[str, dt.datetime]] = {}  # (context, time) by linkedid
        self._next_check = 0.0

    def observe_call_begin(self, event: dict[str, str]) -> None:
        """Remember the call that an event begins: a new channel that is the first of its call."""
        if event.get("Event") != self.EVENT_NAME or event.get("Uniqueid") != event.get("Linkedid"):
            return
        if event.get("Context") in calls.WATCHED_CONTEXTS:
            self._observed[event["Linkedid"]] = event["Context"], event_time(event)

    def find_unlogged_calls(self) -> list[str]:
        """If a check is due, record the observed calls that the log lacks; returns their linkedids.

        A call must be absent for RECORD_DELAY. The records of calls that were logged only later are
        deleted.
        """
        if time.monotonic() < self._next_check:
            return []
        self._next_check = time.monotonic() + _POLL_SECONDS
        now, unlogged = clock.now(), []
        for linkedid, (begins, at) in list(self._observed.items()):
            if calls.is_logged(linkedid):
                del self._observed[linkedid]
            elif abs(now - at) >= RECORD_DELAY:
                calls.record_seen_call(linkedid, begins, at)
                del self._observed[linkedid]
                unlogged.append(linkedid)
        if unlogged:
            log.error("the event log does not hold these calls: %s", ", ".join(unlogged))
        calls.clear_logged_seen_calls()
        return unlogged
