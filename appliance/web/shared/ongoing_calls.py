"""The ongoing calls, loaded once after each event for all pages that show them."""

import threading

from flask import current_app

from appliance.telephony import calls
from appliance.telephony.calls import LiveCall

_QUERY_LOCK = threading.Lock()


def ongoing_calls() -> tuple[LiveCall, ...]:
    """Return all ongoing calls, the oldest first; cached until the next event about calls.

    While no page follows events, nothing is cached.
    """
    # Without the lock, all pages that refresh after the same event would run the query.
    with _QUERY_LOCK:
        cache_entry: tuple[int | None, tuple[LiveCall, ...]] | None
        cache_entry = current_app.extensions.get("going_on")
        latest_event_id = current_app.extensions["live"].latest_event("calls")
        if latest_event_id is None or not cache_entry or cache_entry[0] != latest_event_id:
            cache_entry = latest_event_id, tuple(calls.live_calls())
            current_app.extensions["going_on"] = cache_entry
        return cache_entry[1]
