"""The figures of the current day so far, so that the answer time can be improved in time."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.models import Call
from appliance.reports import inbound, kpi
from appliance.reports.kpi import ASA_TARGET_SECONDS, Rate
from appliance.reports.sums import InboundCall, single_call_group


@dataclass(frozen=True)
class TodayFigures:
    """The figures of the day so far.

    `asa` is the average answer time of the answered calls. `asa_soon` also includes the calls that
    are waiting, as if they were answered now. `service` is the service level.
    """

    asa: Rate
    asa_soon: Rate
    service: Rate
    accepted: int
    missed: int
    longest_wait: float | None  # seconds, of the callers who are waiting now
    waiting: int

    @property
    def state(self) -> str:
        """The state of the average answer time: "ok", "warn" or "bad".

        It is bad if the day's average exceeds the target. It is "warn" if the average would exceed
        it even if the waiting calls were answered now, or a caller has waited longer than it.
        """
        if (self.asa.value or 0.0) > ASA_TARGET_SECONDS:
            return "bad"
        is_late = (self.asa_soon.value or 0.0) > ASA_TARGET_SECONDS or (
            self.longest_wait or 0.0
        ) > ASA_TARGET_SECONDS
        return "warn" if is_late else "ok"


def count_today(
    since: dt.datetime,
    now: dt.datetime,
    joined_times: Iterable[dt.datetime],
    service_level_seconds: float,
) -> TodayFigures:
    """Count the inbound calls that arrived since `since`, the beginning of the day.

    `now` is the current time, `joined_times` are the times at which the callers who are waiting now
    joined the queue; `service_level_seconds` is the threshold of the service level.
    """
    today_conditions = (Call.direction == "inbound", Call.arrived_at >= since)
    seconds = [(now - joined_at).total_seconds() for joined_at in joined_times]
    # the waiting calls, as if they were answered now
    waiting_groups = [
        single_call_group(InboundCall(arrived_at=now, outcome="answered", wait_seconds=wait))
        for wait in seconds
    ]
    tally = kpi.tally_groups(
        inbound.count_groups(today_conditions, service_level_seconds), service_level_seconds
    )
    return TodayFigures(
        asa=tally.answer_speed,
        asa_soon=(tally + kpi.tally_groups(waiting_groups)).answer_speed,
        service=tally.service_level,
        accepted=tally.accepted,
        missed=tally.missed,
        longest_wait=max(seconds, default=None),
        waiting=len(seconds),
    )
