"""Calls that Asterisk reported while they arrived, compared with what its event log contains.

The ledger is built from the log only: if the log stops, only this comparison reveals lost calls.
"""

import datetime as dt

from peewee import fn

from appliance.core.db import write_transaction
from appliance.models import EventRow, SeenCall

_IS_FIRST_RECORD = EventRow.begins.is_null(False)
WATCHED_CONTEXTS = ("from-trunk", "from-operator")  # the contexts in which calls begin


def is_logged(linkedid: str) -> bool:
    """Returns True if the first record of a call was read.

    Without that record, the ledger does not contain the call.
    """
    first_records = EventRow.select().where(EventRow.linkedid == linkedid, _IS_FIRST_RECORD)
    is_found: bool = first_records.exists()
    return is_found


def record_seen_call(linkedid: str, begins: str, at: dt.datetime) -> None:
    """Store a call whose first record is missing although Asterisk or other records report it."""
    with write_transaction():
        SeenCall.insert(linkedid=linkedid, begins=begins, at=at).on_conflict_ignore().execute()


def clear_logged_seen_calls() -> int:
    """Delete the seen calls whose first record has been read by now; returns how many."""
    logged = SeenCall.select(SeenCall.linkedid).join(
        EventRow, on=((EventRow.linkedid == SeenCall.linkedid) & _IS_FIRST_RECORD)
    )
    linkedids = [row.linkedid for row in logged.distinct()]
    if not linkedids:
        return 0
    with write_transaction():
        count: int = SeenCall.delete().where(SeenCall.linkedid.in_(linkedids)).execute()
    return count


def lost_calls_since(since: dt.datetime) -> tuple[int, bool]:
    """Return (count, newest_is_lost) of the calls since `since` whose first record is missing.

    `newest_is_lost` is True if the newest call of all is one of them.
    """
    newest_lost = SeenCall.select(fn.MAX(SeenCall.at)).where(SeenCall.at >= since)
    newest = newest_lost.scalar()
    if not newest:
        return 0, False
    newest_logged = EventRow.select(fn.MAX(EventRow.at)).where(
        EventRow.begins.in_(WATCHED_CONTEXTS)
    )
    newest_read = newest_logged.scalar()
    return SeenCall.select().where(
        SeenCall.at >= since
    ).count(), not newest_read or newest_read < newest
