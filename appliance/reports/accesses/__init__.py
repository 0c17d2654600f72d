"""The access report: who listened to which recordings and opened which records in a month.

It is made from audit entries, for the manager and the ministry.
"""

from appliance.reports.accesses.printing import as_csv, as_json, as_page, as_workbook
from appliance.reports.accesses.report import AccessReport, build_access_report

__all__ = ["AccessReport", "as_csv", "as_json", "as_page", "as_workbook", "build_access_report"]
