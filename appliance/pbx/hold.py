"""Records holds, which Asterisk's event log lacks, from events of the manager interface."""

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger

RECORD_TYPES = {"Hold": "HOLD", "Unhold": "UNHOLD"}  # event of AMI → type of our own record


def record_hold(settings: Settings, event: dict[str, str]) -> None:
    """Add a record to the call when a phone puts its caller on hold or resumes them.

    `event` is any event of the manager interface; one of another kind is ignored.
    """
    kind = RECORD_TYPES.get(event.get("Event", ""))
    if not kind or not event.get("Uniqueid") or not event.get("Linkedid"):
        return
    record = eventlog.create_event(
        kind,
        event["Linkedid"],
        event.get("Timestamp") or clock.now(),
        UniqueID=event["Uniqueid"],
        ChanName=event.get("Channel", ""),
        Context=event.get("Context", ""),
        Exten=event.get("Exten", ""),
        AccountCode=event.get("AccountCode", ""),
    )
    ledger.record_event(settings, record)
