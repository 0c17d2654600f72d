"""A recording begun anew when a phone joins its two calls: the dialplan has no part in that.

Asterisk decodes what it records by one decoder for each side of a channel. It takes a new partner
whose RTP numbers lie lower than the last one's for late packets and drops his voice, for minutes.
The decoder is thrown away when for a moment nothing of the channel is recorded (ivr/queue.conf).
"""

import json
import logging
import threading
from urllib.parse import quote

from appliance import clock
from appliance.db import database, writing
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.settings import Settings

log = logging.getLogger(__name__)

_MOMENT = 0.2  # seconds without any recording


def hear(settings: Settings, event: dict[str, str]) -> None:
    """Take in one event of AMI; the work is done beside, for it takes a moment."""
    if event.get("Event") == "AttendedTransfer" and event.get("Result") == "Success":
        names = ("TransfereeChannel", "TransferTargetChannel")
        channels = [event[name] for name in names if event.get(name)]
        threading.Thread(target=_guarded, args=(settings, channels), daemon=True).start()


def _guarded(settings: Settings, channels: list[str]) -> None:
    try:
        with database.connection_context(), Connection(settings) as asterisk:
            for channel in channels:
                _begin_anew(settings, asterisk, channel)
    except (Unreachable, Refused) as error:
        log.warning("a recording could not be begun anew: %s", error)


def _begin_anew(settings: Settings, asterisk: Connection, channel: str) -> None:
    """The next file of the call on this channel, if it is recorded."""

    def value(name: str) -> str:
        return asterisk.act("Getvar", Channel=channel, Variable=name).get("Value", "")

    former = value("RECORDING")
    if not former:
        return
    leg = int(value("LEG") or 1) + 1
    first = former.removesuffix(".wav").removesuffix(f"-{leg - 1}")
    file = f"{first}-{leg}.wav"
    asterisk.act("StopMixMonitor", Channel=channel)
    threading.Event().wait(_MOMENT)
    asterisk.act("Setvar", Channel=channel, Variable="LEG", Value=leg)
    asterisk.act("Setvar", Channel=channel, Variable="RECORDING", Value=file)
    asterisk.act(
        "MixMonitor", Channel=channel, File=str(settings.paths.recordings / file), Options="b"
    )
    told = {
        "EventTime": f"{clock.now().timestamp():.6f}",
        "EventType": "RECORDING",
        "UniqueID": value("UNIQUEID"),
        "LinkedID": value("CHANNEL(linkedid)"),
        "ChanName": channel,
        "EventExtra": json.dumps({"extra": f"file={quote(file)}"}),
    }
    fields = dict.fromkeys(eventlog.FIELDS, "") | told
    with writing():
        ledger.take_in([eventlog.from_fields(fields)], settings.calls.short_abandon)
