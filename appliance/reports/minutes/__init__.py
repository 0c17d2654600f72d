"""Minutes of talk and what they cost (T11): the act for the invoice, equal to the ledger."""

from appliance.reports.minutes.printing import as_book, as_csv, as_json, as_page
from appliance.reports.minutes.report import Line, MinutesReport, Row, build, rows

__all__ = [
    "Line",
    "MinutesReport",
    "Row",
    "as_book",
    "as_csv",
    "as_json",
    "as_page",
    "build",
    "rows",
]
