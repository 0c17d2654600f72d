"""Calls that Asterisk told of while they came, against what its event log holds.

The log is the ledger's one source. When it dries up, nothing else would tell that calls are lost.
"""

import datetime as dt

from peewee import fn

from appliance.core.db import writing
from appliance.models import EventRow, SeenCall

_is_first = EventRow.begins.is_null(False)
WITNESSED = ("from-trunk", "from-operator")  # the contexts in which calls begin


def is_logged(linkedid: str) -> bool:
    """Whether the ledger has read the first record of a call, without which it is none."""
    return EventRow.select().where(EventRow.linkedid == linkedid, _is_first).exists()


def write_down(linkedid: str, begins: str, at: dt.datetime) -> None:
    """Store a call whose first record is missing, though Asterisk or other records report it."""
    with writing():
        SeenCall.insert(linkedid=linkedid, begins=begins, at=at).on_conflict_ignore().execute()


def settle() -> int:
    """Forget those whose first record came after all; returns how many."""
    logged = SeenCall.select(SeenCall.linkedid).join(
        EventRow, on=((EventRow.linkedid == SeenCall.linkedid) & _is_first)
    )
    found = [row.linkedid for row in logged.distinct()]
    if not found:
        return 0
    with writing():
        return SeenCall.delete().where(SeenCall.linkedid.in_(found)).execute()


def lost_since(moment: dt.datetime) -> tuple[int, bool]:
    """(calls since a moment without a first record, whether the newest call is one of them)."""
    lost = SeenCall.select(fn.MAX(SeenCall.at)).where(SeenCall.at >= moment)
    newest = lost.scalar()
    if not newest:
        return 0, False
    logged = EventRow.select(fn.MAX(EventRow.at)).where(EventRow.begins.in_(WITNESSED))
    read = logged.scalar()
    return SeenCall.select().where(SeenCall.at >= moment).count(), not read or read < newest
