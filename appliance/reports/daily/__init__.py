"""The daily summary: how a day's calls were answered, and its appeals by direction and region.

A direction is a subject area of appeals.
"""

from appliance.reports.daily.export import as_csv, as_json, as_page, as_workbook
from appliance.reports.daily.report import DailyReport, build_daily_report

__all__ = ["DailyReport", "as_csv", "as_json", "as_page", "as_workbook", "build_daily_report"]
