"""Reports as issued to the ministry: stored unchanged, and compared with later figures."""

from appliance.reports.issuing.archive import (
    IssueStoppedError,
    PeriodNotClosedError,
    all_editions,
    file_content,
    files_by_kind,
    find_report,
    is_intact,
    issue_report,
    issued_reports,
    report_period,
)
from appliance.reports.issuing.changes import CellChange, changes_between, changes_since_issue
from appliance.reports.issuing.withdrawal import (
    find_reports_about_citizen,
    remove_files,
    withdraw_report,
)

__all__ = [
    "CellChange",
    "PeriodNotClosedError",
    "IssueStoppedError",
    "changes_since_issue",
    "changes_between",
    "file_content",
    "all_editions",
    "files_by_kind",
    "find_reports_about_citizen",
    "issue_report",
    "issued_reports",
    "report_period",
    "remove_files",
    "find_report",
    "is_intact",
    "withdraw_report",
]
