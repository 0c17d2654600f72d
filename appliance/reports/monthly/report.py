"""The figures of report form №2, counted."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import Expression, Field, fn

from appliance.casework import catalogs
from appliance.casework.appeals.personal import PERSONAL
from appliance.casework.changes import summary
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import named
from appliance.core.settings import Calls, Settings
from appliance.models import Appeal
from appliance.reports import counting, inbound, kpi, services, wallclock, words
from appliance.reports.periods import Period
from appliance.reports.tables import (
    CountTable,
    WeekdayTable,
    by_list,
    by_weekday,
    never_observed,
)
from appliance.telephony import calls, routing
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class Consultation:
    """An appeal that asked for a specialist."""

    date: dt.date
    issue: str
    contacted: str  # "" while nobody was
    number: str  # of the appeal


@dataclass(frozen=True)
class MonthlyReport:
    """Everything that the paper, the page and the exports print."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str
    balance: Balance
    appeals_by_weekday: WeekdayTable
    calls_by_weekday: WeekdayTable
    appeals_by_region: CountTable
    appeals_by_direction: CountTable
    consultations: tuple[Consultation, ...]
    inbound: inbound.Arrivals  # what the annex counts
    call_forms: counting.CallForms
    rules: Calls  # what counts as quick, as short
    site_url: str  # for links to what a figure means
    wrap_up: float  # seconds
    links: tuple[services.Availability, ...]  # the ways out of the box
    rates: tuple[float, ...]  # of the internet as measured, Mbit/s
    change_requests: tuple[summary.Row, ...]  # by kind
    drill: services.Drill | None  # of a restore; None on a site without snapshots

    @property
    def observed(self) -> bool:
        """Whether any of the period's calls are known; otherwise a zero would be a lie."""
        total = self.calls_by_weekday.total
        return total.inside is not None or total.outside is not None


def build(settings: Settings, period: Period, locale: str = "uz_Cyrl") -> MonthlyReport:
    """Count a month, or a month to a date (periods.month).

    Appeals and calls belong to the day and hour on which their call arrived.
    """
    calendar = catalogs.working_calendar(settings)
    balanced = calls.balance(period.begin, period.end)
    working_hours = (calendar.opens, calendar.closes)
    calls_in = inbound.of(period, settings.calls.service_level, working_hours)
    text = words.load(locale).monthly
    return MonthlyReport(
        locale=locale,
        period=period,
        calendar=calendar,
        made_at=clock.now(),
        formulas=kpi.FORMULAS,
        balance=balanced,
        appeals_by_weekday=by_weekday(_appeals(period, working_hours), calendar),
        calls_by_weekday=by_weekday(
            {begin: slot.incoming for begin, slot in calls_in.slots.items()},
            calendar,
            never_observed(period, calendar, balanced.unobserved),
        ),
        appeals_by_region=by_region(period, locale, text.region_unknown),
        appeals_by_direction=by_direction(period, locale, text.direction_unknown),
        consultations=tuple(_consultations(period, text.personal)),
        inbound=calls_in,
        call_forms=counting.call_forms(period),
        rules=settings.calls,
        site_url=settings.web.url,
        wrap_up=routing.current(settings).queueing.wrap_up,
        links=tuple(services.availability(period.begin, period.end)),
        rates=tuple(r.mbit for r in services.rates(period.begin, period.end) if r.mbit is not None),
        change_requests=summary.rows(period.begin, period.end),
        drill=services.drill(period) if settings.backups else None,
    )


def by_region(period: Period, locale: str, unknown: str) -> CountTable:
    """Appeals in the form's order of regions; `unknown` names a row for those of none."""
    names = {region.soato: named(region, locale) for region in catalogs.find_regions("")}
    return by_list(_parted(period, Appeal.region), names, unknown)


def by_direction(period: Period, locale: str, unknown: str) -> CountTable:
    """Appeals in the form's order of directions as they are on the period's last day, those out of
    use only while appeals have them."""
    used = _parted(period, Appeal.direction)
    return by_list(used, _directions(set(used), locale, period.last), unknown)


def _within(period: Period) -> tuple[Expression, Expression]:
    """The appeals whose call arrived in the period."""
    return Appeal.received_at >= period.begin, Appeal.received_at < period.end


def _parted(period: Period, column: Field) -> dict[Any, int]:
    """Value of a column → how many appeals."""
    rows = Appeal.select(column, fn.COUNT(Appeal.id)).where(*_within(period)).group_by(column)
    return dict(rows.tuples())


def _appeals(period: Period, times: tuple[dt.time, ...]) -> dict[dt.datetime, int]:
    """How many appeals in each stretch of the site's clock, none of which reaches over `times`."""
    width = wallclock.width(times)
    slot = wallclock.local(period, Appeal.received_at) / width
    rows = Appeal.select(slot, fn.COUNT(Appeal.id)).where(*_within(period)).group_by(slot)
    return {wallclock.moment(number * width): count for number, count in rows.tuples()}


def _consultations(period: Period, personal: str) -> Iterator[Consultation]:
    """Those that asked for a specialist, oldest first; `personal`: in place of what is not told."""
    rows = (
        Appeal.select(
            Appeal.received_at,
            Appeal.openness,
            Appeal.consultation_issue,
            Appeal.gist,
            Appeal.consultation_contact,
            Appeal.number,
        )
        .where(*_within(period), Appeal.consultation)
        .order_by(Appeal.received_at, Appeal.number)
    )
    for at, openness, issue, gist, contact, number in rows.tuples():
        about = personal if openness == PERSONAL else issue or gist
        if openness == PERSONAL and contact:  # who was contacted may say what it is about
            contact = personal
        yield Consultation(at.astimezone(period.tz).date(), about, contact, number)


def _directions(used: set[str], locale: str, day: dt.date) -> dict[str, str]:
    """Code → name in the form's order; a direction out of use stays while appeals have it."""
    return {
        item.code: named(item, locale)
        for item in catalogs.items("direction")
        if catalogs.in_use(item, day) or item.code in used
    }
