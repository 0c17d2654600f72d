"""Report form №2: calls and appeals from a month's first day to a date, in five tables.

It is not the call form, form №2, on which operators register calls.
"""

from appliance.reports.monthly.export import as_csv, as_json
from appliance.reports.monthly.printing import as_page, as_workbook, counting_note
from appliance.reports.monthly.report import Consultation, MonthlyReport, build_monthly_report
from appliance.reports.monthly.requests import (
    APPEALS,
    REQUESTS,
    count_appeals_by_direction,
    count_appeals_by_region,
    store_rule,
)

__all__ = [
    "APPEALS",
    "REQUESTS",
    "Consultation",
    "MonthlyReport",
    "as_csv",
    "as_json",
    "as_page",
    "as_workbook",
    "build_monthly_report",
    "counting_note",
    "count_appeals_by_direction",
    "count_appeals_by_region",
    "store_rule",
]
