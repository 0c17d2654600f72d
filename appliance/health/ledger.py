"""Whether the ledger holds every call, and the recordings their sound."""

import datetime as dt
from collections.abc import Iterator

from appliance import calls, clock
from appliance.health.looking import N_, Check
from appliance.settings import Settings

SETTLED = dt.timedelta(hours=1)  # calls that came before have ended and are measured


def balance(settings: Settings) -> Iterator[Check]:
    """The last day's calls and their recordings."""
    until = clock.now() - SETTLED
    day = calls.balance(until - dt.timedelta(days=1), until)
    even = not day.difference
    yield Check(
        "balance",
        N_("Balance of calls, last day"),
        "ok" if even else "fail",
        N_("{arrived} arrived, {held} in the ledger"),
        "" if even else N_("Run `appliance ledger ingest` over the event logs, rotated ones too."),
        {"arrived": str(day.arrivals), "held": str(day.arrivals - day.difference)},
    )
    whole = day.recordings_found == day.recordings_expected and not day.recordings_short
    yield Check(
        "recordings",
        N_("Recordings, last day"),
        "ok" if whole else "warn",
        N_("{found} of {expected} there, {short} too short"),
        "" if whole else N_("Look whether the disk was full and whether the exchange was stopped."),
        {
            "found": str(day.recordings_found),
            "expected": str(day.recordings_expected),
            "short": str(day.recordings_short),
        },
    )
