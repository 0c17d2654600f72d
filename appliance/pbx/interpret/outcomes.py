"""How a call ended: its one outcome, and by whose doing."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.telephony.calls import CallFacts, TalkFacts
from appliance.telephony.calls.dialling import OUTCOME_OF

_CLOSE = 2.0  # seconds within which a hangup belongs to the talk that just ended


@dataclass
class Evidence:
    """What the log says on the way that matters for the end."""

    refused: bool = False
    closed: bool = False  # heard the closed message, and nothing since
    served: bool = False  # the machine answered his question
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

    def goes_on(self, talk: TalkFacts) -> None:
        """Nobody has ended this talk: what was told of that came of a lost phone."""
        self._enders.pop(id(talk), None)
        self._likely.pop(id(talk), None)

    def ender(self, talk: TalkFacts) -> str:
        """Who ended that talk; the system when nothing tells."""
        return self._enders.get(id(talk)) or self._likely.get(id(talk), "system")


def outcome(call: CallFacts, evidence: Evidence) -> str:
    """The one outcome of a call that is over (docs/figures.md)."""
    if call.direction == "inbound":
        return _of_inbound(call, evidence)
    if evidence.reached or call.talks:
        return "answered"
    if evidence.fault:
        return "failed"
    if call.direction == "internal" and not evidence.dialled:
        return "failed" if evidence.side == "system" else "no_answer"
    return OUTCOME_OF.get(evidence.dialled, "no_answer")


def _of_inbound(call: CallFacts, evidence: Evidence) -> str:
    if call.talks:
        return "answered"
    if evidence.refused:
        return "rejected"
    if evidence.callback:
        return "callback"
    if call.visits:
        result = call.visits[-1].result
        known = {"timed_out": "timed_out", "overflow": "timed_out", "abandoned": "abandoned_queue"}
        return known.get(result or "", "failed")
    if evidence.served:
        return "self_served"
    if evidence.closed:
        return "closed"
    return "abandoned_menu" if evidence.side == "caller" and not evidence.fault else "failed"


def ended_by(call: CallFacts, evidence: Evidence) -> str:
    """Who ended the last talk, also when a rating or a wait followed; without one, the call."""
    if not call.talks:
        return "system" if evidence.fault else evidence.side
    last = max(call.talks, key=lambda talk: talk.ended_at or talk.started_at)
    if evidence.fault and last.ended_at == call.ended_at:
        return "system"
    return evidence.ender(last)


def same_moment(ended: dt.datetime | None, moment: dt.datetime, limit: float = _CLOSE) -> bool:
    """Whether something that ended then, or goes on, ends with what happened at this moment."""
    return ended is None or abs((moment - ended).total_seconds()) < limit
