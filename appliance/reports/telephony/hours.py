"""Tallies of calls by hour, from which those by day, weekday and month are added up."""

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
    """The tally of the calls that arrived in each hour.

    `tallies` are by the beginning of the hour, a naive local time. Hours without calls are left
    out, here and in the properties.
    """

    tallies: Mapping[dt.datetime, CallTally]

    @property
    def total(self) -> CallTally:
        """The tally of the whole period."""
        return reduce(add, self.tallies.values(), CallTally())

    @property
    def by_weekday_and_hour(self) -> dict[tuple[int, int], CallTally]:
        """The tally of each hour of each weekday, by (weekday, hour); weekday 1 is Monday."""
        return self._group_by(lambda moment: (moment.isoweekday(), moment.hour))

    @property
    def by_hour_of_day(self) -> dict[int, CallTally]:
        """The tally of each hour of the day, by hour, 0 to 23."""
        return self._group_by(lambda moment: moment.hour)

    @property
    def by_day(self) -> dict[dt.date, CallTally]:
        """The tally of each day, by date."""
        return self._group_by(lambda moment: moment.date())

    @property
    def by_month(self) -> dict[dt.date, CallTally]:
        """The tally of each month, by its first day."""
        return self._group_by(lambda moment: moment.date().replace(day=1))

    def _group_by[K](self, key: Callable[[dt.datetime], K]) -> dict[K, CallTally]:
        """Return the sums of the tallies whose hours have the same key, in order of time."""
        groups: dict[K, list[CallTally]] = defaultdict(list)
        for moment, tally in sorted(self.tallies.items()):
            groups[key(moment)].append(tally)
        return {group_key: reduce(add, tallies) for group_key, tallies in groups.items()}


def count_hours(call_filter: CallFilter, service_level_seconds: float) -> HourlyTallies:
    """Count the calls that pass a filter by the hour of their arrival.

    `service_level_seconds` is the threshold of the service level.
    """
    return hourly_tallies(
        counting.count_by(
            call_filter, service_level_seconds, call_filters.hours_since_epoch(call_filter.period)
        )
    )


def hourly_tallies(tally_of_hour: Mapping[int, CallTally]) -> HourlyTallies:
    """Build the tallies by hour from tallies by hours since 1970 in local time.

    Such keys come from call_filters.hours_since_epoch().
    """
    return HourlyTallies(
        {
            wallclock.wall_clock_datetime(hour * wallclock.HOUR_MICROSECONDS): tally
            for hour, tally in tally_of_hour.items()
        }
    )
