"""Handlers for the records that our own dialplan writes about a call (CELGenUserEvent)."""

from appliance.core import phone_numbers
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.gaps import GapTracker
from appliance.pbx.interpret.outcomes import Evidence
from appliance.pbx.interpret.switchboard import Switchboard
from appliance.pbx.interpret.transfers import TransferLog
from appliance.telephony.calls import CallFacts, DialFacts, RecordingFacts, TalkFacts


class UserEvents:
    """Handlers of the dialplan's own records.

    `CallBuilder` sets these fields, and adds the handlers of Asterisk's records.
    """

    id: str
    board: Switchboard
    call: CallFacts
    transfer_log: TransferLog
    gap_tracker: GapTracker
    evidence: Evidence
    talk_by_leg: dict[str, TalkFacts]
    talks_left_by_citizen: set[int]

    def handle_arrival(self, event: Event) -> None:
        """Handle ARRIVED: the numbers, the trunk and the SIP Call-ID of an inbound call."""
        facts, call = event.extra, self.call
        call.hotline_number = facts.get("dialled") or call.hotline_number
        call.diverted_from = facts.get("diverted") or None
        call.caller = canonical_number(facts.get("caller", ""))
        call.trunk = facts.get("trunk") or call.trunk
        call.sip = facts.get("sip") or None

    def handle_outgoing(self, event: Event) -> None:
        """Handle OUTGOING: a phone or the machine calls a number.

        If it is a phone's second call, the number belongs to the transfer, not to this call.
        """
        facts, call = event.extra, self.call
        callee_number = canonical_number(facts.get("number", "")) or ""
        if event.linkedid != self.id:
            self.transfer_log.set_dialled_number(event.linkedid, callee_number)
            return
        call.callee, call.caller = callee_number, canonical_number(facts.get("shown", ""))
        # Who called (a login), why, and `for` which task, call or appeal: see CallFacts.
        call.by, call.reason = facts.get("by") or None, facts.get("reason") or None
        call.serves = facts.get("for") or None

    def handle_dial_result(self, event: Event) -> None:
        """Handle DIALLED: record the result of an attempt to call over a trunk.

        It is also the result of a transfer if a phone's second call made the attempt.
        """
        facts = event.extra
        status, trunk = facts.get("status", ""), facts.get("trunk", "")
        attempt = DialFacts(trunk, event.at, status, facts.get("cause") or None)
        if status != "ANSWER":  # an answered attempt was recorded by `handle_answer`
            self.call.attempts.append(attempt)
        self.transfer_log.set_dial_result(event.linkedid, status)
        if self.call.direction == "outbound" and event.linkedid == self.id:
            self.call.trunk = attempt.trunk
            self.call.technology = facts.get("technology") or self.call.technology
            self.evidence.dial_status = status

    def handle_ringing(self, event: Event) -> None:
        """Handle RINGS: the number that is rung for a transfer."""
        self.transfer_log.set_rung_number(canonical_number(event.extra.get("number", "")) or "")

    def handle_key(self, event: Event) -> None:
        """Handle KEY: the caller pressed a key in the menu."""
        self.call.menu.append(event.extra.get("key", ""))
        self.evidence.ended_closed = False

    def handle_language(self, event: Event) -> None:
        """Handle LANGUAGE: the language of the caller."""
        self.call.language = event.extra.get("language")

    def handle_topic(self, event: Event) -> None:
        """Handle TOPIC: the topic that the caller chose."""
        self.call.topic = event.extra.get("topic") or None

    def handle_refusal(self, event: Event) -> None:
        """Handle REFUSED: the dialplan rejects a hidden or blocked number, or one call too many."""
        self.evidence.call_refused = True

    def handle_closed(self, event: Event) -> None:
        """Handle CLOSED: the message that the hotline is closed is played."""
        self.evidence.ended_closed = True

    def handle_self_service(self, event: Event) -> None:
        """Handle SELF_SERVICE: the result of a look-up that the caller made by keys."""
        self.evidence.ended_closed = False
        self.evidence.self_served = self.evidence.self_served or event.extra.get("result") == "told"

    def handle_synthetic(self, event: Event) -> None:
        """Handle SYNTHETIC: the call is a self-test."""
        self.call.synthetic = True

    def handle_recording(self, event: Event) -> None:
        """Handle RECORDING: a recording begins."""
        # Decided by the channel: of joined calls Asterisk keeps the older linkedid, which is the
        # second call's if the clock was set back in between.
        leg = self.board.legs.get(event.uniqueid)
        is_consultation = (leg or event).linkedid in self.transfer_log.consultations
        self.call.recordings.append(RecordingFacts(event.extra["file"], event.at, is_consultation))

    def handle_loss(self, event: Event) -> None:
        """Handle LOST: the operator's page is gone, and the caller is kept waiting for it.

        The phone's last talk, which seemed to end by this, goes on with a gap.
        """
        phone = event.extra.get("extension", "")
        ended_talks = [
            talk for talk in self.call.talks if talk.extension == phone and talk.ended_at
        ]
        if ended_talks:
            self.gap_tracker.open_gap(ended_talks[-1], event.at)
            self.continue_talk(ended_talks[-1])
            self.call.stage = "talk"

    def handle_resume_timeout(self, event: Event) -> None:
        """Handle GIVEN_UP: the operator's page did not return in time, so the talk is over."""
        self.gap_tracker.abandon_gap(event.at)

    def continue_talk(self, talk: TalkFacts) -> None:
        """Let a talk go on: discard the evidence of its end from the channel of the lost phone."""
        self.evidence.discard_enders(talk)
        self.talks_left_by_citizen.discard(id(talk))
        self.talk_by_leg = {
            leg: candidate for leg, candidate in self.talk_by_leg.items() if candidate is not talk
        }

    def handle_rating(self, event: Event) -> None:
        """Handle RATING: the mark that the caller gave."""
        self.call.rating = int(event.extra["mark"])
        self.call.rating_channel = "keypad"


def canonical_number(text: str) -> str | None:
    """Return a caller's number as +998…, another number unchanged, None for a hidden one."""
    return (phone_numbers.canonical_number(text) or text) or None
