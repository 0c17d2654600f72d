"""What our dialplan says of a call in records of its own (CELGenUserEvent)."""

from appliance.core import phone_numbers
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.gaps import GapLog
from appliance.pbx.interpret.outcomes import Evidence
from appliance.pbx.interpret.switchboard import Switchboard
from appliance.pbx.interpret.transfers import TransferLog
from appliance.telephony.calls import CallFacts, DialFacts, RecordingFacts, TalkFacts


class UserEvents:
    """Takes in those facts; a call is built on from here."""

    id: str
    board: Switchboard
    call: CallFacts
    transfer_log: TransferLog
    gap_log: GapLog
    evidence: Evidence
    talks: dict[str, TalkFacts]
    left: set[int]

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
            self.transfer_log.dialled(event.linkedid, called)
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
        self.transfer_log.tried(event.linkedid, status)
        if self.call.direction == "outbound" and event.linkedid == self.id:
            self.call.trunk = attempt.trunk
            self.call.technology = facts.get("technology") or self.call.technology
            self.evidence.dialled = status

    def rung(self, event: Event) -> None:
        self.transfer_log.rings(number(event.extra.get("number", "")) or "")

    def key(self, event: Event) -> None:
        self.call.menu.append(event.extra.get("key", ""))
        self.evidence.closed = False

    def language(self, event: Event) -> None:
        self.call.language = event.extra.get("language")

    def topic(self, event: Event) -> None:
        self.call.topic = event.extra.get("topic") or None

    def refused(self, event: Event) -> None:
        self.evidence.refused = True

    def closed(self, event: Event) -> None:
        self.evidence.closed = True

    def self_service(self, event: Event) -> None:
        self.evidence.closed = False
        self.evidence.served = self.evidence.served or event.extra.get("result") == "told"

    def synthetic(self, event: Event) -> None:
        self.call.synthetic = True

    def recording(self, event: Event) -> None:
        # By the channel: of calls that become one Asterisk keeps the older id, which is the second
        # call's when the clock was set back in between.
        leg = self.board.legs.get(event.uniqueid)
        aside = (leg or event).linkedid in self.transfer_log.consultations
        self.call.recordings.append(RecordingFacts(event.extra["file"], event.at, aside))

    def lost(self, event: Event) -> None:
        """The operator's page is gone, and the caller is kept for it."""
        phone = event.extra.get("extension", "")
        ended = [talk for talk in self.call.talks if talk.extension == phone and talk.ended_at]
        if ended:
            self.gap_log.opened(ended[-1], event.at)
            self.goes_on(ended[-1])
            self.call.stage = "talk"

    def given_up(self, event: Event) -> None:
        """It did not come back in time."""
        self.gap_log.given_up(event.at)

    def goes_on(self, talk: TalkFacts) -> None:
        """What the lost phone's channel tells of the talk's end is void."""
        self.evidence.goes_on(talk)
        self.left.discard(id(talk))
        self.talks = {leg: other for leg, other in self.talks.items() if other is not talk}

    def rating(self, event: Event) -> None:
        self.call.rating = int(event.extra["mark"])
        self.call.rating_channel = "keypad"


def number(text: str) -> str | None:
    """A caller's number as +998…, as it came when it is no such number, None when hidden."""
    return (phone_numbers.canonical(text) or text) or None
