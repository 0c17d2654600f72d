"""Everything that must be gathered about a call before it can be interpreted."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.clock_correction import ClockStep


@dataclass(frozen=True)
class PlacedCall:
    """A call that a phone placed while it was connected: perhaps its second call during a talk."""

    phone: str  # its extension
    at: dt.datetime  # when the call was placed, as recorded
    linkedid: str  # of the placed call
    events: Sequence[Event]  # all records of the call, and of those that were joined with it


@dataclass(frozen=True)
class Boot:
    """A start of Asterisk, and the time of the last record before it, if there is one."""

    at: dt.datetime
    last_record_at: dt.datetime | None
    is_future: bool  # its time was still in the future when it was gathered


@dataclass(frozen=True)
class CallRecords:
    """The records of one call, and everything else that is stored and affects its interpretation.

    `root` is the linkedid that names the call. `events` are all records of that linkedid, and of
    others that share a channel with it, in any order.
    """

    root: str
    events: Sequence[Event]
    placed_calls: Sequence[PlacedCall] = ()
    steps: Sequence[ClockStep] = ()  # those of the clock near the call, in their order
    boots: Sequence[Boot] = ()  # those that may have cut the call, in their order
    sounds_at: Sequence[dt.datetime] = ()  # when its recordings were last written
    is_stored_as_ended: bool = False  # the ledger contained the call's end already
