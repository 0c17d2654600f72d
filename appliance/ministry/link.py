"""The state of the HTTP link: how far answers were read, when it last worked, what hinders it."""

import datetime as dt

from appliance import clock, live
from appliance.db import writing
from appliance.models import MinistryLink

_SEEN = dt.timedelta(minutes=1)  # how exactly it is noted that the system answers
_NAME = "http"


def state() -> MinistryLink:
    """The link; one that has never worked when nothing is known."""
    return MinistryLink.get_or_none(MinistryLink.name == _NAME) or MinistryLink(name=_NAME)


def heard() -> None:
    """The system answered with sense."""
    now, known = clock.now(), state()
    if not known.trouble and known.heard_at and now - known.heard_at < _SEEN:
        return
    _set(trouble="", trouble_text="", heard_at=now)


def fails(trouble: str, said: str) -> None:
    """The system was not reached, or made no sense."""
    if state().trouble != trouble:
        _set(trouble=trouble, trouble_text=said[:500])


def read_to(cursor: str) -> None:
    """Answers up to a cursor have been taken in."""
    if state().cursor != cursor:
        _set(cursor=cursor)


def _set(**columns: object) -> None:
    with writing():
        MinistryLink.insert(name=_NAME).on_conflict_ignore().execute()
        MinistryLink.update(columns).where(MinistryLink.name == _NAME).execute()
        if "trouble" in columns:
            live.publish("outbox")
