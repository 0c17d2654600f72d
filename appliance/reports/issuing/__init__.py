"""Reports as they were given to the ministry: kept as issued, compared with what is known later."""

from appliance.reports.issuing.changes import Change, changes, changes_between
from appliance.reports.issuing.keeping import (
    NotClosed,
    Stopped,
    content,
    editions,
    files_of,
    issue,
    issued,
    period_of,
    report,
    whole,
)
from appliance.reports.issuing.withdrawing import find, remove_files, withdraw

__all__ = [
    "Change",
    "NotClosed",
    "Stopped",
    "changes",
    "changes_between",
    "content",
    "editions",
    "files_of",
    "find",
    "issue",
    "issued",
    "period_of",
    "remove_files",
    "report",
    "whole",
    "withdraw",
]
