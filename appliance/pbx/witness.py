"""A witness of calls that does not stand on the event log: Asterisk's manager interface."""

import datetime as dt
import logging
import time

from appliance.core import clock
from appliance.pbx.ami import moment_of
from appliance.telephony import calls

log = logging.getLogger(__name__)

WAITS = dt.timedelta(seconds=10)  # for the first record of a call to be read
_EVERY = 5.0  # seconds between two looks


class Witness:
    """Hears of each call as it begins, and looks whether the log holds it."""

    HEARD = "Newchannel"  # event of AMI

    def __init__(self) -> None:
        self._heard: dict[str, tuple[str, dt.datetime]] = {}  # linkedid → (context, moment)
        self._due = 0.0

    def hear(self, event: dict[str, str]) -> None:
        """Take in one event: the first channel of a call begins it."""
        if event.get("Event") != self.HEARD or event.get("Uniqueid") != event.get("Linkedid"):
            return
        if event.get("Context") in calls.WITNESSED:
            self._heard[event["Linkedid"]] = event["Context"], moment_of(event)

    def look(self) -> list[str]:
        """Look when it is time to; the calls of which no record came."""
        if time.monotonic() < self._due:
            return []
        self._due = time.monotonic() + _EVERY
        now, lost = clock.now(), []
        for linkedid, (begins, at) in list(self._heard.items()):
            if calls.is_logged(linkedid):
                del self._heard[linkedid]
            elif abs(now - at) >= WAITS:
                calls.write_down(linkedid, begins, at)
                del self._heard[linkedid]
                lost.append(linkedid)
        if lost:
            log.error("the event log does not hold these calls: %s", ", ".join(lost))
        calls.settle()
        return lost
