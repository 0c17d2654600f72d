"""The figures of the daily summary, counted."""

import datetime as dt
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.core import audit, clock
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls, Settings
from appliance.reports import inbound, kpi, monthly, words
from appliance.reports.periods import Period
from appliance.reports.tables import CountTable, ever_observed
from appliance.telephony import calls
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class DailyReport:
    """Everything that the paper and the exports print."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str
    balance: Balance
    appeals_by_region: CountTable
    appeals_by_direction: CountTable
    inbound: inbound.Arrivals
    observed: bool
    rules: Calls  # what counts as quick, as short
    audit_head: str  # where the audit ended with the day, as people write it down
    site_url: str  # for links to what a figure means


def build(settings: Settings, period: Period, locale: str = "uz_Cyrl") -> DailyReport:
    """Count a day (periods.day)."""
    balanced = calls.balance(period.begin, period.end)
    calls_in = inbound.of(period, settings.calls.service_level)
    text = words.load(locale).monthly
    seen = bool(calls_in.calls) or ever_observed([(period.begin, period.end)], balanced.unobserved)
    head = audit.head(period.end)
    return DailyReport(
        locale=locale,
        period=period,
        calendar=catalogs.working_calendar(settings),
        made_at=clock.now(),
        formulas=kpi.FORMULAS,
        balance=balanced,
        appeals_by_region=monthly.by_region(period, locale, text.region_unknown),
        appeals_by_direction=monthly.by_direction(period, locale, text.direction_unknown),
        inbound=calls_in,
        observed=seen,
        rules=settings.calls,
        audit_head=head.short if head else "",
        site_url=settings.web.url,
    )
