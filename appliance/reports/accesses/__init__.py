"""Who listened to what, and who looked at whom: a month of the audit, to manager and ministry."""

from appliance.reports.accesses.printing import as_book, as_csv, as_json, as_page
from appliance.reports.accesses.report import Accesses, build

__all__ = ["Accesses", "as_book", "as_csv", "as_json", "as_page", "build"]
