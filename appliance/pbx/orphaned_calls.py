"""Calls that go on in the ledger and not in Asterisk: the log lost their end, as on a full disk."""

import datetime as dt
import logging
import time

from peewee import fn

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch, Call
from appliance.pbx import eventlog, ledger, projection
from appliance.pbx.ami import Connection

log = logging.getLogger(__name__)

_EVERY = 10.0  # seconds between two looks
_LOOKS = 3  # in a row that do not find a call: its last records may be on their way


class OrphanedCalls:
    """Looks for the open calls among Asterisk's channels, and ends those that are not there."""

    def __init__(self, every: float = _EVERY) -> None:
        self._every = every
        # nobody has looked since
        self._before = AsteriskWatch.select(fn.MAX(AsteriskWatch.seen_at)).scalar()
        self._due = 0.0
        self._missed: dict[str, list[dt.datetime]] = {}  # call → looks that did not find it
        self._found: set[str] = set()  # open calls that were there once

    def look(self, settings: Settings, asterisk: Connection) -> list[str]:
        """Look when it is time to; the calls that were ended."""
        if time.monotonic() < self._due:
            return []
        self._due = time.monotonic() + self._every
        now = clock.now()
        open_ones = [call.id for call in Call.select(Call.id).where(Call.ended_at.is_null())]
        if not open_ones:
            self._missed = {}
            return []
        channels = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        there = {channel["Uniqueid"] for channel in channels}
        missing = [
            id for id in open_ones if id not in there and projection.channels(id).isdisjoint(there)
        ]
        self._found = (self._found & set(open_ones)) | (set(open_ones) - set(missing))
        self._missed = {id: [*self._missed.get(id, []), now] for id in missing}
        gone = [id for id, looks in self._missed.items() if len(looks) >= _LOOKS]
        for id in gone:
            log.error("%s: the event log lost the end of this call", id)
            # One that never was there went while nobody looked.
            known = id in self._found or not self._before
            said = "" if known else f"before={self._before.timestamp():.6f}"
            _end(settings, id, self._missed.pop(id)[0], said)
        return gone


def _end(settings: Settings, id: str, at: dt.datetime, said: str) -> None:
    """Write among the call's records that it was not there any more at a moment."""
    ledger.note(settings, eventlog.own("GONE", id, at, facts=said))
