"""Report form №2: calls and appeals from a month's first day to a date, in five tables.

It is not the call form, form №2, on which operators register calls.
"""

from appliance.reports.monthly.export import as_csv, as_json
from appliance.reports.monthly.printing import as_page, as_workbook
from appliance.reports.monthly.report import (
    Consultation,
    MonthlyReport,
    build_monthly_report,
    count_appeals_by_direction,
    count_appeals_by_region,
)

__all__ = [
    "Consultation",
    "MonthlyReport",
    "as_csv",
    "as_json",
    "as_page",
    "as_workbook",
    "build_monthly_report",
    "count_appeals_by_direction",
    "count_appeals_by_region",
]
