"""The calls that go on, as all pages see them: counted once after each event."""

import threading

from flask import current_app

from appliance.telephony import calls
from appliance.telephony.calls import LiveCall

_COUNTING = threading.Lock()


def going_on() -> tuple[LiveCall, ...]:
    """Every call that goes on, the oldest first. All pages ask after the same event."""
    with _COUNTING:  # else all who ask at the same moment would count
        kept: tuple[int | None, tuple[LiveCall, ...]] | None
        kept = current_app.extensions.get("going_on")
        heard = current_app.extensions["live"].latest("calls")
        if heard is None or not kept or kept[0] != heard:
            kept = heard, tuple(calls.going_on())
            current_app.extensions["going_on"] = kept
        return kept[1]
