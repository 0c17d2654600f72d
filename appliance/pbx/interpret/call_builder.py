"""A call as far as its records have been read."""

import datetime as dt
from collections.abc import Callable

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import outcomes
from appliance.pbx.interpret.gaps import GapLog
from appliance.pbx.interpret.switchboard import Leg, Switchboard
from appliance.pbx.interpret.transfers import TransferLog
from appliance.pbx.interpret.user_events import UserEvents, number
from appliance.telephony.calls import CallFacts, DialFacts, RingFacts, TalkFacts, VisitFacts
from appliance.telephony.calls.dialling import BUSY_CAUSES, BY_A_PERSON, CLEARED

_QUEUE_RESULTS = {"CALLBACK": "callback"}
_OURS = ("operator", "employee")


class CallBuilder(UserEvents):
    """A call that is being told, record by record."""

    def __init__(self, first: Event, direction: str) -> None:
        self.id = first.linkedid
        self.call = CallFacts(
            id=self.id,
            direction=direction,
            arrived_at=first.at,
            technology="e1" if first.is_e1 else "sip",
            stage="menu" if direction == "inbound" else "dialling",
        )
        caller, dialled = number(first.fields["Num"]), first.fields["Exten"] or None
        if direction == "inbound":
            self.call.caller, self.call.hotline_number = caller, dialled
            self.call.trunk = first.endpoint
        elif direction == "internal":
            self.call.caller, self.call.callee = first.endpoint, dialled
            self.call.by = first.fields["AccountCode"] or None
        self.board = Switchboard()
        self.transfer_log = TransferLog(self.call.transfers)
        self.gap_log = GapLog()
        self.evidence = outcomes.Evidence()
        self.rings: dict[str, RingFacts] = {}  # by the phone's uniqueid
        self.talks: dict[str, TalkFacts] = {}  # the last one, by the uniqueid of our side's leg
        self.speaking: set[str] = set()  # legs of our side whose talk goes on
        self.held: dict[str, dt.datetime] = {}  # leg, or "" for the line itself → since when
        self.left: set[int] = set()  # talks that were over when the citizen left them
        self.gone = False  # the citizen has hung up
        self.gave_up = ""  # who placed the call and hung up himself, whatever channel goes last
        self.why = "first"

    def add(self, event: Event) -> None:
        """Take in one record."""
        handler = HANDLERS.get(event.type)
        if handler:
            handler(self, event)

    def cut(self, moment: dt.datetime) -> None:
        """End everything at the moment at which Asterisk died."""
        for ring in self.rings.values():
            if ring.ended_at is None:
                ring.ended_at, ring.result = moment, "failed"
        self._leave_queue(moment, "failed")
        for uniqueid in sorted(self.speaking):
            self._stop_talk(uniqueid, moment)
        self.evidence.fault = True
        self._end(moment)

    def close(self) -> None:
        """Conclude from all records: outcome, and who ended it."""
        call = self.call
        if call.ended_at:
            self._attempts_given_up(call.ended_at)
            self.transfer_log.close(self.evidence.fault)
            call.outcome = outcomes.outcome(call, self.evidence)
            call.ended_by = outcomes.ended_by(call, self.evidence)

    def _attempts_given_up(self, moment: dt.datetime) -> None:
        """The dialplan tells nothing of an attempt that our own side broke off."""
        legs = [leg for leg in self._citizens() if leg.uniqueid != self.id and not leg.answered]
        told = sum(attempt.status != "ANSWER" for attempt in self.call.attempts)
        if self.call.direction == "outbound":
            for leg in legs[told:]:
                self.call.attempts.append(DialFacts(leg.trunk, moment, "CANCEL", None))
                self.call.trunk = leg.trunk

    # who takes part

    def channel_started(self, event: Event) -> None:
        """A channel of the call: somebody rings, or is rung."""
        if event.phone and event.linkedid != self.id:
            self.transfer_log.second_call(event)
        self.board.legs[event.uniqueid] = leg = Leg(
            event.uniqueid,
            event.channel,
            event.endpoint,
            *self._party(event),
            event.linkedid,
            event.at,
        )
        visit = self._visit
        rings = leg.role == "operator" and event.uniqueid != self.id and event.linkedid == self.id
        if rings and visit and visit.left_at is None:
            self.rings[event.uniqueid] = ring = RingFacts(leg.who, event.endpoint, event.at)
            visit.rings.append(ring)
            self.call.stage = "ringing"

    def _party(self, event: Event) -> tuple[str, str]:
        """Role and name of a channel's party."""
        if event.is_phone:
            return "operator", event.fields["AccountCode"] or event.endpoint
        if event.uniqueid == self.id and self.call.direction == "inbound":
            return "citizen", ""
        if not event.is_trunk:
            return "", ""
        second = self.transfer_log.consultations.get(event.linkedid)
        rung = second.transfer.to if second else self.transfer_log.rung
        if self.call.direction == "outbound" and rung is None:
            return "citizen", self.call.callee or ""
        return "employee", event.fields["Num"] if rung is None else rung

    def _citizens(self) -> list[Leg]:
        """Whose talks these are; between two phones of ours, of the one that called."""
        if self.call.direction == "internal":
            return [leg for leg in self.board.legs.values() if leg.uniqueid == self.id]
        return [leg for leg in self.board.legs.values() if leg.role == "citizen"]

    def answered(self, event: Event) -> None:
        leg = self.board.legs.get(event.uniqueid)
        if not leg:
            return
        leg.answered = True
        ring = self.rings.get(event.uniqueid)
        if ring and ring.ended_at is None:
            ring.ended_at, ring.result = event.at, "answered"
        if leg.role == "citizen" and self.call.direction == "outbound":
            self.evidence.reached, self.call.trunk = True, leg.trunk
            self.call.technology = "e1" if event.is_e1 else "sip"
        if event.is_trunk and leg.uniqueid != self.id:
            self.call.attempts.append(DialFacts(leg.trunk, event.at, "ANSWER", None))
        if leg.linkedid in self.transfer_log.consultations and leg.uniqueid != leg.linkedid:
            self.transfer_log.reached(leg.linkedid)

    # talks

    def bridge_entered(self, event: Event) -> None:
        self.board.enter(event)
        self._listen(event.at)

    def bridge_left(self, event: Event) -> None:
        self.board.leave(event)
        spoke = set(self.speaking)
        self._listen(event.at)
        leg = self.board.legs.get(event.uniqueid)
        if leg and leg.role == "citizen":
            self.left |= {id(self.talks[uniqueid]) for uniqueid in spoke - self.speaking}

    def _listen(self, moment: dt.datetime) -> None:
        """Begin and end talks by who can hear the citizen now."""
        heard = {
            uniqueid
            for citizen in self._citizens()
            for uniqueid in self.board.heard_by(citizen.uniqueid)
            if self.board.legs[uniqueid].role in _OURS
        }
        for uniqueid in sorted(self.speaking - heard):
            self._stop_talk(uniqueid, moment)
        for uniqueid in sorted(heard - self.speaking):
            self._start_talk(self.board.legs[uniqueid], moment)

    def _start_talk(self, leg: Leg, moment: dt.datetime) -> None:
        call, phone = self.call, leg.endpoint if leg.role == "operator" else None
        talk = self.gap_log.ended_by(phone, moment)
        if talk:
            self.goes_on(talk)
        else:
            outside = leg.uniqueid == self.id  # the phone that placed the call
            party, who = ("outside", call.callee or "") if outside else (leg.role, leg.who)
            call.talks.append(talk := TalkFacts(party, who, phone, moment))
        self.speaking.add(leg.uniqueid)
        self.talks[leg.uniqueid] = talk
        call.stage = "talk"
        self._leave_queue(moment, "answered")
        self._unhold("", moment)
        self.transfer_log.met(leg.who)

    def _stop_talk(self, uniqueid: str, moment: dt.datetime) -> None:
        self.speaking.discard(uniqueid)
        self.talks[uniqueid].ended_at = moment
        self._unhold(uniqueid, moment)
        if not self.speaking:
            self.call.stage = "transfer" if self.transfer_log.open else "rating"

    def hold(self, event: Event) -> None:
        if event.uniqueid in self.speaking:
            self.held.setdefault(event.uniqueid, event.at)

    def unhold(self, event: Event) -> None:
        self._unhold(event.uniqueid, event.at)

    def _unhold(self, key: str, moment: dt.datetime) -> None:
        if since := self.held.pop(key, None):
            self.call.holds.append((since, moment))

    # transfers

    def transfer(self, event: Event) -> None:
        transfer = self.transfer_log.announced(event)
        if transfer.kind == "attended":
            self.held[""] = event.at
        if self.call.talks and transfer.by:
            self.evidence.passed_on(self.call.talks[-1])
        if not self.speaking:
            self.call.stage = "transfer"

    def transfer_end(self, event: Event) -> None:
        self.transfer_log.ended(event)
        if not self.speaking:
            self.call.stage = "rating"

    def handed_over(self, event: Event) -> None:
        self.transfer_log.handed_over(event)
        # The caller may speak with the next one already.
        own = (talk for talk in reversed(self.call.talks) if talk.extension == event.endpoint)
        if talk := next(own, None):
            self.evidence.passed_on(talk)

    # the queue

    def callback(self, event: Event) -> None:
        self.evidence.callback = True
        self.call.callee = number(event.extra.get("number", "")) or self.call.caller
        self._leave_queue(event.at, "callback")

    @property
    def _visit(self) -> VisitFacts | None:
        return self.call.visits[-1] if self.call.visits else None

    def queue(self, event: Event) -> None:
        """The caller is about to be put into a queue."""
        facts, visit = event.extra, self._visit
        self.why = facts.get("why") or "first"
        self.call.language = facts.get("language") or self.call.language
        self.call.topic = facts.get("topic") or self.call.topic
        if visit and self.why in ("overflow", "returned") and visit.result in (None, "timed_out"):
            visit.left_at, visit.result = visit.left_at or event.at, "overflow"

    def application(self, event: Event) -> None:
        """Queue starts for the caller."""
        leg = self.board.legs.get(event.uniqueid)
        if event.fields["AppName"] == "Queue" and leg and leg.role != "operator":
            queue = event.fields["AppData"].partition(",")[0]
            self._unhold("", event.at)
            self.call.visits.append(VisitFacts(queue, event.at, why=self.why))
            self.call.stage, self.evidence.closed, self.why = "queue", False, "first"

    def queue_left(self, event: Event) -> None:
        status = event.extra.get("status", "")
        if status != "CONTINUE":
            self._leave_queue(event.at, _QUEUE_RESULTS.get(status, "timed_out"))

    def _leave_queue(self, moment: dt.datetime, result: str) -> None:
        visit = self._visit
        if visit and visit.left_at is None:
            visit.left_at, visit.result = moment, result

    # ends

    def hung_up(self, event: Event) -> None:
        """A channel is over; it knows who hung up."""
        leg = self.board.legs.get(event.uniqueid)
        if not leg:
            return
        leg.over, leg.bridge = True, None
        source = self._source(leg, event)
        side = self._side(source)
        self._vote(leg, side, event.at)
        if event.uniqueid in self.rings:
            self._ring_over(event)
        if second := self.transfer_log.second_call_of(event.uniqueid):
            self._second_call_over(second.phone, second.transfer.at, event.at)
            self.transfer_log.second_call_over(second)
        self._listen(event.at)
        if leg.uniqueid == self.id or leg.role == "citizen":
            self.gone |= leg.role == "citizen" and leg.answered and side == "caller"
            if source is leg and leg.uniqueid == self.id and side == "operator":
                self.gave_up = side
            self._maybe_over(event.at, "caller" if self.gone else self.gave_up or side)

    def _source(self, leg: Leg, event: Event) -> Leg | None:
        """Whose doing it was that a channel is over."""
        source = event.extra.get("hangupsource")
        if leg.is_e1 and source in ("", leg.channel):
            return leg if event.extra.get("hangupcause") in BY_A_PERSON else None
        return self.board.named(source or "")

    def _side(self, source: Leg | None) -> str:
        if not source:
            return "system"  # "": the other end fell silent
        if source.role == "citizen" or (
            self.call.direction == "internal" and source.uniqueid == self.id
        ):
            return "caller"
        return "operator" if source.role in _OURS else "system"

    def _may_be_told_better(self, talk: TalkFacts, side: str) -> bool:
        """Whether the citizen's channel, over a moment later, knows more than the operator's."""
        if side == "operator":
            return id(talk) in self.left
        return any(leg.is_e1 and not leg.over for leg in self._citizens())

    def _vote(self, leg: Leg, side: str, moment: dt.datetime) -> None:
        """The first to hang up after a talk tells who ended it."""
        for uniqueid, talk in self.talks.items():
            if not outcomes.same_moment(talk.ended_at, moment):
                continue
            if leg in self._citizens():
                self.evidence.ended(talk, side)
            elif leg.uniqueid == uniqueid and self._may_be_told_better(talk, side):
                self.evidence.likely_ended(talk, side)
            elif leg.uniqueid == uniqueid:
                self.evidence.ended(talk, side)

    def _ring_over(self, event: Event) -> None:
        ring = self.rings[event.uniqueid]
        if ring.ended_at is None:
            ring.ended_at = event.at
            cause = event.extra.get("hangupcause", "")
            ring.result = BUSY_CAUSES.get(cause, "no_answer" if cause in CLEARED else "failed")
            if self.call.stage == "ringing":
                self.call.stage = "queue"

    def _second_call_over(self, phone: str, since: dt.datetime, moment: dt.datetime) -> None:
        """While the phone was in its second call, the caller of its first was kept waiting."""
        for talk in self.call.talks:
            if talk.extension == phone and (talk.ended_at is None or talk.ended_at > since):
                begin, end = max(since, talk.started_at), min(moment, talk.ended_at or moment)
                self.call.holds.append((begin, end))

    def _maybe_over(self, moment: dt.datetime, side: str) -> None:
        """The call is over with the citizen's channel; one we placed, when our own is gone too."""
        own = [leg for leg in self.board.legs.values() if leg.uniqueid == self.id]
        if all(leg.over for leg in [*own, *self._citizens()]):
            self.evidence.side = side
            if self.gap_log.talk:
                self.evidence.ended(self.gap_log.talk, side)
            self._leave_queue(moment, "abandoned" if side == "caller" else "failed")
            for ring in self.rings.values():
                vain = ring.result in (None, "no_answer")
                if vain and outcomes.same_moment(ring.ended_at, moment, 1.0):
                    ring.ended_at, ring.result = ring.ended_at or moment, "cancelled"
            for uniqueid in sorted(self.speaking):
                self._stop_talk(uniqueid, moment)
            self._end(moment)

    def _end(self, moment: dt.datetime) -> None:
        self._unhold("", moment)
        self.gap_log.given_up(moment)
        self.call.ended_at, self.call.stage = max(moment, self.call.arrived_at), "ended"


HANDLERS: dict[str, Callable[[CallBuilder, Event], None]] = {
    "ANSWER": CallBuilder.answered,
    "APP_START": CallBuilder.application,
    "ARRIVED": CallBuilder.arrived,
    "ATTENDEDTRANSFER": CallBuilder.handed_over,
    "BRIDGE_ENTER": CallBuilder.bridge_entered,
    "BRIDGE_EXIT": CallBuilder.bridge_left,
    "CALLBACK": CallBuilder.callback,
    "CHAN_START": CallBuilder.channel_started,
    "CLOSED": CallBuilder.closed,
    "DIALLED": CallBuilder.dialled,
    "HANGUP": CallBuilder.hung_up,
    "GIVEN_UP": CallBuilder.given_up,
    "HOLD": CallBuilder.hold,
    "KEY": CallBuilder.key,
    "LANGUAGE": CallBuilder.language,
    "LOST": CallBuilder.lost,
    "OUTGOING": CallBuilder.outgoing,
    "QUEUE": CallBuilder.queue,
    "QUEUE_LEFT": CallBuilder.queue_left,
    "RATING": CallBuilder.rating,
    "RECORDING": CallBuilder.recording,
    "REFUSED": CallBuilder.refused,
    "RINGS": CallBuilder.rung,
    "SELF_SERVICE": CallBuilder.self_service,
    "SYNTHETIC": CallBuilder.synthetic,
    "TOPIC": CallBuilder.topic,
    "TRANSFER": CallBuilder.transfer,
    "TRANSFER_END": CallBuilder.transfer_end,
    "UNHOLD": CallBuilder.unhold,
}
