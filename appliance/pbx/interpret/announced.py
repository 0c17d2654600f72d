"""What our dialplan says of a call in records of its own (CELGenUserEvent)."""

from appliance import identity
from appliance.calls import CallFacts, DialFacts, RecordingFacts
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.endings import Signs
from appliance.pbx.interpret.handing import Handing
from appliance.pbx.interpret.switchboard import Switchboard


class Announced:
    """Takes in those facts; the story of the call goes on from here."""

    id: str
    board: Switchboard
    call: CallFacts
    handing: Handing
    signs: Signs

    def arrived(self, event: Event) -> None:
        facts, call = event.extra, self.call
        call.hotline_number = facts.get("dialled") or call.hotline_number
        call.diverted_from = facts.get("diverted") or None
        call.caller = number(facts.get("caller", ""))
        call.trunk = facts.get("trunk") or call.trunk
        call.sip = facts.get("sip") or None

    def outgoing(self, event: Event) -> None:
        facts, call = event.extra, self.call
        called = number(facts.get("number", "")) or ""
        if event.linkedid != self.id:
            self.handing.dialled(event.linkedid, called)
            return
        call.callee, call.caller = called, number(facts.get("shown", ""))
        call.by, call.reason = facts.get("by") or None, facts.get("reason") or None
        call.serves = facts.get("for") or None

    def dialled(self, event: Event) -> None:
        facts = event.extra
        status, trunk = facts.get("status", ""), facts.get("trunk", "")
        attempt = DialFacts(trunk, event.at, status, facts.get("cause") or None)
        if status != "ANSWER":  # written down when it was answered
            self.call.attempts.append(attempt)
        self.handing.tried(event.linkedid, status)
        if self.call.direction == "outbound" and event.linkedid == self.id:
            self.call.trunk = attempt.trunk
            self.call.technology = facts.get("technology") or self.call.technology
            self.signs.dialled = status

    def rung(self, event: Event) -> None:
        self.handing.rings(number(event.extra.get("number", "")) or "")

    def key(self, event: Event) -> None:
        self.call.menu.append(event.extra.get("key", ""))
        self.signs.closed = False

    def language(self, event: Event) -> None:
        self.call.language = event.extra.get("language")

    def topic(self, event: Event) -> None:
        self.call.topic = event.extra.get("topic") or None

    def refused(self, event: Event) -> None:
        self.signs.refused = True

    def closed(self, event: Event) -> None:
        self.signs.closed = True

    def self_service(self, event: Event) -> None:
        self.signs.closed = False
        self.signs.told = self.signs.told or event.extra.get("result") == "told"

    def synthetic(self, event: Event) -> None:
        self.call.synthetic = True

    def recording(self, event: Event) -> None:
        # By the channel: of calls that become one Asterisk keeps the older id, which is the second
        # call's when the clock was set back in between.
        leg = self.board.legs.get(event.uniqueid)
        aside = (leg or event).linkedid in self.handing.consultations
        self.call.recordings.append(RecordingFacts(event.extra["file"], event.at, aside))

    def rating(self, event: Event) -> None:
        self.call.rating = int(event.extra["mark"])
        self.call.rating_channel = "keypad"


def number(text: str) -> str | None:
    """A caller's number as +998…, as it came when it is no such number, None when hidden."""
    return (identity.phone(text) or text) or None
