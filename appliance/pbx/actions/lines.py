"""The current connections between phones and callers, from Asterisk's channels."""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from appliance.core.settings import Settings
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.people import accounts
from appliance.telephony import destinations

_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_EFFECT_SECONDS = 2.0  # how long an action on a channel may take to have an effect
_POLL_SECONDS = 0.02
_phone_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Channel:
    """One leg of a call, as Asterisk lists it: a phone or a trunk."""

    name: str  # PJSIP/1001-00000002
    call_id: str  # linkedid
    is_up: bool  # answered
    bridge: str  # the id of the bridge that connects it with others; "": not connected
    context: str  # of the dialplan
    application: str  # of the dialplan, which runs on it now; "": no application, or unknown
    connected_number: str  # number at the other end

    @property
    def endpoint(self) -> str:
        """The extension of the phone, or the name of the trunk, without the technology."""
        return self.endpoint_of(self.name)

    @staticmethod
    def endpoint_of(name: str) -> str:
        """Return the extension or the trunk's name from the name of a channel."""
        return name.partition("/")[2].rpartition("-")[0]


@dataclass(frozen=True)
class Line:
    """What a phone does at the moment.

    `stage`: ringing | dialling | talk | consulting (the employee's phone rings) | consulted (the
    employee speaks with the operator while the caller waits) | conference | supervising (it is
    connected to an operator's talk).
    """

    stage: str
    call_id: str
    other_number: str  # of the other end; when supervising: the extension of the operator


def _channel_from_event(event: dict[str, str], bridge: str) -> Channel:
    """Return the channel that an event of AMI describes; `bridge` is the id of its bridge or ""."""
    return Channel(
        name=event["Channel"],
        call_id=event["Linkedid"],
        is_up=event["ChannelStateDesc"] == "Up",
        bridge=bridge,
        context=event["Context"],
        application=event.get("Application", ""),
        connected_number=event.get("ConnectedLineNum", ""),
    )


def _channel_events(asterisk: Connection, action: str, **fields: str) -> list[dict[str, str]]:
    """Return the events in which Asterisk lists channels, in answer to this action.

    Returns an empty list if the channel or bridge that the action is about is gone.
    """
    try:
        events = asterisk.list_events(action, f"{action}Complete", **fields)
    except ActionRefused:  # there is no such bridge or channel any more
        return []
    return [event for event in events if "Channel" in event]


class ChannelSnapshot:
    """The channels of Asterisk at one time: all, or only those passed in."""

    def __init__(self, asterisk: Connection, channels: list[Channel] | None = None) -> None:
        self.asterisk = asterisk
        self.channels = (
            [
                _channel_from_event(event, event.get("BridgeId", ""))
                for event in asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
            ]
            if channels is None
            else channels
        )

    @classmethod
    def near_phone(cls, asterisk: Connection, extension: str) -> Self:
        """Return a snapshot of a phone's channels and of those that share a bridge with them.

        It avoids listing hundreds of channels. The application of the channels that only share a
        bridge is unknown.
        """
        names = asterisk.send_action("Getvar", Variable=f"CHANNELS(^PJSIP/{extension}-)").get(
            "Value", ""
        )
        phone_channels = [
            _channel_from_event(event, event.get("BridgeID", ""))
            for name in names.split()
            for event in _channel_events(asterisk, "Status", Channel=name)
        ]
        known_names = {channel.name for channel in phone_channels}
        bridged_channels = [
            _channel_from_event(event, bridge)
            for bridge in {channel.bridge for channel in phone_channels} - {""}
            for event in _channel_events(asterisk, "BridgeInfo", BridgeUniqueid=bridge)
            if event.get("Channel") not in known_names
        ]
        return cls(asterisk, phone_channels + bridged_channels)

    def phone_channel(self, extension: str) -> Channel | None:
        """Return the channel of a phone; if it has several, the one that is in a talk."""
        candidates = [c for c in self.channels if c.name.startswith(f"PJSIP/{extension}-")]
        return max(candidates, key=lambda c: (c.is_up, bool(c.bridge)), default=None)

    def find_channel(self, name: str) -> Channel | None:
        """Return the channel with this name, if it still exists."""
        return next((c for c in self.channels if c.name == name), None)

    def talk_partner(self, channel: Channel) -> Channel | None:
        """Return the other channel in the bridge of `channel`, if there is exactly one."""
        bridged = [c for c in self.channels if c.bridge and c.bridge == channel.bridge]
        bridged.remove(channel) if channel in bridged else None
        return bridged[0] if len(bridged) == 1 else None

    def waiting_caller(self, operator_channel: Channel) -> Channel | None:
        """Return the channel of the caller who waits while this operator consults, if any."""
        caller = self.find_channel(self.channel_variable(operator_channel, "HELD"))
        return caller if caller and caller.context == "held" else None

    def dialled_legs(self, channel: Channel) -> list[Channel]:
        """Return the channels that Asterisk dialled for this one: ringing, or connected with it."""
        partner = self.talk_partner(channel)
        return [
            c
            for c in self.channels
            if c.call_id == channel.call_id and c.application == "AppDial" and c != channel
            if c == partner or not c.is_up
        ]

    def channel_variable(self, channel: Channel, name: str) -> str:
        """Return a variable of a channel; empty if it is not set."""
        return self.asterisk.send_action("Getvar", Channel=channel.name, Variable=name).get(
            "Value", ""
        )

    def phone_stage(self, channel: Channel) -> str:
        """Return what the phone of this channel does: a value of `Line.stage`, such as "talk"."""
        if channel.context == "conference":
            return "conference"
        partner = self.talk_partner(channel)
        if channel.context == "spy" and not partner:  # with a partner: the talk was taken over
            return "supervising"
        # A caller in "joined" has come back to the operator: they are in a talk again.
        if channel.context == "consult" and not (partner and partner.context == "joined"):
            return "consulted" if partner else "consulting"
        if partner:
            return "talk"
        return "dialling" if channel.is_up or channel.application else "ringing"


class _SharedSession:
    """One session with Asterisk, used in turn by all pages that query their phones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asterisk: Connection | None = None
        self._settings: Settings | None = None

    def run_query[T](self, settings: Settings, query: Callable[[Connection], T]) -> T:
        """Run a query on the session, which is opened again if it was lost; returns its result.

        Raises Unreachable if Asterisk does not answer, ActionRefused if it refuses.
        """
        with self._lock:
            if settings is not self._settings:  # they may be those of another Asterisk
                self.close_session()
                self._settings = settings
            if self._asterisk:
                try:
                    return query(self._asterisk)
                except Unreachable:  # Asterisk may have been restarted since
                    self.close_session()
            self._asterisk = Connection(settings).__enter__()
            try:
                return query(self._asterisk)
            except Unreachable:
                self.close_session()
                raise

    def close_session(self) -> None:
        """End the session with Asterisk's manager interface, if there is one.

        `run_query` opens a new one.
        """
        if self._asterisk:
            self._asterisk.close()
        self._asterisk = None


_shared_session = _SharedSession()
close_shared_session = _shared_session.close_session


def phone_line(settings: Settings, extension: str) -> Line | None:
    """Return what a phone does, unless it is idle.

    Raises Unreachable if Asterisk does not answer, ActionRefused if it refuses.
    """
    return _shared_session.run_query(
        settings,
        lambda asterisk: _describe_line(ChannelSnapshot.near_phone(asterisk, extension), extension),
    )


def _describe_line(snapshot: ChannelSnapshot, extension: str) -> Line | None:
    """Return what a phone does according to these channels, unless it is idle."""
    channel = snapshot.phone_channel(extension)
    if not channel:
        return None
    stage = snapshot.phone_stage(channel)
    other_number = channel.connected_number
    if stage == "supervising":
        other_number = Channel.endpoint_of(snapshot.channel_variable(channel, "SPIED"))
    elif not _NUMBER.fullmatch(other_number):  # outgoing: a name of the dialplan
        other_number = snapshot.channel_variable(channel, "NORMAL")
    return Line(stage, channel.call_id, other_number)


@contextmanager
def exclusive_connection(settings: Settings, extension: str) -> Iterator[Connection]:
    """Yield a connection for an action on a phone; only one action on each phone runs at a time.

    A second press of a button waits until the first one has been handled.
    """
    with _phone_locks[extension], Connection(settings) as asterisk:
        yield asterisk


def talk_channels(snapshot: ChannelSnapshot, extension: str) -> tuple[Channel, Channel]:
    """Return the channels of a phone and of the caller with whom it is in a talk.

    Raises ActionRefused with the code "no_talk" if they are not in a talk.
    """
    channel = snapshot.phone_channel(extension)
    partner = snapshot.talk_partner(channel) if channel else None
    if not channel or not partner or snapshot.phone_stage(channel) != "talk":
        raise ActionRefused("this phone speaks with nobody", "no_talk")
    return channel, partner


def dialable_number(settings: Settings, number: str) -> str:
    """Return a number as a phone would dial it, without spaces and punctuation.

    Operators' extensions may always be called. Raises ActionRefused with the code "number" if it is
    invalid, "barred" if it may not be called.
    """
    digits = re.sub(r"[\s().–-]", "", number)
    if not _NUMBER.fullmatch(digits):
        raise ActionRefused(f"not a number: {number!r}", "number")
    if any(user.extension == digits for user in accounts.active_operators()):
        return digits
    if reason := destinations.bar_reason(settings.outgoing, digits):
        code = "number" if reason == "shape" else "barred"  # "shape": no complete number
        raise ActionRefused(f"{digits} may not be called", code)
    return digits


def redirect_channels(asterisk: Connection, *legs: tuple[Channel, str, str]) -> None:
    """Redirect one channel, or two at once; each leg is (channel, context, extension).

    Context and extension are the place in the dialplan at which the channel goes on.
    """
    fields: dict[str, str] = {}
    for prefix, (channel, context, extension) in zip(("", "Extra"), legs, strict=False):
        channel_field = {"ExtraChannel" if prefix else "Channel": channel.name}
        fields |= channel_field | {f"{prefix}Context": context, f"{prefix}Exten": extension}
        fields |= {f"{prefix}Priority": "1"}
    asterisk.send_action("Redirect", **fields)


def set_variables(asterisk: Connection, channel: Channel, **variables: str) -> None:
    """Set variables of a channel."""
    for name, value in variables.items():
        asterisk.send_action("Setvar", Channel=channel.name, Variable=name, Value=value)


def wait_for_channels(
    asterisk: Connection, has_effect: Callable[[ChannelSnapshot], object]
) -> None:
    """Wait until the channels show the effect of an action, so that the next action finds it.

    `has_effect` takes the current channels and returns a true value once they show it. Returns
    silently after _EFFECT_SECONDS without it.
    """
    deadline = time.monotonic() + _EFFECT_SECONDS
    while True:
        started = time.monotonic()
        if has_effect(ChannelSnapshot(asterisk)) or started > deadline:
            return
        # With a hundred calls a query takes long, also for Asterisk: leave it most of the time.
        time.sleep(max(_POLL_SECONDS, 3 * (time.monotonic() - started)))
