"""Ends calls that are open only in the ledger: the log lacks their end, as after a full disk."""

import datetime as dt
import logging
import time

from peewee import fn

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import AsteriskWatch, Call
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import Connection

log = logging.getLogger(__name__)

_POLL_SECONDS = 10.0
_MISSED_POLLS = 3  # polls in a row that must not find a call: its last records may be on their way


class OrphanedCalls:
    """Ends the ledger's open calls that several polls have not found among Asterisk's channels."""

    def __init__(self, poll_seconds: float = _POLL_SECONDS) -> None:
        self._poll_seconds = poll_seconds
        # when Asterisk was last observed before this process started
        self._last_observed_at = AsteriskWatch.select(fn.MAX(AsteriskWatch.seen_at)).scalar()
        self._next_poll = 0.0
        # by call: times of the last polls in a row that did not find it
        self._missed_at: dict[str, list[dt.datetime]] = {}
        self._confirmed_ids: set[str] = set()  # open calls that were found at least once

    def end_orphaned_calls(self, settings: Settings, asterisk: Connection) -> list[str]:
        """If a poll is due, look for the ledger's open calls in Asterisk, and end missing ones.

        Returns the ids of the calls that were ended: those that several polls in a row missed.
        """
        if time.monotonic() < self._next_poll:
            return []
        self._next_poll = time.monotonic() + self._poll_seconds
        now = clock.now()
        open_ids = [call.id for call in Call.select(Call.id).where(Call.ended_at.is_null())]
        if not open_ids:
            self._missed_at = {}
            return []
        channels = asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
        channel_ids = {channel["Uniqueid"] for channel in channels}
        missing_ids = [
            id
            for id in open_ids
            if id not in channel_ids and ledger.channel_ids(id).isdisjoint(channel_ids)
        ]
        self._confirmed_ids = (self._confirmed_ids & set(open_ids)) | (
            set(open_ids) - set(missing_ids)
        )
        self._missed_at = {id: [*self._missed_at.get(id, []), now] for id in missing_ids}
        orphaned_ids = [id for id, polls in self._missed_at.items() if len(polls) >= _MISSED_POLLS]
        for id in orphaned_ids:
            log.error("%s: the event log lost the end of this call", id)
            # A call that was never found ended while nothing was observed (before this process).
            is_confirmed = id in self._confirmed_ids or not self._last_observed_at
            facts = "" if is_confirmed else f"before={self._last_observed_at.timestamp():.6f}"
            _record_end(settings, id, self._missed_at.pop(id)[0], facts)
        return orphaned_ids


def _record_end(settings: Settings, id: str, at: dt.datetime, facts: str) -> None:
    """Add a record GONE: the call `id` was no longer in Asterisk at `at`.

    `facts` are "before=" with the time when Asterisk was last observed (epoch seconds) if no poll
    ever found the call, otherwise "".
    """
    ledger.record_event(settings, eventlog.create_event("GONE", id, at, facts=facts))
