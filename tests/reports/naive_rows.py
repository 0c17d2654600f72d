"""Reading exported rows for the second count: times, the calls that count, ratios.

A row is one object of `ledger export`; times are parsed from its texts; the site's clock is UTC+5.
"""

import datetime as dt

SITE_ZONE = dt.timezone(dt.timedelta(hours=5))


def parse_time(text):
    return dt.datetime.fromisoformat(text)


def local_arrival(row):
    return parse_time(row["arrived_at"]).astimezone(SITE_ZONE)


def is_incoming(row):
    real = row["direction"] == "inbound" and not row["synthetic"]
    return real and row["outcome"] != "rejected"


def ratio(part, total, scale=100):
    return {"value": scale * part / total if total else None, "cases": total}
