"""The caller's visits to queues, and the phones that rang during them.

A visit begins when the caller enters a queue and ends when they leave it.
"""

import datetime as dt
from dataclasses import dataclass, field

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import outcomes
from appliance.telephony.calls import RingFacts, VisitFacts
from appliance.telephony.calls.dialling import BUSY_CAUSES, NORMAL_CAUSES

_CANCEL_SECONDS = 1.0  # a ring that ended within this time before the call was cancelled by it


@dataclass
class VisitLog:
    """The visits of one call, in order."""

    visits: list[VisitFacts]
    _next_reason: str = "first"  # why the caller joins the next queue
    _ring_by_leg: dict[str, RingFacts] = field(default_factory=dict)  # by uniqueid of the channel

    @property
    def current_visit(self) -> VisitFacts | None:
        """The caller's last visit to a queue, if any, ended or not."""
        return self.visits[-1] if self.visits else None

    def announce_visit(self, reason: str, moment: dt.datetime) -> None:
        """Handle QUEUE: the caller is about to enter a queue for this reason (see VisitFacts.why).

        The reasons "overflow" and "returned" move a caller who was not answered from one queue to
        the next: their visit before this one then ended by "overflow".
        """
        visit, self._next_reason = self.current_visit, reason
        is_passed_on = reason in ("overflow", "returned")
        if visit and is_passed_on and visit.result in (None, "timed_out"):
            visit.left_at, visit.result = visit.left_at or moment, "overflow"

    def begin_visit(self, queue: str, moment: dt.datetime) -> None:
        """Record that the caller entered a queue."""
        self.visits.append(VisitFacts(queue, moment, why=self._next_reason))
        self._next_reason = "first"

    def end_visit(self, moment: dt.datetime, result: str) -> None:
        """End the current visit to a queue with this result, if it is open."""
        visit = self.current_visit
        if visit and visit.left_at is None:
            visit.left_at, visit.result = moment, result

    def begin_ring(self, event: Event, operator: str) -> bool:
        """Record that a phone is rung for the current visit; returns False if no visit is open.

        `event` starts the phone's channel; `operator` is the login of the phone's user.
        """
        visit = self.current_visit
        if not visit or visit.left_at is not None:
            return False
        ring = RingFacts(operator, event.endpoint, event.at)
        self._ring_by_leg[event.uniqueid] = ring
        visit.rings.append(ring)
        return True

    def answer_ring(self, uniqueid: str, moment: dt.datetime) -> None:
        """Record that a ringing phone was answered."""
        ring = self._ring_by_leg.get(uniqueid)
        if ring and ring.ended_at is None:
            ring.ended_at, ring.result = moment, "answered"

    def end_ring(self, event: Event) -> bool:
        """End the ringing of a phone whose channel ended; the hangup cause gives the result.

        Returns False if the channel was not that of a phone that was still ringing.
        """
        ring = self._ring_by_leg.get(event.uniqueid)
        if not ring or ring.ended_at is not None:
            return False
        cause = event.extra.get("hangupcause", "")
        other_result = "no_answer" if cause in NORMAL_CAUSES else "failed"
        ring.ended_at, ring.result = event.at, BUSY_CAUSES.get(cause, other_result)
        return True

    def cancel_rings(self, moment: dt.datetime) -> None:
        """Set the result `cancelled` of the rings that nobody answered before the call ended.

        `moment` is the end of the call; rings that ended just before it count, too.
        """
        for ring in self._ring_by_leg.values():
            is_unanswered = ring.result in (None, "no_answer")
            if is_unanswered and outcomes.is_open_or_ended_at(
                ring.ended_at, moment, _CANCEL_SECONDS
            ):
                ring.ended_at, ring.result = ring.ended_at or moment, "cancelled"

    def end_at_crash(self, moment: dt.datetime) -> None:
        """End the visit and its rings at the time at which Asterisk died."""
        for ring in self._ring_by_leg.values():
            if ring.ended_at is None:
                ring.ended_at, ring.result = moment, "failed"
        self.end_visit(moment, "failed")
