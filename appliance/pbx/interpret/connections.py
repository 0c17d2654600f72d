"""When each phone of a call was connected with another party, from its channels' records alone."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from appliance.pbx.eventlog import Event


class Connection(NamedTuple):
    """A period that includes every talk of a phone in a call.

    Without `until`, a talk may still go on.
    """

    since: dt.datetime
    until: dt.datetime | None


def phone_connections(events: Iterable[Event]) -> dict[str, Connection]:
    """Return, by phone, the period in which it was connected with another party in this call.

    `events` are all records of the call; phones that were never connected are left out.
    """
    phones: dict[str, str] = {}  # by channel
    started_channels: set[str] = set()
    entered_at: dict[str, dt.datetime] = {}  # by channel: when it was first in a bridge
    left_at: dict[str, dt.datetime] = {}  # by channel: when it ended
    is_interrupted = False  # a lost phone's talk goes on without it
    last_at: dt.datetime | None = None
    for event in events:
        channel, at = event.uniqueid, event.at
        last_at = max(at, last_at) if last_at else at
        if event.type == "CHAN_START":
            started_channels.add(channel)
            if event.is_phone:
                phones[channel] = event.endpoint
        elif event.type == "BRIDGE_ENTER":
            entered_at[channel] = min(at, entered_at.get(channel, at))
        elif event.type == "HANGUP":
            left_at[channel] = max(at, left_at.get(channel, at))
        elif event.type == "LOST":
            is_interrupted = True
    call_end = last_at if started_channels <= left_at.keys() else None  # None: it is not over
    connections: defaultdict[str, list[Connection]] = defaultdict(list)
    for channel in phones.keys() & entered_at.keys():
        until = call_end if is_interrupted else left_at.get(channel, call_end)
        connections[phones[channel]].append(Connection(entered_at[channel], until))
    return {phone: _merge_connections(periods) for phone, periods in connections.items()}


def _merge_connections(periods: Sequence[Connection]) -> Connection:
    """Return one period that includes all of a phone's connections, of which there is at least one.

    It has no end if one of them has no end.
    """
    ends = [until for _, until in periods if until]
    return Connection(
        min(since for since, _ in periods), max(ends) if len(ends) == len(periods) else None
    )
