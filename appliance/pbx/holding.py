"""Holding, which Asterisk's event log does not tell: written down as it is heard."""

from appliance import clock
from appliance.db import writing
from appliance.pbx import eventlog, ledger
from appliance.settings import Settings

_KINDS = {"Hold": "HOLD", "Unhold": "UNHOLD"}


def hear(settings: Settings, event: dict[str, str]) -> None:
    """A phone put its caller on hold, or took him back (AMI): one more record of the call."""
    kind = _KINDS.get(event.get("Event", ""))
    if not kind or not event.get("Uniqueid") or not event.get("Linkedid"):
        return
    at = event.get("Timestamp") or f"{clock.now().timestamp():.6f}"
    fields = {
        "EventTime": at,
        "EventType": kind,
        "UniqueID": event["Uniqueid"],
        "LinkedID": event["Linkedid"],
        "ChanName": event.get("Channel", ""),
        "Context": event.get("Context", ""),
        "Exten": event.get("Exten", ""),
        "AccountCode": event.get("AccountCode", ""),
    }
    with writing():
        ledger.take_in([eventlog.own(fields)], settings.calls.short_abandon)
