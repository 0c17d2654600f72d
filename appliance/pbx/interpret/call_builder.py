"""Builds the facts of a call from its records, one by one."""

import datetime as dt
from collections.abc import Callable

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import outcomes
from appliance.pbx.interpret.gaps import GapTracker
from appliance.pbx.interpret.switchboard import Leg, Switchboard
from appliance.pbx.interpret.transfers import TransferLog
from appliance.pbx.interpret.user_events import UserEvents, canonical_number
from appliance.pbx.interpret.visits import VisitLog
from appliance.telephony.calls import CallFacts, DialFacts, TalkFacts
from appliance.telephony.calls.dialling import CAUSES_BY_PERSON

_QUEUE_RESULTS = {"CALLBACK": "callback"}
_STAFF_ROLES = ("operator", "employee")


class CallBuilder(UserEvents):
    """A call under construction: `add_event` processes its records one by one.

    A leg is one channel of the call. A talk is the time in which an operator's or employee's leg is
    connected with the citizen.
    """

    def __init__(self, first: Event, direction: str) -> None:
        """Begin a call with its first record; `direction` is inbound, outbound or internal."""
        self.id = first.linkedid
        self.call = CallFacts(
            id=self.id,
            direction=direction,
            arrived_at=first.at,
            technology="e1" if first.is_e1 else "sip",
            stage="menu" if direction == "inbound" else "dialling",
        )
        caller, dialled = canonical_number(first.fields["Num"]), first.fields["Exten"] or None
        if direction == "inbound":
            self.call.caller, self.call.hotline_number = caller, dialled
            self.call.trunk = first.endpoint
        elif direction == "internal":
            self.call.caller, self.call.callee = first.endpoint, dialled
            self.call.by = first.fields["AccountCode"] or None
        self.board = Switchboard()
        self.transfer_log = TransferLog(self.call.transfers)
        self.visit_log = VisitLog(self.call.visits)
        self.gap_tracker = GapTracker()
        self.evidence = outcomes.Evidence()
        self.talk_by_leg: dict[str, TalkFacts] = {}  # last talk, by the uniqueid of our own leg
        self.talking_legs: set[str] = set()  # our own legs whose talk continues
        self.held_since: dict[str, dt.datetime] = {}  # starts of holds; "": by the dialplan
        self.talks_left_by_citizen: set[int] = set()  # id() of talks that a citizen's leaving ended
        self.citizen_hung_up = False
        self.aborted_by = ""  # the side that placed the call, once it hung up

    def add_event(self, event: Event) -> None:
        """Process one record; those of types without a handler change nothing."""
        handler = HANDLERS.get(event.type)
        if handler:
            handler(self, event)

    def end_at_crash(self, moment: dt.datetime) -> None:
        """End everything in the call at the time at which Asterisk died."""
        self.visit_log.end_at_crash(moment)
        for uniqueid in sorted(self.talking_legs):
            self._stop_talk(uniqueid, moment)
        self.evidence.asterisk_died = True
        self._set_call_end(moment)

    def conclude_call(self) -> None:
        """Derive the outcome and the side that ended the call, if it has ended; call it last."""
        call = self.call
        if call.ended_at:
            self._add_cancelled_attempts(call.ended_at)
            self.transfer_log.close_transfers(self.evidence.asterisk_died)
            call.outcome = outcomes.call_outcome(call, self.evidence)
            call.ended_by = outcomes.call_ender(call, self.evidence)

    def _add_cancelled_attempts(self, moment: dt.datetime) -> None:
        """Add the dial attempts that our own side broke off at `moment`: the log lacks them."""
        legs = [
            leg for leg in self._citizen_legs() if leg.uniqueid != self.id and not leg.is_answered
        ]
        # The attempts on the first legs failed by themselves: the dialplan has recorded them.
        recorded_count = sum(attempt.status != "ANSWER" for attempt in self.call.attempts)
        if self.call.direction == "outbound":
            for leg in legs[recorded_count:]:
                self.call.attempts.append(DialFacts(leg.trunk, moment, "CANCEL", None))
                self.call.trunk = leg.trunk

    def handle_channel_start(self, event: Event) -> None:
        """Add a channel that starts: a party calls, or is rung."""
        if event.dialling_phone and event.linkedid != self.id:
            self.transfer_log.add_second_call(event)
        self.board.legs[event.uniqueid] = leg = Leg(
            event.uniqueid,
            event.channel,
            event.endpoint,
            *self._identify_party(event),
            event.linkedid,
            event.at,
        )
        is_rung = leg.role == "operator" and event.uniqueid != self.id and event.linkedid == self.id
        if is_rung and self.visit_log.begin_ring(event, leg.party):
            self.call.stage = "ringing"

    def _identify_party(self, event: Event) -> tuple[str, str]:
        """Return a channel's role and party, as in `Leg`; both are "" for a machine's channel."""
        if event.is_phone:
            return "operator", event.fields["AccountCode"] or event.endpoint
        if event.uniqueid == self.id and self.call.direction == "inbound":
            return "citizen", ""
        if not event.is_trunk:
            return "", ""
        # A trunk's channel calls the citizen of an outgoing call, unless it is rung for a transfer.
        consultation = self.transfer_log.consultations.get(event.linkedid)
        rung_number = consultation.transfer.to if consultation else self.transfer_log.rung_number
        if self.call.direction == "outbound" and rung_number is None:
            return "citizen", self.call.callee or ""
        return "employee", event.fields["Num"] if rung_number is None else rung_number

    def _citizen_legs(self) -> list[Leg]:
        """Return the legs whose connections with operators and employees count as talks.

        In a call between two of our own phones, that is the leg of the phone that called.
        """
        if self.call.direction == "internal":
            return [leg for leg in self.board.legs.values() if leg.uniqueid == self.id]
        return [leg for leg in self.board.legs.values() if leg.role == "citizen"]

    def handle_answer(self, event: Event) -> None:
        """Record that a channel is answered."""
        leg = self.board.legs.get(event.uniqueid)
        if not leg:
            return
        leg.is_answered = True
        self.visit_log.answer_ring(event.uniqueid, event.at)
        if leg.role == "citizen" and self.call.direction == "outbound":
            self.evidence.callee_answered, self.call.trunk = True, leg.trunk
            self.call.technology = "e1" if event.is_e1 else "sip"
        if event.is_trunk and leg.uniqueid != self.id:
            self.call.attempts.append(DialFacts(leg.trunk, event.at, "ANSWER", None))
        if leg.linkedid in self.transfer_log.consultations and leg.uniqueid != leg.linkedid:
            self.transfer_log.mark_answered(leg.linkedid)

    def handle_bridge_enter(self, event: Event) -> None:
        """Record that a channel enters a bridge."""
        self.board.enter_bridge(event)
        self._update_talks(event.at)

    def handle_bridge_exit(self, event: Event) -> None:
        """Record that a channel leaves a bridge."""
        self.board.leave_bridge(event)
        former_legs = set(self.talking_legs)
        self._update_talks(event.at)
        leg = self.board.legs.get(event.uniqueid)
        if leg and leg.role == "citizen":
            self.talks_left_by_citizen |= {
                id(self.talk_by_leg[uniqueid]) for uniqueid in former_legs - self.talking_legs
            }

    def _update_talks(self, moment: dt.datetime) -> None:
        """Begin and end talks, according to which legs are now connected to the citizen."""
        connected_legs = {
            uniqueid
            for citizen in self._citizen_legs()
            for uniqueid in self.board.connected_legs(citizen.uniqueid)
            if self.board.legs[uniqueid].role in _STAFF_ROLES
        }
        for uniqueid in sorted(self.talking_legs - connected_legs):
            self._stop_talk(uniqueid, moment)
        for uniqueid in sorted(connected_legs - self.talking_legs):
            self._start_talk(self.board.legs[uniqueid], moment)

    def _start_talk(self, leg: Leg, moment: dt.datetime) -> None:
        """Begin a talk on this leg, or continue the interrupted one if its phone has returned."""
        call, phone = self.call, leg.endpoint if leg.role == "operator" else None
        talk = self.gap_tracker.close_gap(phone, moment)
        if talk:
            self.continue_talk(talk)
        else:
            is_first_leg = leg.uniqueid == self.id  # the phone that placed the call
            party, party_name = (
                ("outside", call.callee or "") if is_first_leg else (leg.role, leg.party)
            )
            call.talks.append(talk := TalkFacts(party, party_name, phone, moment))
        self.talking_legs.add(leg.uniqueid)
        self.talk_by_leg[leg.uniqueid] = talk
        call.stage = "talk"
        self.visit_log.end_visit(moment, "answered")
        self._end_hold("", moment)
        self.transfer_log.record_talk(leg.party)

    def _stop_talk(self, uniqueid: str, moment: dt.datetime) -> None:
        """End the talk on this leg; if it was the last one, the call continues without a talk."""
        self.talking_legs.discard(uniqueid)
        self.talk_by_leg[uniqueid].ended_at = moment
        self._end_hold(uniqueid, moment)
        if not self.talking_legs:
            self.call.stage = "transfer" if self.transfer_log.open_transfer else "rating"

    def handle_hold(self, event: Event) -> None:
        """Record that the phone in a talk put its caller on hold."""
        if event.uniqueid in self.talking_legs:
            self.held_since.setdefault(event.uniqueid, event.at)

    def handle_unhold(self, event: Event) -> None:
        """Record that the phone in a talk resumed its caller."""
        self._end_hold(event.uniqueid, event.at)

    def _end_hold(self, key: str, moment: dt.datetime) -> None:
        """End the hold of the leg with uniqueid `key`, or the one by the dialplan (""), if any."""
        if since := self.held_since.pop(key, None):
            self.call.holds.append((since, moment))

    def handle_transfer(self, event: Event) -> None:
        """Record that the dialplan began a transfer."""
        transfer = self.transfer_log.add_announced(event)
        if transfer.kind == "attended":
            self.held_since[""] = event.at  # the caller waits while the operator consults
        if self.call.talks and transfer.by:
            self.evidence.record_handover(self.call.talks[-1])
        if not self.talking_legs:
            self.call.stage = "transfer"

    def handle_transfer_end(self, event: Event) -> None:
        """Record that a transfer by the dialplan ended."""
        self.transfer_log.end_announced(event)
        if not self.talking_legs:
            self.call.stage = "rating"

    def handle_attended_transfer(self, event: Event) -> None:
        """Record that a phone joined its two calls, and so handed its caller over."""
        self.transfer_log.mark_handed_over(event)
        # The caller may be in the next talk already.
        phone_talks = (
            talk for talk in reversed(self.call.talks) if talk.extension == event.endpoint
        )
        if talk := next(phone_talks, None):
            self.evidence.record_handover(talk)

    def handle_callback(self, event: Event) -> None:
        """Record that the caller requests a callback."""
        self.evidence.callback_requested = True
        self.call.callee = canonical_number(event.extra.get("number", "")) or self.call.caller
        self.visit_log.end_visit(event.at, "callback")

    def handle_queue(self, event: Event) -> None:
        """Record that the caller is about to enter a queue."""
        facts = event.extra
        self.visit_log.announce_visit(facts.get("why") or "first", event.at)
        self.call.language = facts.get("language") or self.call.language
        self.call.topic = facts.get("topic") or self.call.topic

    def handle_application(self, event: Event) -> None:
        """Record that the application Queue starts for the caller."""
        leg = self.board.legs.get(event.uniqueid)
        if event.fields["AppName"] == "Queue" and leg and leg.role != "operator":
            queue = event.fields["AppData"].partition(",")[0]
            self._end_hold("", event.at)
            self.visit_log.begin_visit(queue, event.at)
            self.call.stage, self.evidence.ended_closed = "queue", False

    def handle_queue_left(self, event: Event) -> None:
        """Record that the caller left the queue."""
        status = event.extra.get("status", "")
        if status != "CONTINUE":  # CONTINUE: the call was answered
            self.visit_log.end_visit(event.at, _QUEUE_RESULTS.get(status, "timed_out"))

    def handle_hangup(self, event: Event) -> None:
        """Record that a channel ended; the record says which channel hung up."""
        leg = self.board.legs.get(event.uniqueid)
        if not leg:
            return
        leg.is_over, leg.bridge = True, None
        source = self._hangup_source(leg, event)
        side = self._side_of_leg(source)
        self._record_talk_end(leg, side, event.at)
        if self.visit_log.end_ring(event) and self.call.stage == "ringing":
            self.call.stage = "queue"
        if consultation := self.transfer_log.consultation_on_channel(event.uniqueid):
            self._add_second_call_hold(consultation.phone, consultation.transfer.at, event.at)
            self.transfer_log.end_second_call(consultation)
        self._update_talks(event.at)
        if leg.uniqueid == self.id or leg.role == "citizen":
            self.citizen_hung_up |= leg.role == "citizen" and leg.is_answered and side == "caller"
            # The phone that placed the call gave it up, before the citizen's channel ends.
            if source is leg and leg.uniqueid == self.id and side == "operator":
                self.aborted_by = side
            self._end_if_over(
                event.at, "caller" if self.citizen_hung_up else self.aborted_by or side
            )

    def _hangup_source(self, leg: Leg, event: Event) -> Leg | None:
        """Return the leg whose party hung up, if the record says it."""
        source = event.extra.get("hangupsource")
        if leg.is_e1 and source in ("", leg.channel):  # only the cause shows whether a person did
            return leg if event.extra.get("hangupcause") in CAUSES_BY_PERSON else None
        return self.board.find_leg(source or "")

    def _side_of_leg(self, source: Leg | None) -> str:
        """Return the side that a leg belongs to: caller, operator, or system (None, machines)."""
        if not source:
            return "system"  # nobody hung up: the other end fell silent
        if source.role == "citizen" or (
            self.call.direction == "internal" and source.uniqueid == self.id
        ):
            return "caller"
        return "operator" if source.role in _STAFF_ROLES else "system"

    def _awaits_better_evidence(self, talk: TalkFacts, side: str) -> bool:
        """Return True if the end of the citizen's channel may show better who ended a talk.

        `side` hung up. If it is the operator, the citizen may have left the talk before. Otherwise
        the citizen's channel must be an E1, and still exist: its hangup cause says more.
        """
        if side == "operator":
            return id(talk) in self.talks_left_by_citizen
        return any(leg.is_e1 and not leg.is_over for leg in self._citizen_legs())

    def _record_talk_end(self, leg: Leg, side: str, moment: dt.datetime) -> None:
        """Record that `side` ended the talks of this leg; a talk's first leg to hang up counts.

        `leg` hung up at `moment`. A citizen's leg is part of all talks of the call, any other only
        of its own; those count that have not ended, or ended just now.
        """
        for uniqueid, talk in self.talk_by_leg.items():
            if not outcomes.is_open_or_ended_at(talk.ended_at, moment):
                continue
            if leg in self._citizen_legs():
                self.evidence.record_ender(talk, side)
            elif leg.uniqueid == uniqueid and self._awaits_better_evidence(talk, side):
                self.evidence.record_likely_ender(talk, side)
            elif leg.uniqueid == uniqueid:
                self.evidence.record_ender(talk, side)

    def _add_second_call_hold(self, phone: str, since: dt.datetime, moment: dt.datetime) -> None:
        """Record that the caller was on hold during a phone's second call, `since` to `moment`."""
        for talk in self.call.talks:
            if talk.extension == phone and (talk.ended_at is None or talk.ended_at > since):
                hold_start, hold_end = (
                    max(since, talk.started_at),
                    min(moment, talk.ended_at or moment),
                )
                self.call.holds.append((hold_start, hold_end))

    def _end_if_over(self, moment: dt.datetime, side: str) -> None:
        """End the call, which `side` ended, if the citizen's and the first channel are over."""
        first_legs = [leg for leg in self.board.legs.values() if leg.uniqueid == self.id]
        if all(leg.is_over for leg in [*first_legs, *self._citizen_legs()]):
            self.evidence.last_side = side
            if self.gap_tracker.interrupted_talk:
                self.evidence.record_ender(self.gap_tracker.interrupted_talk, side)
            self.visit_log.end_visit(moment, "abandoned" if side == "caller" else "failed")
            self.visit_log.cancel_rings(moment)
            for uniqueid in sorted(self.talking_legs):
                self._stop_talk(uniqueid, moment)
            self._set_call_end(moment)

    def _set_call_end(self, moment: dt.datetime) -> None:
        """Set the end of the call; end a hold and a talk's interruption that still go on."""
        self._end_hold("", moment)
        self.gap_tracker.abandon_gap(moment)
        self.call.ended_at, self.call.stage = max(moment, self.call.arrived_at), "ended"


HANDLERS: dict[str, Callable[[CallBuilder, Event], None]] = {
    "ANSWER": CallBuilder.handle_answer,
    "APP_START": CallBuilder.handle_application,
    "ARRIVED": CallBuilder.handle_arrival,
    "ATTENDEDTRANSFER": CallBuilder.handle_attended_transfer,
    "BRIDGE_ENTER": CallBuilder.handle_bridge_enter,
    "BRIDGE_EXIT": CallBuilder.handle_bridge_exit,
    "CALLBACK": CallBuilder.handle_callback,
    "CHAN_START": CallBuilder.handle_channel_start,
    "CLOSED": CallBuilder.handle_closed,
    "DIALLED": CallBuilder.handle_dial_result,
    "HANGUP": CallBuilder.handle_hangup,
    "GIVEN_UP": CallBuilder.handle_resume_timeout,
    "HOLD": CallBuilder.handle_hold,
    "KEY": CallBuilder.handle_key,
    "LANGUAGE": CallBuilder.handle_language,
    "LOST": CallBuilder.handle_loss,
    "OUTGOING": CallBuilder.handle_outgoing,
    "QUEUE": CallBuilder.handle_queue,
    "QUEUE_LEFT": CallBuilder.handle_queue_left,
    "RATING": CallBuilder.handle_rating,
    "RECORDING": CallBuilder.handle_recording,
    "REFUSED": CallBuilder.handle_refusal,
    "RINGS": CallBuilder.handle_ringing,
    "SELF_SERVICE": CallBuilder.handle_self_service,
    "SYNTHETIC": CallBuilder.handle_synthetic,
    "TOPIC": CallBuilder.handle_topic,
    "TRANSFER": CallBuilder.handle_transfer,
    "TRANSFER_END": CallBuilder.handle_transfer_end,
    "UNHOLD": CallBuilder.handle_unhold,
}
