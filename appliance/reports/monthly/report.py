"""Counts the figures of report form №2."""

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
from appliance.core.i18n import localized_name
from appliance.core.settings import Calls, Settings
from appliance.models import Appeal
from appliance.reports import box_services, counting, inbound, kpi, report_texts, wallclock
from appliance.reports.periods import Period
from appliance.reports.tables import (
    CountTable,
    WeekdayTable,
    count_by_list,
    count_by_weekday,
    unobserved_cells,
)
from appliance.telephony import calls, routing
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class Consultation:
    """An appeal for which the consultation of a specialist was requested."""

    date: dt.date  # on which the call arrived
    issue: str  # on which the specialist is to be consulted
    contacted: str  # who was contacted; "" until then
    number: str  # of the appeal


@dataclass(frozen=True)
class MonthlyReport:
    """Everything that the printed report, the page and the exports contain."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str  # version of the definitions of the figures
    balance: Balance
    appeals_by_weekday: WeekdayTable
    calls_by_weekday: WeekdayTable
    appeals_by_region: CountTable
    appeals_by_direction: CountTable  # by subject area
    consultations: tuple[Consultation, ...]
    inbound: inbound.Arrivals  # for the annex
    call_forms: counting.CallFormCounts
    rules: Calls  # thresholds of the service level and of short abandons
    site_url: str  # for links to the explanation of a figure
    wrap_up: float  # seconds after each talk, for the capacity forecast
    links: tuple[box_services.LinkAvailability, ...]  # the box's external links
    rates: tuple[float, ...]  # measured internet rates, Mbit/s
    change_requests: tuple[summary.SummaryRow, ...]  # one row for each kind
    drill: box_services.RestoreDrill | None  # the last restore drill, if there are snapshots

    @property
    def is_observed(self) -> bool:
        """True if Asterisk was observed in at least a part of the period.

        Otherwise the number of calls is unknown, not zero.
        """
        total = self.calls_by_weekday.total
        return total.inside is not None or total.outside is not None


def build_monthly_report(
    settings: Settings, period: Period, locale: str = "uz_Cyrl"
) -> MonthlyReport:
    """Count the figures of a month, or of its days up to a date; see periods.parse_month().

    Appeals and calls count for the day and hour at which their call arrived.
    """
    calendar = catalogs.working_calendar(settings)
    balance = calls.ledger_balance(period.begin, period.end)
    working_hours = (calendar.opens, calendar.closes)
    arrivals = inbound.count_arrivals(period, settings.calls.service_level, working_hours)
    texts = report_texts.load_texts(locale).monthly
    return MonthlyReport(
        locale=locale,
        period=period,
        calendar=calendar,
        made_at=clock.now(),
        formulas=kpi.FORMULAS_VERSION,
        balance=balance,
        appeals_by_weekday=count_by_weekday(_appeals_by_slot(period, working_hours), calendar),
        calls_by_weekday=count_by_weekday(
            {begin: slot.incoming for begin, slot in arrivals.slots.items()},
            calendar,
            unobserved_cells(period, calendar, balance.unobserved),
        ),
        appeals_by_region=count_appeals_by_region(period, locale, texts.region_unknown),
        appeals_by_direction=count_appeals_by_direction(period, locale, texts.direction_unknown),
        consultations=tuple(_iterate_consultations(period, texts.personal)),
        inbound=arrivals,
        call_forms=counting.count_call_forms(period),
        rules=settings.calls,
        site_url=settings.web.url,
        wrap_up=routing.current_plan(settings).queueing.wrap_up,
        links=tuple(box_services.link_availability(period.begin, period.end)),
        rates=tuple(
            reading.mbit
            for reading in box_services.rate_readings(period.begin, period.end)
            if reading.mbit is not None
        ),
        change_requests=summary.summary_rows(period.begin, period.end),
        drill=box_services.last_restore_drill(period) if settings.backups else None,
    )


def count_appeals_by_region(period: Period, locale: str, unknown_name: str) -> CountTable:
    """Count appeals by region, in the order of the report form.

    `unknown_name` is the name of the row for appeals without a region.
    """
    # an empty text matches all regions, in the order of the report form
    names = {region.soato: localized_name(region, locale) for region in catalogs.match_regions("")}
    return count_by_list(_count_appeals_by(period, Appeal.region), names, unknown_name)


def count_appeals_by_direction(period: Period, locale: str, unknown_name: str) -> CountTable:
    """Count appeals by direction (subject area), in the order of the report form.

    Directions that are not in use on the period's last day are included only if appeals have them.
    `unknown_name` is the name of the row for appeals without a listed direction.
    """
    appeals_by_code = _count_appeals_by(period, Appeal.direction)
    return count_by_list(
        appeals_by_code, _direction_names(set(appeals_by_code), locale, period.last), unknown_name
    )


def _arrival_conditions(period: Period) -> tuple[Expression, Expression]:
    """Return the SQL conditions that an appeal was received in the period.

    An appeal is received when its call arrives.
    """
    return Appeal.received_at >= period.begin, Appeal.received_at < period.end


def _count_appeals_by(period: Period, column: Field) -> dict[Any, int]:
    """Return the number of the period's appeals by the value of a column of Appeal."""
    rows = (
        Appeal.select(column, fn.COUNT(Appeal.id))
        .where(*_arrival_conditions(period))
        .group_by(column)
    )
    return dict(rows.tuples())


def _appeals_by_slot(period: Period, times: tuple[dt.time, ...]) -> dict[dt.datetime, int]:
    """Return the number of appeals in each time slot, by the beginning of the slot in local time.

    All slots have the same length, an hour or a part of it: the greatest at which each of `times`,
    times of the day, is a border between slots. Slots without appeals are left out.
    """
    width = wallclock.slot_width(times)
    slot = wallclock.local_microseconds(period, Appeal.received_at) / width
    rows = (
        Appeal.select(slot, fn.COUNT(Appeal.id)).where(*_arrival_conditions(period)).group_by(slot)
    )
    return {wallclock.wall_clock_datetime(number * width): count for number, count in rows.tuples()}


def _iterate_consultations(period: Period, personal_text: str) -> Iterator[Consultation]:
    """Yield the period's appeals with a request to consult a specialist, oldest first.

    `personal_text` replaces the issue and the contact of personal appeals, whose contents are open
    only to named readers.
    """
    rows = (
        Appeal.select(
            Appeal.received_at,
            Appeal.openness,
            Appeal.consultation_issue,
            Appeal.gist,
            Appeal.consultation_contact,
            Appeal.number,
        )
        .where(*_arrival_conditions(period), Appeal.consultation)
        .order_by(Appeal.received_at, Appeal.number)
    )
    for received_at, openness, issue, gist, contact, number in rows.tuples():
        subject = personal_text if openness == PERSONAL else issue or gist
        if openness == PERSONAL and contact:  # the contact may reveal the subject
            contact = personal_text
        yield Consultation(received_at.astimezone(period.tz).date(), subject, contact, number)


def _direction_names(used_codes: set[str], locale: str, day: dt.date) -> dict[str, str]:
    """Return the names of directions (subject areas) by code, in the order of the report form.

    Directions that are not in use on `day` are included only if they are among `used_codes`.
    """
    return {
        item.code: localized_name(item, locale)
        for item in catalogs.list_items("direction")
        if catalogs.is_in_use(item, day) or item.code in used_codes
    }
