"""How a call ended: its one outcome, and by whose doing."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.calls import CallFacts, TalkFacts
from appliance.pbx.interpret.handing import RESULTS

_CLOSE = 2.0  # seconds within which a hangup belongs to the talk that just ended


@dataclass
class Signs:
    """What the log says on the way that matters for the end."""

    refused: bool = False
    closed: bool = False  # heard the closed message, and nothing since
    told: bool = False  # the machine answered his question
    callback: bool = False
    reached: bool = False  # the one we called took up the phone
    dialled: str = ""  # DIALSTATUS of the last attempt to reach him
    fault: bool = False  # Asterisk died
    side: str = "system"  # who hung up the call's last channel
    _enders: dict[int, str] = field(default_factory=dict)
    _likely: dict[int, str] = field(default_factory=dict)

    def ended(self, talk: TalkFacts, side: str) -> None:
        """Who ended a talk: the first to be told stays."""
        self._enders.setdefault(id(talk), side)

    def likely_ended(self, talk: TalkFacts, side: str) -> None:
        """Who ended it if nobody tells better: he hung up too, but left after the citizen."""
        self._likely.setdefault(id(talk), side)

    def passed_on(self, talk: TalkFacts) -> None:
        """The operator ended it by handing the caller over; his channel tells nothing of that."""
        self._enders[id(talk)] = "operator"

    def ender(self, talk: TalkFacts) -> str:
        """Who ended that talk; the system when nothing tells."""
        return self._enders.get(id(talk)) or self._likely.get(id(talk), "system")


def outcome(call: CallFacts, signs: Signs) -> str:
    """The one outcome of a call that is over (KPI.md's words)."""
    if call.direction == "inbound":
        return _of_inbound(call, signs)
    if signs.reached or call.talks:
        return "answered"
    if signs.fault:
        return "failed"
    if call.direction == "internal" and not signs.dialled:
        return "failed" if signs.side == "system" else "no_answer"
    return RESULTS.get(signs.dialled, "no_answer")


def _of_inbound(call: CallFacts, signs: Signs) -> str:
    if call.talks:
        return "answered"
    if signs.refused:
        return "rejected"
    if signs.callback:
        return "callback"
    if call.visits:
        result = call.visits[-1].result
        known = {"timed_out": "timed_out", "overflow": "timed_out", "abandoned": "abandoned_queue"}
        return known.get(result or "", "failed")
    if signs.told:
        return "self_served"
    if signs.closed:
        return "closed"
    return "abandoned_menu" if signs.side == "caller" and not signs.fault else "failed"


def ended_by(call: CallFacts, signs: Signs) -> str:
    """Who ended the last talk, also when a rating or a wait followed; without one, the call."""
    if not call.talks:
        return "system" if signs.fault else signs.side
    last = max(call.talks, key=lambda talk: talk.ended_at or talk.started_at)
    if signs.fault and last.ended_at == call.ended_at:
        return "system"
    return signs.ender(last)


def same_moment(ended: dt.datetime | None, moment: dt.datetime, limit: float = _CLOSE) -> bool:
    """Whether something that ended then, or goes on, ends with what happened at this moment."""
    return ended is None or abs((moment - ended).total_seconds()) < limit
