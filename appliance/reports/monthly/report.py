"""Counts the figures of report form №2."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.casework.appeals.personal import PERSONAL
from appliance.casework.changes import summary
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls, Settings
from appliance.models import Appeal, CountingRule
from appliance.reports import box_services, counting, inbound, kpi, report_texts
from appliance.reports.monthly.requests import (
    REQUESTS,
    CountedTables,
    count_both_readings,
    current_rule,
    reading_of,
)
from appliance.reports.periods import Period
from appliance.reports.tables import WeekdayTable, count_by_weekday, unobserved_cells
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
    requests: CountedTables  # of every registered request
    appeals: CountedTables  # of form №1 alone
    rule: CountingRule | None  # says which of both is printed; None: the requests
    calls_by_weekday: WeekdayTable
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
    def reading(self) -> str:
        """Which of the counts tables 1, 3 and 4 print: REQUESTS or APPEALS."""
        return reading_of(self.rule)

    @property
    def counts_requests(self) -> bool:
        """True if tables 1, 3 and 4 are those of every registered request."""
        return self.reading == REQUESTS

    @property
    def counted(self) -> CountedTables:
        """Tables 1, 3 and 4 as printed."""
        return self.requests if self.counts_requests else self.appeals

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
    requests, appeals = count_both_readings(
        period, calendar, locale, (texts.region_unknown, texts.direction_unknown)
    )
    return MonthlyReport(
        locale=locale,
        period=period,
        calendar=calendar,
        made_at=clock.now(),
        formulas=kpi.FORMULAS_VERSION,
        balance=balance,
        requests=requests,
        appeals=appeals,
        rule=current_rule(),
        calls_by_weekday=count_by_weekday(
            {begin: slot.incoming for begin, slot in arrivals.slots.items()},
            calendar,
            unobserved_cells(period, calendar, balance.unobserved),
        ),
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
        .where(
            Appeal.received_at >= period.begin,
            Appeal.received_at < period.end,
            Appeal.consultation,
        )
        .order_by(Appeal.received_at, Appeal.number)
    )
    for received_at, openness, issue, gist, contact, number in rows.tuples():
        subject = personal_text if openness == PERSONAL else issue or gist
        if openness == PERSONAL and contact:  # the contact may reveal the subject
            contact = personal_text
        yield Consultation(received_at.astimezone(period.tz).date(), subject, contact, number)
