"""A citizen's call as the follower writes it down, step by step."""

import datetime as dt

from appliance.casework import appeals
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import FollowUp, User
from appliance.telephony import calls, followups
from appliance.telephony.calls import (
    CallFacts,
    DialFacts,
    RingFacts,
    TalkFacts,
    TransferFacts,
    VisitFacts,
)
from tests.rig.rules import RULES

PHONE = "+998935550147"


class Missed:
    """A citizen who gave up waiting, and an operator's call back to him."""

    def __init__(self, operator: User) -> None:
        at = clock.now() - dt.timedelta(hours=1)
        gave_up = CallFacts(
            id="1764000000.8",
            direction="inbound",
            arrived_at=at,
            ended_at=at + dt.timedelta(seconds=50),
            caller=PHONE,
            stage="ended",
            outcome="abandoned_queue",
        )
        with writing():
            calls.store(gave_up, RULES)
            followups.follow(at, PHONE)
        self.facts = CallFacts(
            id="1764000000.9",
            direction="outbound",
            arrived_at=clock.now() - dt.timedelta(seconds=30),
            callee=PHONE,
            by=operator.login,
            reason="follow_up",
            serves=str(FollowUp.get(FollowUp.number == PHONE).id),
            stage="dialling",
        )
        self._extension = operator.extension

    def is_rung(self) -> None:
        """The operator has taken up his phone, and the citizen's rings."""
        self._store()

    def talk(self) -> None:
        """The citizen picks up."""
        self.facts.talks.append(TalkFacts("outside", PHONE, self._extension, clock.now()))
        self.facts.stage = "talk"
        self._store()

    def end(self, outcome: str, cause: str | None = None) -> None:
        """It is over; `cause` as the network told it."""
        now = clock.now()
        for talk in self.facts.talks:
            talk.ended_at = now
        if outcome != "answered":
            self.facts.attempts.append(DialFacts("carrier", now, "CHANUNAVAIL", cause))
        self.facts.ended_at, self.facts.stage, self.facts.outcome = now, "ended", outcome
        self._store()

    def _store(self) -> None:
        with writing():
            calls.store(self.facts, RULES)
            followups.follow(clock.now(), PHONE)


class Citizen:
    """One call in Uzbek to the hotline; each method is what happens next."""

    def __init__(self, id: str, phone: str | None = PHONE, diverted: str | None = None) -> None:
        arrived = clock.now() - dt.timedelta(seconds=20)
        joined = arrived + dt.timedelta(seconds=6)
        self.facts = CallFacts(
            id=id,
            direction="inbound",
            arrived_at=arrived,
            hotline_number="1282",
            diverted_from=diverted,
            caller=phone,
            trunk="carrier",
            language="uz",
            menu=["1"],
            stage="queue",
            visits=[VisitFacts("uz", joined)],
        )
        self._store()

    def ring(self, operator: User) -> None:
        """The operator's phone begins to ring."""
        self._visit.rings.append(RingFacts(operator.login, operator.extension or "", clock.now()))
        self.facts.stage = "ringing"
        self._store()

    def ring_in_vain(self) -> None:
        """Nobody picks up, and the call goes on waiting."""
        self._ring.ended_at, self._ring.result = clock.now(), "no_answer"
        self.facts.stage = "queue"
        self._store()

    def talk(self) -> None:
        """The operator picks up, 14 seconds after the citizen joined the queue."""
        now = clock.now()
        self._visit.joined_at = now - dt.timedelta(seconds=14)
        self._ring.ended_at, self._ring.result = now, "answered"
        self._visit.left_at, self._visit.result = now, "answered"
        self.facts.talks.append(
            TalkFacts("operator", self._ring.operator, self._ring.extension, now)
        )
        self.facts.stage, self.facts.outcome = "talk", None
        self._store()

    def asks(self, number: str) -> None:
        """The operator asks an employee; the citizen hears music."""
        talk, now = self.facts.talks[-1], clock.now()
        talk.ended_at = now
        self.facts.transfers.append(TransferFacts("attended", number, talk.who, now))
        self.facts.stage = "transfer"
        self._store()

    def comes_back(self, result: str) -> None:
        """Nobody was reached by it: citizen and operator speak again."""
        last = self.facts.talks[-1]
        self.facts.transfers[-1].result, self.facts.transfers[-1].returned = result, True
        self.facts.talks.append(TalkFacts("operator", last.who, last.extension, clock.now()))
        self.facts.stage = "talk"
        self._store()

    def hang_up(self) -> None:
        """The citizen ends the call."""
        now = clock.now()
        self.facts.talks[-1].ended_at = self.facts.ended_at = now
        self.facts.stage, self.facts.outcome, self.facts.ended_by = "ended", "answered", "caller"
        self._store()

    @property
    def _visit(self) -> VisitFacts:
        return self.facts.visits[-1]

    @property
    def _ring(self) -> RingFacts:
        return self._visit.rings[-1]

    def _store(self) -> None:
        with writing():
            calls.store(self.facts, RULES)


def form_of_talk(operator: User, phone: str | None = PHONE, id: str = "1764000000.1") -> str:
    """The name of an operator's form, while a citizen speaks with him."""
    citizen = Citizen(id, phone)
    citizen.ring(operator)
    citizen.talk()
    desk = appeals.at_hand(operator, clock.now())
    assert desk
    return desk.token
