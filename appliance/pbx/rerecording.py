"""Restarts a recording when a phone joins its two calls, which the dialplan does not notice.

Asterisk decodes what it records by one decoder for each side of a channel. If the RTP sequence
numbers of a new partner are lower than the last one's, it takes the packets for late ones and drops
the voice, for minutes. The decoder is discarded when nothing of the channel is recorded for a short
time (see ivr/queue.conf).
"""

import functools
import logging
import threading
from urllib.parse import quote

from appliance.core import clock, db
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.pbx import eventlog, ledger
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.telephony.recordings import reserve

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.2  # how long nothing is recorded
_RETRY_SECONDS = 1.0  # between two attempts to reach Asterisk
_LATE_SECONDS = 0.5  # after a longer delay, a new partner's first words may be missing


def follow_joined_calls(settings: Settings, stop: threading.Event) -> None:
    """Restart the recordings of joined calls, until `stop` is set.

    It has a connection of its own to Asterisk, so that no other work delays it.
    """
    while not stop.is_set():
        try:
            with Connection(settings, "call") as asterisk:
                asterisk.receive_only("AttendedTransfer")
                while not stop.is_set():
                    if event := asterisk.next_event(_RETRY_SECONDS):
                        _handle_event(settings, event)
        except (Unreachable, ActionRefused):  # `process._monitor_asterisk` reports it
            stop.wait(_RETRY_SECONDS)


def _handle_event(settings: Settings, event: dict[str, str]) -> None:
    """Restart the recordings if this event says that a phone joined its two calls.

    That takes time, so a new thread does it.
    """
    if event.get("Event") == "AttendedTransfer" and event.get("Result") == "Success":
        names = ("TransfereeChannel", "TransferTargetChannel")
        channels = [event[name] for name in names if event.get(name)]
        arguments = (settings, channels, float(event.get("Timestamp") or clock.now().timestamp()))
        threading.Thread(target=_restart_recordings, args=arguments, daemon=True).start()


def _restart_recordings(settings: Settings, channels: list[str], joined_at: float) -> None:
    """Restart the recordings of these channels; a failure is logged.

    `joined_at` is when their calls were joined, in epoch seconds.
    """
    try:
        with database.connection_context(), Connection(settings) as asterisk:
            for channel in channels:
                _restart_recording(settings, asterisk, channel, joined_at)
    except (Unreachable, ActionRefused) as error:
        log.warning("a recording could not be begun anew: %s", error)


def _restart_recording(
    settings: Settings, asterisk: Connection, channel: str, joined_at: float
) -> None:
    """Begin a new recording file for the call on this channel, if it is being recorded.

    The new file's name ends in its number among the call's files, which is also in the variable
    LEG. A record RECORDING is added for the ledger, because the dialplan, which writes it
    otherwise, does not notice. `joined_at` (epoch seconds) is when the calls were joined: a long
    delay is logged.
    """

    def channel_value(name: str) -> str:
        """Return a variable of the channel; "" if it is not set."""
        return asterisk.send_action("Getvar", Channel=channel, Variable=name).get("Value", "")

    former_file = channel_value("RECORDING")
    if not former_file:
        return
    leg = int(channel_value("LEG") or 1) + 1
    base_name = former_file.removesuffix(".wav").removesuffix(f"-{leg - 1}")
    file = f"{base_name}-{leg}.wav"
    asterisk.send_action("StopMixMonitor", Channel=channel)
    threading.Event().wait(_PAUSE_SECONDS)
    asterisk.send_action("Setvar", Channel=channel, Variable="LEG", Value=leg)
    asterisk.send_action("Setvar", Channel=channel, Variable="RECORDING", Value=file)
    if not reserve.unrecorded_mark(settings).exists():
        path = settings.paths.recordings / file
        asterisk.send_action("MixMonitor", Channel=channel, File=str(path), Options="b")
    if (delay := clock.now().timestamp() - joined_at) > _LATE_SECONDS:
        log.warning("%s: recorded anew %.1f s after the phones were joined", channel, delay)
    event = eventlog.create_event(
        "RECORDING",
        channel_value("CHANNEL(linkedid)"),
        clock.now(),
        facts=f"file={quote(file)}",
        UniqueID=channel_value("UNIQUEID"),
        ChanName=channel,
    )
    db.retry_while_busy(functools.partial(ledger.record_event, settings, event), threading.Event())
