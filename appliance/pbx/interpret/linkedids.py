"""Which linkedid names a call, and which records belong to it.

Asterisk writes the linkedid of a call's first channel into all its records; when calls are joined,
it continues with the oldest one.
"""

import datetime as dt
from collections.abc import Iterable

from appliance.pbx.eventlog import Event


def root_linkedids(events: Iterable[Event]) -> list[str]:
    """Return the linkedids that name the calls of these records.

    Usually it is one, the oldest. But two citizens whom an operator joined are two calls: each has
    its own arrival and outcome. `events` must not be empty.
    """
    event_list = list(events)
    inbound_ids = {event.linkedid for event in event_list if event.begins == "from-trunk"}
    return sorted(inbound_ids) or [oldest_linkedid({event.linkedid for event in event_list})]


def calls_without_beginning(events: Iterable[Event]) -> dict[str, dt.datetime]:
    """Return the time of the earliest record of each call from a trunk without a first record.

    The times are by linkedid. The first record was lost, as in damaged bytes of the log: only that
    such a call arrived is known, from the name of the trunk's channel.
    """
    event_list = list(events)
    beginnings = {event.linkedid for event in event_list if event.begins is not None}
    first_times: dict[str, dt.datetime] = {}
    for event in event_list:
        if event.uniqueid == event.linkedid not in beginnings and event.is_trunk:
            first_times[event.linkedid] = min(event.at, first_times.get(event.linkedid, event.at))
    return first_times


def oldest_linkedid(linkedids: Iterable[str]) -> str:
    """Return the linkedid of the call that began first: Asterisk keeps it when calls are joined."""
    return min(linkedids, key=_age_key)


def _age_key(linkedid: str) -> tuple[int, int, str]:
    """Return (second, sequence number, linkedid) of a linkedid such as "hotline-1764136046.12".

    A linkedid of another form counts as older than all of this form.
    """
    second, _, number = linkedid.rpartition("-")[2].partition(".")
    is_numeric = second.isdigit() and number.isdigit()
    return (int(second), int(number), linkedid) if is_numeric else (0, 0, linkedid)


def records_of_call(events: list[Event], root: str) -> list[Event]:
    """Return the records of the call that the linkedid `root` names, out of those of joined calls.

    Those of another citizen's call, and of all channels that started in it, are left out.
    """
    other_ids = {e.linkedid for e in events if e.begins == "from-trunk"} - {root}
    if not other_ids:
        return events
    channels = {e.uniqueid for e in events if e.type == "CHAN_START" and e.linkedid in other_ids}
    return [e for e in events if e.uniqueid not in channels and e.linkedid not in other_ids]


def first_record(events: Iterable[Event], root: str) -> Event | None:
    """Return the first record of the call that the linkedid `root` names, if it is among them.

    `events` must be in order.
    """
    return next((e for e in events if e.uniqueid == root and e.begins), None)
