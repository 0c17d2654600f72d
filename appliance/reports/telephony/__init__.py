"""The telephony report (R3): calls by hour, day and dimension, waits, callers, workload.

A dimension is a property of calls, such as the region, by which they are grouped.
"""

from appliance.reports.telephony import (
    call_workbook,
    callers,
    calls,
    columns,
    labels,
    lines,
    queues,
    report,
    report_charts,
    waits,
    workload,
)
from appliance.reports.telephony.export import as_json
from appliance.reports.telephony.printing import as_csv, as_page, as_workbook
from appliance.reports.telephony.report import (
    Overview,
    TelephonyReport,
    build_telephony_report,
    count_overview,
)

__all__ = [
    "Overview",
    "TelephonyReport",
    "as_csv",
    "as_json",
    "as_page",
    "as_workbook",
    "build_telephony_report",
    "count_overview",
    "call_workbook",
    "callers",
    "calls",
    "columns",
    "labels",
    "lines",
    "queues",
    "report",
    "report_charts",
    "waits",
    "workload",
]
