"""Counts the figures of the daily summary."""

import datetime as dt
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.core import audit, clock
from appliance.core.clock import WorkingCalendar
from appliance.core.settings import Calls, Settings
from appliance.reports import inbound, kpi, monthly, report_texts
from appliance.reports.periods import Period
from appliance.reports.tables import CountTable, is_any_observed
from appliance.telephony import calls
from appliance.telephony.calls import Balance


@dataclass(frozen=True)
class DailyReport:
    """Everything that the printed summary and the exports contain."""

    locale: str
    period: Period
    calendar: WorkingCalendar
    made_at: dt.datetime
    formulas: str  # version of the definitions of the figures
    balance: Balance  # of the incoming calls
    appeals_by_region: CountTable
    appeals_by_direction: CountTable  # by subject area
    inbound: inbound.Arrivals
    # False if Asterisk was not observed at any time of the day: the calls are unknown, not zero
    is_observed: bool
    rules: Calls  # thresholds of the service level and of short abandons
    audit_head: str  # shortened head of the audit chain at the day's end; "" if it is empty
    site_url: str  # for links to the explanation of a figure


def build_daily_report(settings: Settings, period: Period, locale: str = "uz_Cyrl") -> DailyReport:
    """Count the figures of a day; `period` comes from periods.parse_day()."""
    balance = calls.ledger_balance(period.begin, period.end)
    arrivals = inbound.count_arrivals(period, settings.calls.service_level)
    texts = report_texts.load_texts(locale).monthly
    is_observed = bool(arrivals.calls) or is_any_observed(
        [(period.begin, period.end)], balance.unobserved
    )
    head = audit.chain_head(period.end)
    return DailyReport(
        locale=locale,
        period=period,
        calendar=catalogs.working_calendar(settings),
        made_at=clock.now(),
        formulas=kpi.FORMULAS_VERSION,
        balance=balance,
        appeals_by_region=monthly.count_appeals_by_region(period, locale, texts.region_unknown),
        appeals_by_direction=monthly.count_appeals_by_direction(
            period, locale, texts.direction_unknown
        ),
        inbound=arrivals,
        is_observed=is_observed,
        rules=settings.calls,
        audit_head=head.short if head else "",
        site_url=settings.web.url,
    )
