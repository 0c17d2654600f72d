"""The plan: the telephony settings that people decide, as one frozen object stored as JSON."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

import dacite

from appliance.core.i18n import base_language
from appliance.core.settings import Settings

TRUNK_KINDS = ("sip", "e1")
SIP_TRANSPORTS = ("udp", "tcp", "tls")
NUMBER_STYLES = ("plus", "plain", "national")  # how a carrier expects a number of Uzbekistan
TOPIC_ACTIONS = ("queue", "own_queue", "employee", "self_service")  # the effect of choosing a topic
ANONYMOUS_RULES = ("take", "refuse")


@dataclass(frozen=True)
class Trunk:
    """A line of a carrier: SIP by address or by registration, or a group of E1 channels."""

    name: str
    kind: str = "sip"
    address: str = ""  # the carrier's host; empty for E1
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
    watched: bool = False  # Asterisk asks it every 15 s whether it answers ("qualify")
    test_calls: bool = True  # the box calls itself over this trunk every few minutes

    @property
    def server_uri(self) -> str:
        """The carrier's registrar, in the form that pjsip.conf uses."""
        transport = f";transport={self.transport}" if self.transport != "udp" else ""
        return f"sip:{self.address}:{self.port}{transport}"

    @property
    def client_uri(self) -> str:
        """The appliance's account at the carrier, in the form that pjsip.conf uses."""
        return f"sip:{self.user}@{self.address}"


@dataclass(frozen=True)
class Route:
    """The trunks for calls to numbers with this prefix; they are tried in order."""

    prefix: str  # of +998…, or of a short number; "" = every number
    trunks: tuple[str, ...]


@dataclass(frozen=True)
class HotlineNumber:
    """One of the hotline's own numbers, and how its callers are received."""

    number: str  # as dialled, or "" for every number not listed
    languages: tuple[str, ...] = ("uz", "ru")
    topics: bool = True  # callers are asked for their topic, if the plan has topics
    hours: bool = True  # callers are informed if the ministry is closed


@dataclass(frozen=True)
class Topic:
    """A choice in the topic menu.

    `keys` are the keys that lead to it: "2" on the first level, "21" below it.
    """

    keys: str
    uz: str  # the announcement of the choice in Uzbek; `ru`: in Russian
    ru: str
    code: str = ""  # the topic's code in the ledger
    action: str = "queue"
    target: str = ""  # for "employee": the employee's number

    def spoken_name(self, code: str | None) -> str:
        """Return the announcement in the language of a locale or of a call."""
        return self.ru if base_language(code) == "ru" else self.uz


@dataclass(frozen=True)
class Queueing:
    """How callers wait. Times are in seconds unless the name says otherwise; 0 means: not used."""

    ring: int = 15
    wrap_up: int = 0
    max_wait: int = 300
    fall_back_after: int = 60  # after this wait, operators of every language and topic are rung
    announce_every: int = 45  # interval at which callers are informed of their place in line
    announce_wait: bool = True  # they are also informed of the expected wait
    autopause: bool = True  # an operator who does not answer is paused, and notified
    last_operator_hours: int = 24  # for this time after a talk, the same operator is rung first
    returning_minutes: int = 30  # who hung up while waiting goes before others for this time
    whisper: bool = False  # a few words about the caller are played to the operator first

    @property
    def falls_back(self) -> bool:
        """Returns True if other operators are rung before the longest wait is over."""
        return 0 < self.fall_back_after < self.max_wait

    @property
    def own_wait_seconds(self) -> int:
        """How long a caller waits for the operators of their own queue only."""
        return self.fall_back_after if self.falls_back else self.max_wait


@dataclass(frozen=True)
class Limits:
    """Limits of load, beyond which calls are refused (0 = no limit), and of ringing."""

    calls: int = 0  # on all trunks together
    waiting: int = 0  # in one queue
    transfer_ring: int = 20  # seconds
    outgoing_ring: int = 45  # seconds


@dataclass(frozen=True)
class Callback:
    """How waiting callers are offered to be called back instead."""

    offered: bool = True
    key: str = "9"
    offer_every: int = 60  # seconds
    at_the_end: bool = True  # offered when the longest wait is over


@dataclass(frozen=True)
class FollowUps:
    """How missed callers are called automatically; the hours are in the site's time zone."""

    requests: bool = True  # calls callers who asked to be called back
    missed: bool = False  # calls callers who hung up while waiting
    attempts: int = 4
    pause_minutes: int = 15  # before the second attempt; three times as long before each later one
    opens: str = "08:00"
    closes: str = "20:00"


@dataclass(frozen=True)
class Hours:
    """The ministry's working hours as announced to callers; the hotline itself is always open."""

    closed: bool = False
    holiday: bool = False


@dataclass(frozen=True)
class Plan:
    """All telephony settings of the site."""

    trunks: tuple[Trunk, ...] = ()
    routes: tuple[Route, ...] = ()
    numbers: tuple[HotlineNumber, ...] = (HotlineNumber(""),)
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
        """The plan as a JSON object for the database; `from_json` reads it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The plan of a stored JSON object; fields added by later versions get their defaults."""
        return dacite.from_dict(cls, document, dacite.Config(cast=[tuple]))

    @property
    def own_queues(self) -> tuple[str, ...]:
        """Codes of the topics whose queues have their own operators."""
        return tuple(t.code for t in self.topics if t.action == "own_queue")


def initial_plan(settings: Settings) -> Plan:
    """Return the plan of a new site: calls to all numbers use the trunks of the settings.

    The first trunk carries the calls; the others are tried, in order, when it cannot.
    """
    trunks = tuple(Trunk(t.name, address=t.address, port=t.port) for t in settings.trunks)
    calls = settings.calls
    return Plan(
        trunks=trunks,
        routes=(Route("", tuple(t.name for t in trunks)),) if trunks else (),
        queueing=Queueing(ring=calls.ring, wrap_up=calls.wrap_up, max_wait=calls.max_wait),
        shown=calls.hotline_number,
    )
