"""What people decide about the telephony: one frozen object, kept as JSON."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

import dacite

from appliance.core.settings import Settings

KINDS = ("sip", "e1")
TRANSPORTS = ("udp", "tcp", "tls")
STYLES = ("plus", "plain", "national")  # how a carrier wants a number of Uzbekistan written
ACTIONS = ("queue", "own_queue", "employee", "self_service")  # what a topic leads to
ANONYMOUS = ("take", "refuse")


@dataclass(frozen=True)
class Trunk:
    """A line of a carrier: SIP by address or by registration, or a group of E1 channels."""

    name: str
    kind: str = "sip"
    address: str = ""  # the carrier's host; of E1 nothing
    port: int = 5060
    transport: str = "udp"
    srtp: bool = False
    register: bool = False
    user: str = ""
    password: str = ""
    group: int = 1  # of the E1 channels, DAHDI/g<group>
    spans: str = ""  # channels of the E1 group, as "1-15,17-31"
    channels: int = 0  # calls at once; 0 = no limit
    style: str = "plus"
    shown: str = ""  # caller's number on outgoing calls; "" = the plan's
    watched: bool = False  # asked every 15 s whether it answers
    test_calls: bool = True  # every few minutes the box calls itself over this trunk

    @property
    def server(self) -> str:
        """The carrier's registrar, as pjsip.conf names it."""
        transport = f";transport={self.transport}" if self.transport != "udp" else ""
        return f"sip:{self.address}:{self.port}{transport}"

    @property
    def client(self) -> str:
        """Our account there, as pjsip.conf names it."""
        return f"sip:{self.user}@{self.address}"


@dataclass(frozen=True)
class Route:
    """Which trunks carry calls to numbers with this beginning, the first that can."""

    prefix: str  # of +998…, or of a short number; "" = every number
    trunks: tuple[str, ...]


@dataclass(frozen=True)
class Number:
    """A number of ours that people dial, and how its callers are received."""

    number: str  # as dialled, or "" for every number not listed
    languages: tuple[str, ...] = ("uz", "ru")
    topics: bool = True  # asks for the topic, when there are topics
    hours: bool = True  # tells when the ministry is closed


@dataclass(frozen=True)
class Topic:
    """A choice in the topic menu. `keys` is the way to it: "2" on the first level, "21" below."""

    keys: str
    uz: str  # what is said before it
    ru: str
    code: str = ""  # the topic's code in the ledger
    action: str = "queue"
    target: str = ""  # of "employee": his number


@dataclass(frozen=True)
class Queueing:
    """How callers wait; seconds unless the name says otherwise. 0 switches a thing off."""

    ring: int = 15
    wrap_up: int = 0
    max_wait: int = 300
    fall_back_after: int = 60  # then operators of every language and topic
    announce_every: int = 45  # place in line
    announce_wait: bool = True  # expected wait
    autopause: bool = True  # who does not answer is paused, and told
    last_operator_hours: int = 24  # who spoke with this caller is rung first, when free
    returning_minutes: int = 30  # who hung up waiting goes before others within this time
    whisper: bool = False  # the operator hears a word or two of the caller before him

    @property
    def falls_back(self) -> bool:
        """Whether other operators are asked before the wait is over."""
        return 0 < self.fall_back_after < self.max_wait

    @property
    def own_wait(self) -> int:
        """How long a caller waits for his own operators alone."""
        return self.fall_back_after if self.falls_back else self.max_wait


@dataclass(frozen=True)
class Limits:
    """What is refused rather than made worse; 0 = no limit."""

    calls: int = 0  # on all trunks together
    waiting: int = 0  # in one queue
    transfer_ring: int = 20
    outgoing_ring: int = 45


@dataclass(frozen=True)
class Callback:
    """A caller may ask to be called back instead of waiting."""

    offered: bool = True
    key: str = "9"
    offer_every: int = 60  # seconds
    at_the_end: bool = True  # offered when the longest wait is over


@dataclass(frozen=True)
class FollowUps:
    """How the machine calls those who were missed; hours of the site's time."""

    requests: bool = True  # who asked to be called back
    missed: bool = False  # and who hung up waiting
    attempts: int = 4
    pause_minutes: int = 15  # before the second attempt; three times as long before each later one
    opens: str = "08:00"
    closes: str = "20:00"


@dataclass(frozen=True)
class Hours:
    """What is said outside the ministry's working hours; the line itself is always open."""

    closed: bool = False
    holiday: bool = False


@dataclass(frozen=True)
class Plan:
    trunks: tuple[Trunk, ...] = ()
    routes: tuple[Route, ...] = ()
    numbers: tuple[Number, ...] = (Number(""),)
    topics: tuple[Topic, ...] = ()
    queueing: Queueing = field(default_factory=Queueing)
    limits: Limits = field(default_factory=Limits)
    callback: Callback = field(default_factory=Callback)
    follow_ups: FollowUps = field(default_factory=FollowUps)
    hours: Hours = field(default_factory=Hours)
    blocked: tuple[str, ...] = ()
    anonymous: str = "take"
    shown: str = ""  # caller's number on outgoing calls; "" = the carrier's choice

    def as_json(self) -> dict[str, Any]:
        """The plan as what a table keeps; `from_json` reads it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The plan that was kept; what a later version of ours added has its default."""
        return dacite.from_dict(cls, kept, dacite.Config(cast=[tuple]))

    @property
    def own_queues(self) -> tuple[str, ...]:
        """Codes of the topics that have queues with operators of their own."""
        return tuple(t.code for t in self.topics if t.action == "own_queue")


def first(settings: Settings) -> Plan:
    """The plan of a fresh site: every trunk of the settings, all numbers by the first of them."""
    trunks = tuple(Trunk(t.name, address=t.address, port=t.port) for t in settings.trunks)
    calls = settings.calls
    return Plan(
        trunks=trunks,
        routes=(Route("", tuple(t.name for t in trunks)),) if trunks else (),
        queueing=Queueing(ring=calls.ring, wrap_up=calls.wrap_up, max_wait=calls.max_wait),
        shown=calls.hotline_number,
    )
