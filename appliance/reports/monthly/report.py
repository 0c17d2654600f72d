"""The figures of report form №2, counted."""

import datetime as dt
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.casework.appeals.personal import PERSONAL
from appliance.casework.changes import summary
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import named
from appliance.core.settings import Settings
from appliance.models import Appeal
from appliance.reports import counting, inbound, kpi, services, words
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
    inbound: tuple[kpi.Inbound, ...]  # what the annex counts
    call_forms: counting.CallForms
    short_abandon: float  # seconds
    service_level: float  # seconds
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
    calls_in = inbound.of(period)
    appeals = appeals_of(period)
    text = words.load(locale).monthly
    return MonthlyReport(
        locale=locale,
        period=period,
        calendar=calendar,
        made_at=clock.now(),
        formulas=kpi.FORMULAS,
        balance=balanced,
        appeals_by_weekday=by_weekday([a.received_at for a in appeals], calendar),
        calls_by_weekday=by_weekday(
            [call.arrived_at for call in kpi.incoming(calls_in)],
            calendar,
            never_observed(period, calendar, balanced.unobserved),
        ),
        appeals_by_region=by_region(appeals, locale, text.region_unknown),
        appeals_by_direction=by_direction(appeals, locale, text.direction_unknown, period.last),
        consultations=tuple(
            Consultation(
                a.received_at.astimezone(period.tz).date(),
                text.personal if a.openness == PERSONAL else a.consultation_issue or a.gist,
                a.consultation_contact,
                a.number,
            )
            for a in appeals
            if a.consultation
        ),
        inbound=calls_in,
        call_forms=counting.call_forms(period),
        short_abandon=settings.calls.short_abandon,
        service_level=settings.calls.service_level,
        site_url=settings.web.url,
        wrap_up=routing.current(settings).queueing.wrap_up,
        links=tuple(services.availability(period.begin, period.end)),
        rates=tuple(r.mbit for r in services.rates(period.begin, period.end) if r.mbit is not None),
        change_requests=summary.rows(period.begin, period.end),
        drill=services.drill(period) if settings.backups else None,
    )


def by_region(appeals: list[Appeal], locale: str, unknown: str) -> CountTable:
    """Appeals in the form's order of regions; `unknown` names a row for those of none."""
    names = {region.soato: named(region, locale) for region in catalogs.find_regions("")}
    return by_list([appeal.region_id for appeal in appeals], names, unknown)


def by_direction(appeals: list[Appeal], locale: str, unknown: str, day: dt.date) -> CountTable:
    """Appeals in the form's order of directions, those out of use only while appeals have them.

    `day`: on which they are looked at, a period's last.
    """
    used = [appeal.direction for appeal in appeals]
    return by_list(used, _directions(set(used), locale, day), unknown)


def appeals_of(period: Period) -> list[Appeal]:
    """The appeals whose call arrived in the period, oldest first."""
    return list(
        Appeal.select(
            Appeal.number,
            Appeal.received_at,
            Appeal.region,
            Appeal.direction,
            Appeal.gist,
            Appeal.consultation,
            Appeal.consultation_issue,
            Appeal.consultation_contact,
            Appeal.openness,
        )
        .where(Appeal.received_at >= period.begin, Appeal.received_at < period.end)
        .order_by(Appeal.received_at, Appeal.number)
    )


def _directions(used: set[str], locale: str, day: dt.date) -> dict[str, str]:
    """Code → name in the form's order; a direction out of use stays while appeals have it."""
    return {
        item.code: named(item, locale)
        for item in catalogs.items("direction")
        if catalogs.in_use(item, day) or item.code in used
    }
