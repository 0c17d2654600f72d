"""The filter itself: a period, and the conditions that an address carries."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from peewee import Expression

from appliance.core.clock import WorkingCalendar
from appliance.models import Call
from appliance.reports.call_filters.conditions import CONDITIONS
from appliance.reports.periods import Period
from appliance.reports.sums import (
    COUNTED,
)
from appliance.telephony.calls.outcomes import NOT_COUNTED


@dataclass(frozen=True)
class CallFilter:
    """The incoming calls of a period that fulfil every one of some CONDITIONS.

    With the condition "direction" they are the outgoing ones, with "all" every arrival that the
    balance sums: rejected ones and test calls too.
    """

    period: Period
    asked: Mapping[str, str] = field(default_factory=dict)
    calendar: WorkingCalendar | None = None  # for the condition "work"

    def with_(self, **asked: object) -> "CallFilter":
        """The same filter, narrowed down further; None takes a condition away."""
        merged = {**self.asked, **{k: None if v is None else str(v) for k, v in asked.items()}}
        return replace(self, asked={k: v for k, v in merged.items() if v is not None})

    def on(self, first: dt.date, last: dt.date) -> "CallFilter":
        """The same conditions over other days."""
        return replace(self, period=Period(first, last, self.period.tz))

    @property
    def where(self) -> tuple[Expression, ...]:
        """Conditions on Call, the period's first: it is what the index serves."""
        every = "all" in self.asked
        return (
            Call.arrived_at >= self.period.begin,
            Call.arrived_at < self.period.end,
            *([] if "direction" in self.asked else [Call.direction == "inbound"]),
            *([] if every else [~Call.synthetic]),
            *([] if every or self.asked.get("outcome") in NOT_COUNTED else [COUNTED.sql]),
            *(CONDITIONS[name](self, value) for name, value in self.asked.items()),
        )


def from_address(
    period: Period, args: Iterable[tuple[str, str]], calendar: WorkingCalendar | None = None
) -> CallFilter:
    """The filter of an address; what is no condition, or none possible, is passed over."""
    known = {name: value for name, value in args if name in CONDITIONS and value}
    call_filter = CallFilter(period, known, calendar)
    return call_filter.with_(
        **{name: None for name, value in known.items() if not _possible(call_filter, name)}
    )


def _possible(call_filter: CallFilter, name: str) -> bool:
    try:
        CONDITIONS[name](call_filter, call_filter.asked[name])
    except ValueError:
        return False
    return True
