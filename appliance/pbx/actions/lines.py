"""Who speaks with whom at this moment, as Asterisk's channels tell."""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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


class Lines:
    """Every channel at one moment."""

    def __init__(self, asterisk: Connection) -> None:
        self.asterisk = asterisk
        self.channels = [
            Channel(
                name=event["Channel"],
                call_id=event["Linkedid"],
                up=event["ChannelStateDesc"] == "Up",
                bridge=event.get("BridgeId", ""),
                context=event["Context"],
                application=event.get("Application", ""),
                other=event.get("ConnectedLineNum", ""),
            )
            for event in asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        ]

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


class _Board:
    """The channels as all pages that are open look at them: over one connection, which stays.

    A change brings a look of every page at once. Who comes while another looks waits, and shares
    the next look with all who came meanwhile: it was begun after each of them asked.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._asterisk: Connection | None = None
        self._settings: Settings | None = None
        self._began = 0.0  # the last look
        self._lines: Lines | Unreachable | Refused = Unreachable("nobody has looked")

    @contextmanager
    def seen(self, settings: Settings) -> Iterator[Lines]:
        """Every channel at a moment after this call. Raises Unreachable, Refused."""
        asked = time.monotonic()
        with self._turn:
            if self._began <= asked or settings is not self._settings:
                self._look(settings)
            if not isinstance(self._lines, Lines):
                raise self._lines
            yield self._lines

    def _look(self, settings: Settings) -> None:
        self._began, stayed = time.monotonic(), bool(self._asterisk)
        try:
            self._lines = Lines(self._connected(settings))
        except (Unreachable, Refused) as error:
            self._lines = error
            self.leave()
            if stayed:  # Asterisk was started anew since, perhaps
                self._look(settings)

    def _connected(self, settings: Settings) -> Connection:
        if settings is not self._settings:
            self.leave()
            self._settings = settings
        if not self._asterisk:
            self._asterisk = Connection(settings).__enter__()
        return self._asterisk

    def leave(self) -> None:
        """End the session, if there is one."""
        if self._asterisk:
            self._asterisk.close()
        self._asterisk = None


_board = _Board()
leave = _board.leave


def line(settings: Settings, extension: str) -> Line | None:
    """What the phone does, or None when it does nothing. Raises Unreachable."""
    with _board.seen(settings) as lines:
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
