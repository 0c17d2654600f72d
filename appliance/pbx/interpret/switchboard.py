"""The channels of a call, and which of them are connected with each other."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.pbx.eventlog import Event


@dataclass
class Leg:
    """One channel of a call. Its role: citizen, operator, employee, or "" for a machine."""

    uniqueid: str
    channel: str  # its name, "PJSIP/1001-00000002"
    endpoint: str  # the phone's extension, or the trunk; "" if unknown
    role: str
    party: str  # an operator's login, otherwise a number
    linkedid: str  # the linkedid with which it began
    started_at: dt.datetime
    bridge: str | None = None  # the id of the bridge that it is in
    is_answered: bool = False
    is_over: bool = False

    @property
    def is_e1(self) -> bool:
        """True if the leg is a channel of an E1 span."""
        return self.channel.startswith("DAHDI/")

    @property
    def trunk(self) -> str:
        """The trunk of the leg; Asterisk's name of the span if the trunk is unknown."""
        return self.endpoint or self.channel.partition("/")[2].partition("/")[0]


@dataclass
class Switchboard:
    """The legs of one call by their uniqueid."""

    legs: dict[str, Leg] = field(default_factory=dict)

    def find_leg(self, channel_name: str) -> Leg | None:
        """Return the leg with this channel name, if any; if it was used twice, the newest."""
        legs = [leg for leg in self.legs.values() if leg.channel == channel_name]
        return legs[-1] if legs else None

    def enter_bridge(self, event: Event) -> None:
        """Record that a channel joins a bridge."""
        if leg := self.legs.get(event.uniqueid):
            leg.bridge = event.extra.get("bridge_id", "")

    def leave_bridge(self, event: Event) -> None:
        """Record that a channel leaves a bridge, unless it has already entered another one.

        The log may contain the entry into the next bridge first.
        """
        leg = self.legs.get(event.uniqueid)
        if leg and leg.bridge == event.extra.get("bridge_id", leg.bridge):
            leg.bridge = None

    def connected_legs(self, uniqueid: str) -> set[str]:
        """Return the uniqueids of the legs connected with a leg, directly or through other legs."""
        connected_ids, open_ends = {uniqueid}, [uniqueid]
        while open_ends:
            leg = self.legs.get(open_ends.pop())
            if not leg:
                continue
            for other_leg in self.legs.values():
                if other_leg.uniqueid not in connected_ids and _are_connected(leg, other_leg):
                    connected_ids.add(other_leg.uniqueid)
                    open_ends.append(other_leg.uniqueid)
        return connected_ids - {uniqueid}


def _are_connected(leg: Leg, other_leg: Leg) -> bool:
    """Return True if two legs are in the same bridge, or halves of one Local channel."""
    if leg.bridge and leg.bridge == other_leg.bridge:
        return True
    is_local_pair = leg.channel.startswith("Local/") and leg.channel[:-1] == other_leg.channel[:-1]
    return is_local_pair and not leg.is_over and not other_leg.is_over
