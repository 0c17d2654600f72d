"""The state of either way to the ministry: HTTP, and signed files.

How far answers were read, when it last worked, what hinders it.
"""

import datetime as dt

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.models import MinistryLink

_SEEN = dt.timedelta(minutes=1)  # how exactly it is noted that the system answers
HTTP, FILES = "http", "files"


def state(way: str = HTTP) -> MinistryLink:
    """The link; one that has never worked when nothing is known."""
    return MinistryLink.get_or_none(MinistryLink.name == way) or MinistryLink(name=way)


def answered(way: str = HTTP) -> None:
    """The system answered with sense."""
    now, known = clock.now(), state(way)
    if not known.trouble and known.heard_at and now - known.heard_at < _SEEN:
        return
    _set(way, trouble="", trouble_text="", heard_at=now)


def failed(trouble: str, said: str, way: str = HTTP) -> None:
    """The system was not reached, or made no sense; `said` by a server is kept from the first."""
    if way == FILES or state(way).trouble != trouble:
        _set(way, trouble=trouble, trouble_text=said[:500])


def read_to(cursor: str) -> None:
    """Answers up to a cursor have been taken in."""
    if state().cursor != cursor:
        _set(HTTP, cursor=cursor)


def _set(way: str, **columns: object) -> None:
    with writing():
        MinistryLink.insert(name=way).on_conflict_ignore().execute()
        MinistryLink.update(columns).where(MinistryLink.name == way).execute()
        if "trouble" in columns:
            live.publish("outbox")
