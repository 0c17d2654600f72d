"""The filter itself: a period, and the conditions from an address."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance.core.clock import WorkingCalendar
from appliance.reports.periods import Period


@dataclass(frozen=True)
class CallFilter:
    """The incoming calls of a period that meet every condition.

    A condition is the name of a filter (call_filters.FILTERS) and its value. With the condition
    "direction" it selects outgoing calls, with "all" every arrival that the balance includes, also
    rejected calls and test calls.
    """

    period: Period
    conditions: Mapping[str, str] = field(default_factory=dict)
    calendar: WorkingCalendar | None = None  # for the condition "work"

    def with_conditions(self, **changes: object) -> "CallFilter":
        """Return the filter with further conditions; None removes a condition."""
        merged = {
            **self.conditions,
            **{name: None if value is None else str(value) for name, value in changes.items()},
        }
        return replace(
            self, conditions={name: value for name, value in merged.items() if value is not None}
        )

    def without_conditions(self) -> "CallFilter":
        """Return the filter of all incoming calls of the period."""
        return replace(self, conditions={})

    def with_days(self, first: dt.date, last: dt.date) -> "CallFilter":
        """Return a filter with the same conditions over other days."""
        return replace(self, period=Period(first, last, self.period.tz))
