"""The filter itself: a period, and conditions by name."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance.core.clock import WorkingCalendar
from appliance.reports.periods import Period


@dataclass(frozen=True)
class CallFilter:
    """The incoming calls of a period that meet all conditions.

    `conditions` are values by the name of a filter (call_filters.FILTERS, or a field that the site
    added to a form). With the condition "direction" outgoing calls are selected instead, or too.
    With the condition "all" rejected calls and test calls are selected too, as in the balance.
    """

    period: Period
    conditions: Mapping[str, str] = field(default_factory=dict)
    calendar: WorkingCalendar | None = None  # the condition "work" is invalid without it

    def with_conditions(self, **changes: object) -> "CallFilter":
        """Return the filter with conditions added or replaced; the value None removes one.

        Other values are converted to text.
        """
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
        """Return a filter with the same conditions for the period from `first` to `last`."""
        return replace(self, period=Period(first, last, self.period.tz))
