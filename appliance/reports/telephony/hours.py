"""Calls by hour: of each day, of each weekday, of the whole period."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

from appliance.reports import call_filters, counting, wallclock
from appliance.reports.call_filters import CallFilter
from appliance.reports.counting import CallTally


@dataclass(frozen=True)
class HourlyTallies:
    """The tally of each hour (naive local time of the site) in which a call arrived."""

    tallies: Mapping[dt.datetime, CallTally]

    @property
    def total(self) -> CallTally:
        """The tally of the whole period."""
        return reduce(add, self.tallies.values(), CallTally())

    @property
    def weekdays(self) -> dict[tuple[int, int], CallTally]:
        """(weekday 1-7 from Monday, hour) → tally; only those in which a call arrived."""
        return self._group_by(lambda moment: (moment.isoweekday(), moment.hour))

    @property
    def hours(self) -> dict[int, CallTally]:
        """Hour of the day → tally."""
        return self._group_by(lambda moment: moment.hour)

    @property
    def days(self) -> dict[dt.date, CallTally]:
        """Date → tally."""
        return self._group_by(lambda moment: moment.date())

    @property
    def months(self) -> dict[dt.date, CallTally]:
        """First day of the month → tally."""
        return self._group_by(lambda moment: moment.date().replace(day=1))

    def _group_by[K](self, key: Callable[[dt.datetime], K]) -> dict[K, CallTally]:
        groups: dict[K, list[CallTally]] = defaultdict(list)
        for moment, tally in sorted(self.tallies.items()):
            groups[key(moment)].append(tally)
        return {group_key: reduce(add, tallies) for group_key, tallies in groups.items()}


def count_hours(call_filter: CallFilter, service_level_seconds: float) -> HourlyTallies:
    """Count a filter by hour; `service_level_seconds` is the threshold of the service level."""
    return hourly_tallies(
        counting.count_by(
            call_filter, service_level_seconds, call_filters.hours_since_epoch(call_filter.period)
        )
    )


def hourly_tallies(tally_of_hour: Mapping[int, CallTally]) -> HourlyTallies:
    """Build the tallies from counts whose keys come from call_filters.hours_since_epoch()."""
    return HourlyTallies(
        {
            wallclock.wall_clock_datetime(hour * wallclock.HOUR_MICROSECONDS): tally
            for hour, tally in tally_of_hour.items()
        }
    )
