"""The download rate of the internet, measured with a file that the settings name."""

import time

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import RateReading

MEASURE_SECONDS = 10.0  # seconds of downloading
_READ_TIMEOUT_SECONDS = 10.0  # seconds without a byte
_CHUNK_BYTES = 1 << 16


def measure_rate(settings: Settings) -> str:
    """Download for up to MEASURE_SECONDS and store the rate; returns it, or the error, as text.

    Only the download is measured: the box sends little.
    """
    import requests  # loaded only here and below: few sites name a file

    mbit, trouble = None, ""
    try:
        mbit = _download_rate(settings.links.rate_url)
    except requests.RequestException as error:
        trouble = type(error).__name__
    with write_transaction():
        RateReading.create(at=clock.now(), mbit=mbit, trouble=trouble)
        live.publish_topics("links")
    return f"{mbit:.1f} Mbit/s" if mbit is not None else trouble


def _download_rate(url: str) -> float:
    """Return the rate in Mbit/s, measured from the arrival of the response."""
    import requests

    with requests.get(url, stream=True, timeout=_READ_TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        started = time.monotonic()
        size = 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            size += len(chunk)
            if time.monotonic() - started > MEASURE_SECONDS:
                break
    return size * 8 / 1e6 / max(time.monotonic() - started, 1e-3)
