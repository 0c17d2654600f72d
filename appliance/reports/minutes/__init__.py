"""The statement of minutes: billed talk and its cost, to be compared with an invoice."""

from appliance.reports.minutes import printing
from appliance.reports.minutes.printing import as_csv, as_json, as_page, as_workbook
from appliance.reports.minutes.report import (
    BilledCall,
    BillingLine,
    MinutesReport,
    build_minutes_report,
    iterate_billed_calls,
)

__all__ = [
    "BillingLine",
    "MinutesReport",
    "BilledCall",
    "as_csv",
    "as_json",
    "as_page",
    "as_workbook",
    "build_minutes_report",
    "iterate_billed_calls",
    "printing",
]
