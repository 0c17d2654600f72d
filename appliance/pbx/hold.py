"""Holding, which Asterisk's event log does not tell: written down as it is heard."""

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger

KINDS = {"Hold": "HOLD", "Unhold": "UNHOLD"}  # event of AMI → our record


def handle(settings: Settings, event: dict[str, str]) -> None:
    """A phone put its caller on hold, or took him back (AMI): one more record of the call."""
    kind = KINDS.get(event.get("Event", ""))
    if not kind or not event.get("Uniqueid") or not event.get("Linkedid"):
        return
    noted = eventlog.own(
        kind,
        event["Linkedid"],
        event.get("Timestamp") or clock.now(),
        UniqueID=event["Uniqueid"],
        ChanName=event.get("Channel", ""),
        Context=event.get("Context", ""),
        Exten=event.get("Exten", ""),
        AccountCode=event.get("AccountCode", ""),
    )
    ledger.note(settings, noted)
