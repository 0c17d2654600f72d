"""A recording begun anew when a phone joins its two calls: the dialplan has no part in that.

Asterisk decodes what it records by one decoder for each side of a channel. It takes a new partner
whose RTP numbers lie lower than the last one's for late packets and drops his voice, for minutes.
The decoder is thrown away when for a moment nothing of the channel is recorded (ivr/queue.conf).
"""

import functools
import logging
import threading
from urllib.parse import quote

from appliance.core import clock, db
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.telephony.recordings import reserve

log = logging.getLogger(__name__)

_MOMENT = 0.2  # seconds without any recording
_AGAIN = 1.0  # seconds between two attempts to reach Asterisk
_LATE = 0.5  # seconds after which a new partner's first words may be missing


def follow(settings: Settings, stop: threading.Event) -> None:
    """Hear of phones that join, by a connection of its own: other work would come first."""
    while not stop.is_set():
        try:
            with Connection(settings, "call") as asterisk:
                asterisk.hear_only("AttendedTransfer")
                while not stop.is_set():
                    if event := asterisk.next_event(_AGAIN):
                        _handle(settings, event)
        except (Unreachable, Refused):
            stop.wait(_AGAIN)


def _handle(settings: Settings, event: dict[str, str]) -> None:
    """Take in one event; the work is done beside, for it takes a moment."""
    if event.get("Event") == "AttendedTransfer" and event.get("Result") == "Success":
        names = ("TransfereeChannel", "TransferTargetChannel")
        channels = [event[name] for name in names if event.get(name)]
        told = (settings, channels, float(event.get("Timestamp") or clock.now().timestamp()))
        threading.Thread(target=_guarded, args=told, daemon=True).start()


def _guarded(settings: Settings, channels: list[str], joined_at: float) -> None:
    try:
        with database.connection_context(), Connection(settings) as asterisk:
            for channel in channels:
                _begin_anew(settings, asterisk, channel, joined_at)
    except (Unreachable, Refused) as error:
        log.warning("a recording could not be begun anew: %s", error)


def _begin_anew(settings: Settings, asterisk: Connection, channel: str, joined_at: float) -> None:
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
    if not reserve.mark(settings).exists():
        path = settings.paths.recordings / file
        asterisk.act("MixMonitor", Channel=channel, File=str(path), Options="b")
    if (late := clock.now().timestamp() - joined_at) > _LATE:
        log.warning("%s: recorded anew %.1f s after the phones were joined", channel, late)
    event = eventlog.own(
        "RECORDING",
        value("CHANNEL(linkedid)"),
        clock.now(),
        facts=f"file={quote(file)}",
        UniqueID=value("UNIQUEID"),
        ChanName=channel,
    )
    db.insist(functools.partial(ledger.note, settings, event), threading.Event())
