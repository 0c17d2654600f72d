"""Which channels a call has, and who of them can hear whom."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.pbx.eventlog import Event


@dataclass
class Leg:
    """One channel of a call. Its role: citizen, operator, employee, or "" for a machine."""

    uniqueid: str
    channel: str
    endpoint: str
    role: str
    who: str  # an operator's login, else a number
    linkedid: str  # under which it began
    started_at: dt.datetime
    bridge: str | None = None
    answered: bool = False
    over: bool = False

    @property
    def is_e1(self) -> bool:
        """Whether it leads over an E1."""
        return self.channel.startswith("DAHDI/")

    @property
    def trunk(self) -> str:
        """The trunk it leads over; what Asterisk calls the span, when nothing tells the trunk."""
        return self.endpoint or self.channel.partition("/")[2].partition("/")[0]


@dataclass
class Switchboard:
    """The legs of one call by their uniqueid."""

    legs: dict[str, Leg] = field(default_factory=dict)

    def named(self, channel: str) -> Leg | None:
        """The leg of a channel's name; the newest, should a name have been used twice."""
        found = [leg for leg in self.legs.values() if leg.channel == channel]
        return found[-1] if found else None

    def enter(self, event: Event) -> None:
        """A channel joins a bridge."""
        if leg := self.legs.get(event.uniqueid):
            leg.bridge = event.extra.get("bridge_id", "")

    def leave(self, event: Event) -> None:
        """A channel leaves a bridge; the log may tell of its next one first."""
        leg = self.legs.get(event.uniqueid)
        if leg and leg.bridge == event.extra.get("bridge_id", leg.bridge):
            leg.bridge = None

    def heard_by(self, uniqueid: str) -> set[str]:
        """Legs in one bridge with this one, also through the two halves of a Local channel."""
        reached, open_ends = {uniqueid}, [uniqueid]
        while open_ends:
            leg = self.legs.get(open_ends.pop())
            if not leg:
                continue
            for other in self.legs.values():
                if other.uniqueid not in reached and _joined(leg, other):
                    reached.add(other.uniqueid)
                    open_ends.append(other.uniqueid)
        return reached - {uniqueid}


def _joined(one: Leg, other: Leg) -> bool:
    if one.bridge and one.bridge == other.bridge:
        return True
    local = one.channel.startswith("Local/") and one.channel[:-1] == other.channel[:-1]
    return local and not one.over and not other.over
