"""How a call ended: its outcome, exactly one for each call, and the side that ended it."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.telephony.calls import CallFacts, TalkFacts
from appliance.telephony.calls.dialling import OUTCOME_BY_STATUS

_MATCH_SECONDS = 2.0  # a hangup within this time belongs to the talk that just ended


@dataclass
class Evidence:
    """The facts from the log that decide how a call ended.

    The ender of a talk is the side that ended it.
    """

    call_refused: bool = False
    ended_closed: bool = False  # the closed message was played, and nothing followed
    self_served: bool = False  # the machine answered the caller's question
    callback_requested: bool = False
    callee_answered: bool = False  # for a call that the appliance placed
    # DIALSTATUS of the last attempt to reach an outgoing call's callee; "": no attempt has ended
    dial_status: str = ""
    asterisk_died: bool = False
    last_side: str = "system"  # side that hung up the call's last channel
    _ender_by_talk: dict[int, str] = field(default_factory=dict)  # by id() of the talk, as below
    _likely_ender_by_talk: dict[int, str] = field(default_factory=dict)

    def record_ender(self, talk: TalkFacts, side: str) -> None:
        """Record the side that ended a talk; the first record counts."""
        self._ender_by_talk.setdefault(id(talk), side)

    def record_likely_ender(self, talk: TalkFacts, side: str) -> None:
        """Record the side that probably ended a talk, used if record_ender() is not called for it.

        It is uncertain when the citizen's channel may have hung up first: when the operator's
        hangup follows the citizen's leaving, or an E1 channel of the citizen ends later.
        """
        self._likely_ender_by_talk.setdefault(id(talk), side)

    def record_handover(self, talk: TalkFacts) -> None:
        """Record that the operator ended the talk by a handover; their channel does not show it."""
        self._ender_by_talk[id(talk)] = "operator"

    def discard_enders(self, talk: TalkFacts) -> None:
        """Forget who ended a talk that in fact goes on.

        It only seemed to end, because the operator's phone was lost.
        """
        self._ender_by_talk.pop(id(talk), None)
        self._likely_ender_by_talk.pop(id(talk), None)

    def talk_ender(self, talk: TalkFacts) -> str:
        """Return the side that ended a talk: as recorded, else the likely side, else "system"."""
        return self._ender_by_talk.get(id(talk)) or self._likely_ender_by_talk.get(
            id(talk), "system"
        )


def call_outcome(call: CallFacts, evidence: Evidence) -> str:
    """Return the outcome of a call that is over (docs/figures.md)."""
    if call.direction == "inbound":
        return _inbound_outcome(call, evidence)
    if evidence.callee_answered or call.talks:
        return "answered"
    if evidence.asterisk_died:
        return "failed"
    if call.direction == "internal" and not evidence.dial_status:
        return "failed" if evidence.last_side == "system" else "no_answer"
    return OUTCOME_BY_STATUS.get(evidence.dial_status, "no_answer")


def _inbound_outcome(call: CallFacts, evidence: Evidence) -> str:
    """Return the outcome of an inbound call."""
    if call.talks:
        return "answered"
    if evidence.call_refused:
        return "rejected"
    if evidence.callback_requested:
        return "callback"
    if call.visits:
        result = call.visits[-1].result
        outcome_by_result = {
            "timed_out": "timed_out",
            "overflow": "timed_out",
            "abandoned": "abandoned_queue",
        }
        return outcome_by_result.get(result or "", "failed")
    if evidence.self_served:
        return "self_served"
    if evidence.ended_closed:
        return "closed"
    return (
        "abandoned_menu"
        if evidence.last_side == "caller" and not evidence.asterisk_died
        else "failed"
    )


def call_ender(call: CallFacts, evidence: Evidence) -> str:
    """Return the side that ended the last talk, even if a rating or a wait followed it.

    For a call without a talk, return the side that ended the call.
    """
    if not call.talks:
        return "system" if evidence.asterisk_died else evidence.last_side
    last_talk = max(call.talks, key=lambda talk: talk.ended_at or talk.started_at)
    if evidence.asterisk_died and last_talk.ended_at == call.ended_at:
        return "system"
    return evidence.talk_ender(last_talk)


def is_open_or_ended_at(
    ended_at: dt.datetime | None, moment: dt.datetime, limit_seconds: float = _MATCH_SECONDS
) -> bool:
    """Return True if something has not ended yet (`ended_at` is None) or ended at `moment`.

    The two times may differ by less than `limit_seconds`.
    """
    return ended_at is None or abs((moment - ended_at).total_seconds()) < limit_seconds
