"""From the event log's records of one call to what the ledger says of it. Pure."""

import datetime as dt
from collections.abc import Iterable

from appliance import identity
from appliance.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.pbx.eventlog import Event

# Causes with which a phone that rang tells why nobody answered (ITU-T Q.850).
_RING_RESULTS = {"17": "busy", "21": "rejected"}
_CLEARED = {"0", "16", "19", "26", "127"}


def interpret(events: Iterable[Event], cut: dt.datetime | None = None) -> CallFacts | None:
    """The call that these records, all of one linkedid, tell of; None when they tell of none.

    `cut`: Asterisk died at that moment; a call that has no end in the log ended there, by fault.
    """
    ordered = sorted(events, key=lambda event: event.order)
    if not ordered:
        return None
    first = next((e for e in ordered if e.uniqueid == e.linkedid and e.type == "CHAN_START"), None)
    direction = {"from-trunk": "inbound", "from-operator": "internal"}.get(
        first.fields["Context"] if first else ""
    )
    if not first or not direction:
        return None
    story = _Story(first, direction)
    for event in ordered:
        story.tell(event)
    if story.call.ended_at is None and cut and cut >= first.at:
        story.cut(max(cut, ordered[-1].at))
    return story.call


class _Story:
    """A call as far as its records have been read."""

    def __init__(self, first: Event, direction: str) -> None:
        self.id = first.linkedid
        self.channel = first.channel
        self.call = CallFacts(
            id=self.id,
            direction=direction,
            arrived_at=first.at,
            hotline_number=first.fields["Exten"] or None,
            caller=_number(first.fields["Num"]),
            trunk=first.endpoint if direction == "inbound" else None,
            stage="menu",
        )
        self.rings: dict[str, RingFacts] = {}  # by the phone's uniqueid
        self.talks: dict[str, TalkFacts] = {}
        self.bridges: dict[str, str] = {}  # uniqueid → bridge it is in

    def tell(self, event: Event) -> None:
        """Take in one record."""
        handler = _HANDLERS.get(event.type)
        if handler:
            handler(self, event)

    def cut(self, moment: dt.datetime) -> None:
        """End everything at the moment at which Asterisk died."""
        call = self.call
        for ring in self.rings.values():
            if ring.ended_at is None:
                ring.ended_at, ring.result = moment, "failed"
        self._leave_queue(moment, "failed")
        for talk in self.talks.values():
            talk.ended_at = talk.ended_at or moment
        call.ended_at, call.ended_by, call.stage = moment, "system", "ended"
        call.outcome = "answered" if call.talks else "failed"

    def _is_caller(self, event: Event) -> bool:
        return event.uniqueid == self.id

    @property
    def _visit(self) -> VisitFacts | None:
        return self.call.visits[-1] if self.call.visits else None

    def _leave_queue(self, moment: dt.datetime, result: str) -> None:
        visit = self._visit
        if visit and visit.left_at is None:
            visit.left_at, visit.result = moment, result

    def arrived(self, event: Event) -> None:
        facts, call = event.extra, self.call
        call.hotline_number = facts.get("dialled") or call.hotline_number
        call.diverted_from = facts.get("diverted") or None
        call.caller = _number(facts.get("caller", ""))
        call.trunk = facts.get("trunk") or call.trunk

    def key(self, event: Event) -> None:
        self.call.menu.append(event.extra.get("key", ""))

    def language(self, event: Event) -> None:
        self.call.language = event.extra.get("language")

    def recording(self, event: Event) -> None:
        self.call.recordings.append(event.extra["file"])

    def rating(self, event: Event) -> None:
        self.call.rating = int(event.extra["mark"])
        self.call.rating_channel = "keypad"

    def application(self, event: Event) -> None:
        """Queue starts for the caller."""
        if event.fields["AppName"] == "Queue" and self._is_caller(event):
            queue = event.fields["AppData"].partition(",")[0]
            self.call.visits.append(VisitFacts(queue, event.at))
            self.call.stage = "queue"

    def channel_started(self, event: Event) -> None:
        """A phone begins to ring for the caller in the queue."""
        visit = self._visit
        if self._is_caller(event) or not visit or not event.channel.startswith("PJSIP/"):
            return
        login = event.fields["AccountCode"] or event.endpoint
        self.rings[event.uniqueid] = ring = RingFacts(login, event.endpoint, event.at)
        visit.rings.append(ring)
        self.call.stage = "ringing"

    def answered(self, event: Event) -> None:
        ring = self.rings.get(event.uniqueid)
        if ring and ring.ended_at is None:
            ring.ended_at, ring.result = event.at, "answered"

    def bridge_entered(self, event: Event) -> None:
        self.bridges[event.uniqueid] = event.extra.get("bridge_id", "")
        here = self.bridges.get(self.id)
        for uniqueid, bridge in self.bridges.items():
            ring = self.rings.get(uniqueid)
            if ring and here == bridge and uniqueid not in self.talks:
                talk = TalkFacts("operator", ring.operator, ring.extension, event.at)
                self.talks[uniqueid] = talk
                self.call.talks.append(talk)
                self._leave_queue(event.at, "answered")
                self.call.stage = "talk"

    def bridge_left(self, event: Event) -> None:
        self.bridges.pop(event.uniqueid, None)
        for uniqueid, talk in self.talks.items():
            if talk.ended_at is None and event.uniqueid in (uniqueid, self.id):
                talk.ended_at = event.at
                self.call.stage = "rating"

    def queue_left(self, event: Event) -> None:
        if event.extra.get("status") != "CONTINUE":
            self._leave_queue(event.at, "timed_out")

    def hung_up(self, event: Event) -> None:
        if self._is_caller(event):
            self.caller_gone(event)
        elif event.uniqueid in self.rings:
            self.phone_gone(event)

    def phone_gone(self, event: Event) -> None:
        """A phone stops ringing, or its talk is over; it knows who hung up."""
        facts, ring, talk = event.extra, self.rings[event.uniqueid], self.talks.get(event.uniqueid)
        if ring.ended_at is None:
            ring.ended_at = event.at
            cause = facts.get("hangupcause", "")
            ring.result = _RING_RESULTS.get(cause, "no_answer" if cause in _CLEARED else "failed")
            if self.call.stage == "ringing":
                self.call.stage = "queue"
        if talk:
            talk.ended_at = talk.ended_at or event.at
            source = facts.get("hangupsource", "")
            ended = {self.channel: "caller", event.channel: "operator"}
            self.call.ended_by = ended.get(source, "system")  # "": the phone fell silent

    def caller_gone(self, event: Event) -> None:
        """The call is over."""
        facts, call = event.extra, self.call
        call.ended_at, call.stage = event.at, "ended"
        by_caller = facts.get("hangupsource") == self.channel
        self._leave_queue(event.at, "abandoned" if by_caller else "failed")
        for ring in self.rings.values():
            if ring.result in (None, "no_answer") and _same_moment(ring.ended_at, event.at):
                ring.ended_at, ring.result = ring.ended_at or event.at, "cancelled"
        for talk in call.talks:
            talk.ended_at = talk.ended_at or event.at
        if not call.talks:
            call.ended_by = "caller" if by_caller else "system"
        call.outcome = self._outcome(by_caller)

    def _outcome(self, by_caller: bool) -> str:
        if self.call.talks:
            return "answered"
        visit = self._visit
        if visit and visit.result == "timed_out":
            return "timed_out"
        if not by_caller:
            return "failed"
        return "abandoned_queue" if visit else "abandoned_menu"


_HANDLERS = {
    "ARRIVED": _Story.arrived,
    "KEY": _Story.key,
    "LANGUAGE": _Story.language,
    "RECORDING": _Story.recording,
    "RATING": _Story.rating,
    "QUEUE_LEFT": _Story.queue_left,
    "APP_START": _Story.application,
    "CHAN_START": _Story.channel_started,
    "ANSWER": _Story.answered,
    "BRIDGE_ENTER": _Story.bridge_entered,
    "BRIDGE_EXIT": _Story.bridge_left,
    "HANGUP": _Story.hung_up,
}


def _number(text: str) -> str | None:
    """A caller's number as +998…, as it came when it is no such number, None when hidden."""
    return (identity.phone(text) or text) or None


def _same_moment(ended: dt.datetime | None, moment: dt.datetime) -> bool:
    """Whether a phone stopped ringing because the caller left."""
    return ended is None or abs(moment - ended) < dt.timedelta(seconds=1)
