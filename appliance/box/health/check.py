"""The result of a self-check, and the format of its times.

The texts are message ids with {placeholders}; the page or message that shows a check translates and
fills them.
"""

import datetime as dt
from dataclasses import dataclass, field

from appliance.core.settings import Settings

STATES = ("ok", "warn", "fail")


@dataclass(frozen=True)
class Check:
    """A self-check. `seen` and `advice` are message ids, filled with `values`.

    There is no advice if the state is ok.
    """

    code: str
    name: str
    state: str  # one of STATES
    seen: str
    advice: str = ""
    values: dict[str, str] = field(default_factory=dict)


def local_time_text(timestamp: dt.datetime, settings: Settings) -> str:
    """Format a time for a check, in the site's time zone."""
    return f"{timestamp.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"
