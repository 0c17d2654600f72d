"""What a synthetic history is about: the site's own people, lines, lists and calendar."""

import datetime as dt
import random
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls, Settings
from appliance.models import CatalogItem, District, Region
from appliance.people import accounts
from appliance.telephony import routing

# Calls by hour of a working day; the ministry's mornings and afternoons are the peaks.
HOURS = (4, 2, 2, 1, 2, 5, 11, 22, 41, 69, 80, 68, 49, 65, 78, 69, 55, 48, 32, 22, 18, 12, 9, 6)
MONDAY, SATURDAY, SUNDAY, HOLIDAY = 1.2, 0.5, 0.35, 0.4  # of a working day
OUTAGE_EVERY, OUTAGE = 30, dt.timedelta(minutes=20)  # days; one stretch in which nothing was seen


@dataclass(frozen=True)
class Operator:
    login: str
    id: int
    extension: str
    speaks: tuple[str, ...]


@dataclass(frozen=True)
class World:
    """Everything that calls are drawn from. The days are the site's, both ends included."""

    first: dt.date
    last: dt.date
    calendar: WorkingCalendar
    operators: tuple[Operator, ...]
    trunks: tuple[tuple[str, str], ...]  # name, technology
    numbers: tuple[str, ...]  # that citizens dial, the hotline's first
    employees: tuple[str, ...]
    regions: tuple[tuple[str, str], ...]  # region's code, a district's code
    directions: tuple[str, ...]
    rules: Calls
    max_wait: float

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(n) for n in range((self.last - self.first).days + 1)]

    def moment(self, day: dt.date, time: dt.time = dt.time()) -> dt.datetime:
        """A site time as UTC."""
        return dt.datetime.combine(day, time, self.calendar.tz).astimezone(dt.UTC)

    @property
    def begin(self) -> dt.datetime:
        return self.moment(self.first)

    @property
    def end(self) -> dt.datetime:
        return self.moment(self.last + dt.timedelta(days=1))

    def busyness(self, day: dt.date) -> float:
        """How many calls a date draws, a plain working day being 1."""
        if self.calendar.works_on(day):
            return MONDAY if day.weekday() == 0 else 1.0
        return {5: SATURDAY, 6: SUNDAY}.get(day.weekday(), HOLIDAY)

    def outages(self, seed: int) -> list[tuple[dt.datetime, dt.datetime]]:
        """Stretches in which no Asterisk was seen; no call arrived then."""
        chance = random.Random(f"outages {seed}")  # noqa: S311  no secret
        begins = [
            self.moment(day, dt.time(chance.randrange(9, 18), chance.randrange(60)))
            for day in self.days[OUTAGE_EVERY // 2 :: OUTAGE_EVERY]
        ]
        return [(begin, begin + OUTAGE) for begin in begins]


def of_site(settings: Settings, first: dt.date, last: dt.date) -> World:
    """The world of a site as it is: its operators, trunks, lists and calendar."""
    current = routing.current(settings)
    trunks = [(trunk.name, trunk.kind) for trunk in current.trunks]
    return World(
        first=first,
        last=last,
        calendar=catalogs.working_calendar(settings),
        operators=tuple(
            Operator(user.login, user.id, user.extension or "", tuple(user.speaks.split()))
            for user in accounts.operators()
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
