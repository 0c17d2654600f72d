"""Report form №1 for a quarter, in three tables: its calls, the staff, the hotline's activity."""

from appliance.reports.quarterly import wording
from appliance.reports.quarterly.export import as_csv, as_json
from appliance.reports.quarterly.printing import as_page
from appliance.reports.quarterly.report import QuarterlyReport, build_quarterly_report, call_figures
from appliance.reports.quarterly.workbook import as_workbook

__all__ = [
    "QuarterlyReport",
    "as_csv",
    "as_json",
    "as_page",
    "as_workbook",
    "build_quarterly_report",
    "call_figures",
    "wording",
]
