"""The state of each of the two links to the ministry: HTTP, and signed files.

A state holds the cursor up to which events were read, the last success, and the current failure.
"""

import datetime as dt

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.models import MinistryLink

_SUCCESS_TIME_RESOLUTION = dt.timedelta(minutes=1)  # of the stored time
HTTP, FILES = "http", "files"


def link_state(name: str = HTTP) -> MinistryLink:
    """Return the state of a link, HTTP or FILES; an unsaved, empty one if nothing is stored."""
    return MinistryLink.get_or_none(MinistryLink.name == name) or MinistryLink(name=name)


def record_success(name: str = HTTP) -> None:
    """Store that the ministry's system gave a valid answer over this link, HTTP or FILES.

    The time of the answer is stored at most once per minute, which saves writes.
    """
    now, stored = clock.now(), link_state(name)
    if not stored.trouble and stored.heard_at and now - stored.heard_at < _SUCCESS_TIME_RESOLUTION:
        return
    _update_link(name, trouble="", trouble_text="", heard_at=now)


def record_failure(trouble: str, detail: str, name: str = HTTP) -> None:
    """Store that the system was not reached, or gave an invalid answer, over a link, HTTP or FILES.

    `trouble` is the kind of failure, `detail` a text of the system or, for FILES, the name of the
    file. While an HTTP failure of the same kind lasts, the `detail` of the first one stays stored.
    """
    if name == FILES or link_state(name).trouble != trouble:
        _update_link(name, trouble=trouble, trouble_text=detail[:500])


def store_cursor(cursor: str) -> None:
    """Store the cursor (the system's mark of a position) up to which events have been processed."""
    if link_state().cursor != cursor:
        _update_link(HTTP, cursor=cursor)


def _update_link(name: str, **columns: object) -> None:
    """Update the columns of a link's row, creating the row if needed."""
    with write_transaction():
        MinistryLink.insert(name=name).on_conflict_ignore().execute()
        MinistryLink.update(columns).where(MinistryLink.name == name).execute()
        if "trouble" in columns:
            live.publish_topics("outbox")
