"""How fast the internet is, measured by fetching a file that the settings name."""

import time

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import RateReading

LASTS = 10.0  # seconds of fetching
_PATIENCE = 10.0  # seconds without a byte
_PIECE = 1 << 16


def measure(settings: Settings) -> str:
    """Fetch for LASTS seconds, or to the file's end, and keep the rate; what came of it, in words.

    The way here only: what the box sends is little.
    """
    import requests  # as below: few sites name a file

    mbit, trouble = None, ""
    try:
        mbit = _fetch(settings.links.rate_url)
    except requests.RequestException as error:
        trouble = type(error).__name__
    with writing():
        RateReading.create(at=clock.now(), mbit=mbit, trouble=trouble)
        live.publish("links")
    return f"{mbit:.1f} Mbit/s" if mbit is not None else trouble


def _fetch(url: str) -> float:
    """Mbit/s, from the first byte on."""
    import requests

    with requests.get(url, stream=True, timeout=_PATIENCE) as answer:
        answer.raise_for_status()
        began = time.monotonic()
        size = 0
        for piece in answer.iter_content(_PIECE):
            size += len(piece)
            if time.monotonic() - began > LASTS:
                break
    return size * 8 / 1e6 / max(time.monotonic() - began, 1e-3)
