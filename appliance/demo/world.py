"""The basis of a synthetic history: the site's own operators, trunks, lists and calendar."""

import datetime as dt
import random
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls, Settings
from appliance.models import CatalogItem, District, Region
from appliance.people import accounts
from appliance.telephony import routing

# The relative number of calls in each hour of a working day, with peaks at about 10 and 14 o'clock.
CALLS_BY_HOUR = (
    4,
    2,
    2,
    1,
    2,
    5,
    11,
    22,
    41,
    69,
    80,
    68,
    49,
    65,
    78,
    69,
    55,
    48,
    32,
    22,
    18,
    12,
    9,
    6,
)
MONDAY, SATURDAY, SUNDAY, HOLIDAY = 1.2, 0.5, 0.35, 0.4  # calls relative to a working day
OUTAGE_INTERVAL_DAYS, OUTAGE_DURATION = 30, dt.timedelta(minutes=20)  # of Asterisk


@dataclass(frozen=True)
class DemoOperator:
    """An operator of the site."""

    login: str
    id: int
    extension: str
    speaks: tuple[str, ...]


@dataclass(frozen=True)
class SiteProfile:
    """The data of the site from which the calls of the days `first` to `last` are generated."""

    first: dt.date
    last: dt.date
    calendar: WorkingCalendar
    operators: tuple[DemoOperator, ...]
    trunks: tuple[tuple[str, str], ...]  # name, technology
    numbers: tuple[str, ...]  # that citizens dial, the hotline first
    employees: tuple[str, ...]
    regions: tuple[tuple[str, str], ...]  # code of a region, code of one of its districts
    directions: tuple[str, ...]
    rules: Calls
    max_wait: float

    @property
    def days(self) -> list[dt.date]:
        """The days of the history."""
        return [self.first + dt.timedelta(n) for n in range((self.last - self.first).days + 1)]

    def utc_time(self, day: dt.date, time: dt.time = dt.time()) -> dt.datetime:
        """A local time of the site as UTC."""
        return dt.datetime.combine(day, time, self.calendar.tz).astimezone(dt.UTC)

    @property
    def begin(self) -> dt.datetime:
        """The start of the first day, in UTC."""
        return self.utc_time(self.first)

    @property
    def end(self) -> dt.datetime:
        """The end of the last day, in UTC."""
        return self.utc_time(self.last + dt.timedelta(days=1))

    def relative_load(self, day: dt.date) -> float:
        """The relative number of calls on a date; an ordinary working day is 1."""
        if self.calendar.is_working_day(day):
            return MONDAY if day.weekday() == 0 else 1.0
        return {5: SATURDAY, 6: SUNDAY}.get(day.weekday(), HOLIDAY)

    def outages(self, seed: int) -> list[tuple[dt.datetime, dt.datetime]]:
        """Return the periods in which Asterisk was not running, so that no call arrived."""
        chance = random.Random(f"outages {seed}")  # noqa: S311  no secret
        begins = [
            self.utc_time(day, dt.time(chance.randrange(9, 18), chance.randrange(60)))
            for day in self.days[OUTAGE_INTERVAL_DAYS // 2 :: OUTAGE_INTERVAL_DAYS]
        ]
        return [(begin, begin + OUTAGE_DURATION) for begin in begins]


def load_site_profile(settings: Settings, first: dt.date, last: dt.date) -> SiteProfile:
    """The current profile of a site: its operators, trunks, lists and calendar."""
    current = routing.current_plan(settings)
    trunks = [(trunk.name, trunk.kind) for trunk in current.trunks]
    return SiteProfile(
        first=first,
        last=last,
        calendar=catalogs.working_calendar(settings),
        operators=tuple(
            DemoOperator(user.login, user.id, user.extension or "", tuple(user.speaks.split()))
            for user in accounts.active_operators()
        ),
        trunks=(*trunks, ("e1", "e1")) if len(trunks) < 2 else tuple(trunks),
        numbers=(settings.calls.hotline_number, "+998712000600"),
        employees=("+998712394121", "+998712394122", "2301"),
        regions=tuple(
            (region.soato, districts[0].soato)
            for region in Region.select().order_by(Region.position)
            if (districts := list(region.districts.order_by(District.soato).limit(1)))
        ),
        directions=tuple(
            item.code
            for item in CatalogItem.select()
            .where(CatalogItem.catalog == "direction")
            .order_by(CatalogItem.position)
        ),
        rules=settings.calls,
        max_wait=current.queueing.max_wait,
    )
