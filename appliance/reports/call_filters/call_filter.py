"""The filter itself: a period, and the conditions that an address carries."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance.core.clock import WorkingCalendar
from appliance.reports.periods import Period


@dataclass(frozen=True)
class CallFilter:
    """The incoming calls of a period that fulfil every one of some CONDITIONS.

    With the condition "direction" they are the outgoing ones, with "all" every arrival that the
    balance sums: rejected ones and test calls too.
    """

    period: Period
    conditions: Mapping[str, str] = field(default_factory=dict)
    calendar: WorkingCalendar | None = None  # for the condition "work"

    def with_(self, **more: object) -> "CallFilter":
        """The same filter, narrowed down further; None takes a condition away."""
        merged = {**self.conditions, **{k: None if v is None else str(v) for k, v in more.items()}}
        return replace(self, conditions={k: v for k, v in merged.items() if v is not None})

    def on(self, first: dt.date, last: dt.date) -> "CallFilter":
        """The same conditions over other days."""
        return replace(self, period=Period(first, last, self.period.tz))
