"""Calls by hour: of each day, of each weekday, of the whole period."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

from appliance.reports import call_filters, counting, wallclock
from appliance.reports.call_filters import CallFilter
from appliance.reports.counting import Counted


@dataclass(frozen=True)
class Hours:
    """The tally of each hour (the site's wall clock, naive) in which a call arrived."""

    counted: Mapping[dt.datetime, Counted]

    @property
    def total(self) -> Counted:
        return reduce(add, self.counted.values(), Counted())

    @property
    def weekdays(self) -> dict[tuple[int, int], Counted]:
        """(weekday 1-7 from Monday, hour) → tally; only where a call arrived."""
        return self._by(lambda moment: (moment.isoweekday(), moment.hour))

    @property
    def hours(self) -> dict[int, Counted]:
        return self._by(lambda moment: moment.hour)

    @property
    def days(self) -> dict[dt.date, Counted]:
        return self._by(lambda moment: moment.date())

    @property
    def months(self) -> dict[dt.date, Counted]:
        """The month's first day → tally."""
        return self._by(lambda moment: moment.date().replace(day=1))

    def _by[K](self, key: Callable[[dt.datetime], K]) -> dict[K, Counted]:
        parts: dict[K, list[Counted]] = defaultdict(list)
        for moment, tally in sorted(self.counted.items()):
            parts[key(moment)].append(tally)
        return {found: reduce(add, tallies) for found, tallies in parts.items()}


def count(call_filter: CallFilter, level: float) -> Hours:
    """Count a filter hour by hour; `level`: the service level's seconds."""
    return of(counting.by(call_filter, level, call_filters.hour(call_filter.period)))


def of(found: Mapping[int, Counted]) -> Hours:
    """What was counted by call_filters.hour()."""
    return Hours({wallclock.moment(hour * wallclock.HOUR): tally for hour, tally in found.items()})
