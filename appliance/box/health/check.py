"""What a look at the site is, and how it is told.

The texts are message ids with {placeholders}; whoever shows a check translates and fills them.
"""

import datetime as dt
from dataclasses import dataclass, field

from appliance.core.settings import Settings

STATES = ("ok", "warn", "fail")


@dataclass(frozen=True)
class Check:
    """One look. `seen` and `advice` are message ids, filled with `values`; no advice when ok."""

    code: str
    name: str
    state: str  # one of STATES
    seen: str
    advice: str = ""
    values: dict[str, str] = field(default_factory=dict)


def moment_text(moment: dt.datetime, settings: Settings) -> str:
    """A moment as a check tells it, by the site's clock."""
    return f"{moment.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"
