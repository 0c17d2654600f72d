"""Who speaks with whom at this moment, as Asterisk's channels tell."""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from appliance.core.settings import Settings
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.people import accounts
from appliance.telephony import destinations

_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_SEEN = 2.0  # seconds in which what was asked of a channel shows
_LOOK = 0.02
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Channel:
    """One leg of a call: a phone or a trunk."""

    name: str  # PJSIP/1001-00000002
    call_id: str  # linkedid
    up: bool
    bridge: str
    context: str
    application: str
    other: str  # number it is connected to

    @property
    def endpoint(self) -> str:
        """Whose it is: an extension, or a trunk's name."""
        return self.owner(self.name)

    @staticmethod
    def owner(name: str) -> str:
        """Whose a channel of this name is."""
        return name.partition("/")[2].rpartition("-")[0]


@dataclass(frozen=True)
class Line:
    """What a phone does.

    `stage`: ringing | dialling | talk | consulting (the employee's phone rings) | consulted (he
    speaks with the operator while the caller waits) | conference | supervising.
    """

    stage: str
    call_id: str
    other: str  # number at the other end; supervising: extension of the operator who is heard


def _channel(event: dict[str, str], bridge: str) -> Channel:
    return Channel(
        name=event["Channel"],
        call_id=event["Linkedid"],
        up=event["ChannelStateDesc"] == "Up",
        bridge=bridge,
        context=event["Context"],
        application=event.get("Application", ""),
        other=event.get("ConnectedLineNum", ""),
    )


def _events_if_there(asterisk: Connection, action: str, **fields: str) -> list[dict[str, str]]:
    """What Asterisk tells of channels; nothing of what has gone since it was named."""
    try:
        events = asterisk.listed(action, f"{action}Complete", **fields)
    except Refused:
        return []
    return [event for event in events if "Channel" in event]


class Lines:
    """Every channel at one moment, or those that are given."""

    def __init__(self, asterisk: Connection, channels: list[Channel] | None = None) -> None:
        self.asterisk = asterisk
        self.channels = (
            [
                _channel(event, event.get("BridgeId", ""))
                for event in asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
            ]
            if channels is None
            else channels
        )

    @classmethod
    def near(cls, asterisk: Connection, extension: str) -> Self:
        """A phone's channels and those that share a bridge with them: some of hundreds.

        Of the others no application is told.
        """
        names = asterisk.act("Getvar", Variable=f"CHANNELS(^PJSIP/{extension}-)").get("Value", "")
        own = [
            _channel(event, event.get("BridgeID", ""))
            for name in names.split()
            for event in _events_if_there(asterisk, "Status", Channel=name)
        ]
        known = {channel.name for channel in own}
        others = [
            _channel(event, bridge)
            for bridge in {channel.bridge for channel in own} - {""}
            for event in _events_if_there(asterisk, "BridgeInfo", BridgeUniqueid=bridge)
            if event.get("Channel") not in known
        ]
        return cls(asterisk, own + others)

    def of(self, extension: str) -> Channel | None:
        """The channel of a phone; the one that speaks, when it has several."""
        own = [c for c in self.channels if c.name.startswith(f"PJSIP/{extension}-")]
        return max(own, key=lambda c: (c.up, bool(c.bridge)), default=None)

    def named(self, name: str) -> Channel | None:
        """The channel of that name, if it is still there."""
        return next((c for c in self.channels if c.name == name), None)

    def partner(self, channel: Channel) -> Channel | None:
        """Who speaks with it; None when nobody or several do."""
        others = [c for c in self.channels if c.bridge and c.bridge == channel.bridge]
        others.remove(channel) if channel in others else None
        return others[0] if len(others) == 1 else None

    def held(self, channel: Channel) -> Channel | None:
        """The caller who waits while this phone consults somebody."""
        found = self.named(self.variable(channel, "HELD"))
        return found if found and found.context == "held" else None

    def legs(self, channel: Channel) -> list[Channel]:
        """What was dialled from this channel."""
        partner = self.partner(channel)
        return [
            c
            for c in self.channels
            if c.call_id == channel.call_id and c.application == "AppDial" and c != channel
            if c == partner or not c.up
        ]

    def variable(self, channel: Channel, name: str) -> str:
        """A variable of a channel; empty when it has none."""
        return self.asterisk.act("Getvar", Channel=channel.name, Variable=name).get("Value", "")

    def stage(self, channel: Channel) -> str:
        """What the phone of this channel does, as Line.stage."""
        if channel.context == "conference":
            return "conference"
        partner = self.partner(channel)
        if channel.context == "spy" and not partner:  # with one, he has taken the caller over
            return "supervising"
        if channel.context == "consult" and not (partner and partner.context == "joined"):
            return "consulted" if partner else "consulting"
        if partner:
            return "talk"
        return "dialling" if channel.up or channel.application else "ringing"


class _Session:
    """One session with Asterisk for all pages that look what their phones do; they ask in turn."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._asterisk: Connection | None = None
        self._settings: Settings | None = None

    def ask[T](self, settings: Settings, question: Callable[[Connection], T]) -> T:
        """Put a question to Asterisk. Raises Unreachable, Refused."""
        with self._turn:
            if settings is not self._settings:
                self.leave()
                self._settings = settings
            if self._asterisk:
                try:
                    return question(self._asterisk)
                except Unreachable:  # Asterisk was started anew since, perhaps
                    self.leave()
            self._asterisk = Connection(settings).__enter__()
            try:
                return question(self._asterisk)
            except Unreachable:
                self.leave()
                raise

    def leave(self) -> None:
        """End the session, if there is one."""
        if self._asterisk:
            self._asterisk.close()
        self._asterisk = None


_session = _Session()
leave = _session.leave


def line(settings: Settings, extension: str) -> Line | None:
    """What the phone does, or None when it does nothing. Raises Unreachable, Refused."""
    return _session.ask(
        settings, lambda asterisk: _line(Lines.near(asterisk, extension), extension)
    )


def _line(lines: Lines, extension: str) -> Line | None:
    own = lines.of(extension)
    if not own:
        return None
    stage = lines.stage(own)
    other = own.other
    if stage == "supervising":
        other = Channel.owner(lines.variable(own, "SPIED"))
    elif not _NUMBER.fullmatch(other):  # of a call out: a name of the dialplan
        other = lines.variable(own, "NORMAL")
    return Line(stage, own.call_id, other)


@contextmanager
def turn(settings: Settings, extension: str) -> Iterator[Connection]:
    """A connection on which one action at a time is done for a phone: a second press waits."""
    with _turns[extension], Connection(settings) as asterisk:
        yield asterisk


def talking(lines: Lines, extension: str) -> tuple[Channel, Channel]:
    """The phone's channel and its caller's. Raises Refused "no_talk" when they do not speak."""
    own = lines.of(extension)
    partner = lines.partner(own) if own else None
    if not own or not partner or lines.stage(own) != "talk":
        raise Refused("this phone speaks with nobody", "no_talk")
    return own, partner


def dialled(settings: Settings, number: str) -> str:
    """A number as a phone would dial it. Raises Refused "number" for what is none, "barred"."""
    plain = re.sub(r"[\s().–-]", "", number)
    if not _NUMBER.fullmatch(plain):
        raise Refused(f"not a number: {number!r}", "number")
    if any(user.extension == plain for user in accounts.operators()):
        return plain
    if why := destinations.barred(settings.outgoing, plain):
        raise Refused(f"{plain} may not be called", "number" if why == "shape" else "barred")
    return plain


def redirect(asterisk: Connection, *legs: tuple[Channel, str, str]) -> None:
    """Send one channel, or two at once, to (context, extension)."""
    fields: dict[str, str] = {}
    for prefix, (channel, context, extension) in zip(("", "Extra"), legs, strict=False):
        named = {"ExtraChannel" if prefix else "Channel": channel.name}
        fields |= named | {f"{prefix}Context": context, f"{prefix}Exten": extension}
        fields |= {f"{prefix}Priority": "1"}
    asterisk.act("Redirect", **fields)


def set_variables(asterisk: Connection, channel: Channel, **variables: str) -> None:
    """Set variables of a channel."""
    for name, value in variables.items():
        asterisk.act("Setvar", Channel=channel.name, Variable=name, Value=value)


def see(asterisk: Connection, shows: Callable[[Lines], object]) -> None:
    """Wait until Asterisk's channels show what was asked of them, so that a next press sees it."""
    until = time.monotonic() + _SEEN
    while True:
        began = time.monotonic()
        if shows(Lines(asterisk)) or began > until:
            return
        # With a hundred calls a look takes long, for Asterisk too: most of the time goes to them.
        time.sleep(max(_LOOK, 3 * (time.monotonic() - began)))
