"""From the event log's records of one call to what the ledger says of it. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from operator import attrgetter

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_builder import CallBuilder
from appliance.pbx.interpret.clock_correction import Step, straightened
from appliance.telephony.calls import CallFacts
from appliance.telephony.calls.dialling import ECHO

__all__ = ["Step", "calls_without_beginning", "interpret", "oldest", "roots", "straightened"]


def interpret(
    events: Iterable[Event],
    cut: dt.datetime | None = None,
    root: str | None = None,
    steps: Sequence[Step] = (),
) -> CallFacts | None:
    """The call that these records tell of; None when they tell of none.

    The records are all those of one linkedid, and those of others that belong to the same call:
    a phone's second call by which it handed the caller over. `root` is the linkedid that names the
    call (left out: the oldest). `cut`: Asterisk died at that moment; a call that has no end in the
    log ended there, by fault. `steps`: those of the clock, in their order; the call is told by the
    clock with which it began.
    """
    ordered = sorted(events, key=attrgetter("order"))
    if not ordered:
        return None
    root = root or oldest({event.linkedid for event in ordered})
    own = _without_others(ordered, root)
    first = next((e for e in own if e.uniqueid == root and e.begins), None)
    direction = _direction(first, own) if first else None
    if not first or not direction:
        return None
    own = straightened(own, first.at, steps)
    builder = CallBuilder(first, direction)
    for event in own:
        builder.add(event)
    if builder.call.ended_at is None and cut and cut >= first.at:
        builder.cut(max(cut, own[-1].at))
    builder.close()
    return builder.call


def roots(events: Iterable[Event]) -> list[str]:
    """The linkedids that name the calls of these records, which Asterisk says belong together.

    As a rule one, the oldest. Two citizens whom an operator joined are two calls all the same: each
    arrived, and each has its outcome.
    """
    known = list(events)
    arrived = {event.linkedid for event in known if event.begins == "from-trunk"}
    return sorted(arrived) or [oldest({event.linkedid for event in known})]


def calls_without_beginning(events: Iterable[Event]) -> dict[str, dt.datetime]:
    """Linkedid → first moment, of calls from a trunk whose first record the log has lost.

    Only its arrival is known, from the name of the trunk's channel.
    """
    known = list(events)
    beginnings = {event.linkedid for event in known if event.begins is not None}
    found: dict[str, dt.datetime] = {}
    for event in known:
        if event.uniqueid == event.linkedid not in beginnings and event.is_trunk:
            found[event.linkedid] = min(event.at, found.get(event.linkedid, event.at))
    return found


def oldest(linkedids: Iterable[str]) -> str:
    """The one that Asterisk keeps when calls become one: it began first."""
    return min(linkedids, key=_age)


def _age(linkedid: str) -> tuple[int, int, str]:
    """Second and number in the row out of "hotline-1764136046.12"."""
    second, _, number = linkedid.rpartition("-")[2].partition(".")
    known = second.isdigit() and number.isdigit()
    return (int(second), int(number), linkedid) if known else (0, 0, linkedid)


def _without_others(events: list[Event], root: str) -> list[Event]:
    """The records without those of another citizen's call that was joined with this one."""
    others = {e.linkedid for e in events if e.begins == "from-trunk"} - {root}
    if not others:
        return events
    channels = {e.uniqueid for e in events if e.type == "CHAN_START" and e.linkedid in others}
    return [e for e in events if e.uniqueid not in channels and e.linkedid not in others]


def _direction(first: Event, events: list[Event]) -> str | None:
    """Of the call that begins with this record; None: a supervisor listens, a phone hears its
    echo, Asterisk starts."""
    if first.begins == "from-trunk":
        return "inbound"
    own = (event for event in events if event.linkedid == first.linkedid)
    if any(event.type == "OUTGOING" for event in own):
        return "outbound"
    dials = first.begins == "from-operator" and first.fields["Exten"] not in ("", "s", ECHO)
    return "internal" if dials else None
