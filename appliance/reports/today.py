"""The figures of the day as far as it has come, watched while there is time to do something."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.models import Call
from appliance.reports import inbound, kpi
from appliance.reports.kpi import ASA_TARGET, Rate
from appliance.reports.sums import Inbound, alone


@dataclass(frozen=True)
class Today:
    """`asa` counts calls answered; `asa_soon` also those who wait, as if answered at this moment.

    `state`: ok | warn (the promise breaks unless somebody answers soon, or one caller has waited
    longer than it) | bad (the day's average is over it).
    """

    asa: Rate
    asa_soon: Rate
    service: Rate
    accepted: int
    missed: int
    longest_wait: float | None  # seconds, of those who wait now
    waiting: int

    @property
    def state(self) -> str:
        """Whether the average answer time holds."""
        if (self.asa.value or 0.0) > ASA_TARGET:
            return "bad"
        late = (self.asa_soon.value or 0.0) > ASA_TARGET or (self.longest_wait or 0.0) > ASA_TARGET
        return "warn" if late else "ok"


def today(
    since: dt.datetime, now: dt.datetime, waits: Iterable[dt.datetime], service_seconds: float
) -> Today:
    """The calls that arrived since `since`; `waits`: when each who waits now joined the queue."""
    day = (Call.direction == "inbound", Call.arrived_at >= since)
    seconds = [(now - joined).total_seconds() for joined in waits]
    soon = [
        alone(Inbound(arrived_at=now, outcome="answered", wait_seconds=wait)) for wait in seconds
    ]
    tally = kpi.tally(inbound.groups(day, service_seconds), service_seconds)
    return Today(
        asa=tally.answer_speed,
        asa_soon=(tally + kpi.tally(soon)).answer_speed,
        service=tally.service_level,
        accepted=tally.accepted,
        missed=tally.missed,
        longest_wait=max(seconds, default=None),
        waiting=len(seconds),
    )
