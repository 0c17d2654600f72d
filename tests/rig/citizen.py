"""A citizen's call as the log follower stores it, step by step."""

import datetime as dt

from appliance.casework.appeals.desk import current_desk
from appliance.core import clock
from appliance.core.db import write_transaction
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

CITIZEN_NUMBER = "+998935550147"


class MissedCaller:
    """A citizen who stopped waiting, and an operator's call back to them."""

    def __init__(self, operator: User) -> None:
        at = clock.now() - dt.timedelta(hours=1)
        gave_up = CallFacts(
            id="1764000000.8",
            direction="inbound",
            arrived_at=at,
            ended_at=at + dt.timedelta(seconds=50),
            caller=CITIZEN_NUMBER,
            stage="ended",
            outcome="abandoned_queue",
        )
        with write_transaction():
            calls.store_call(gave_up, RULES)
            followups.update_tasks(at, CITIZEN_NUMBER)
        self.facts = CallFacts(
            id="1764000000.9",
            direction="outbound",
            arrived_at=clock.now() - dt.timedelta(seconds=30),
            callee=CITIZEN_NUMBER,
            by=operator.login,
            reason="follow_up",
            serves=str(FollowUp.get(FollowUp.number == CITIZEN_NUMBER).id),
            stage="dialling",
        )
        self._extension = operator.extension

    def start_ringing(self) -> None:
        """The operator has picked up, and the citizen's phone rings."""
        self._store_callback()

    def answer_call(self) -> None:
        """The citizen picks up."""
        self.facts.talks.append(TalkFacts("outside", CITIZEN_NUMBER, self._extension, clock.now()))
        self.facts.stage = "talk"
        self._store_callback()

    def end_call(self, outcome: str, cause: str | None = None) -> None:
        """The call ends; `cause` is the one that the network reported."""
        now = clock.now()
        for talk in self.facts.talks:
            talk.ended_at = now
        if outcome != "answered":
            self.facts.attempts.append(DialFacts("carrier", now, "CHANUNAVAIL", cause))
        self.facts.ended_at, self.facts.stage, self.facts.outcome = now, "ended", outcome
        self._store_callback()

    def _store_callback(self) -> None:
        with write_transaction():
            calls.store_call(self.facts, RULES)
            followups.update_tasks(clock.now(), CITIZEN_NUMBER)


class Citizen:
    """One call in Uzbek to the hotline; each method is the next step of it."""

    def __init__(
        self, id: str, phone: str | None = CITIZEN_NUMBER, diverted: str | None = None
    ) -> None:
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
        self._store_call()

    def ring_operator(self, operator: User) -> None:
        """The operator's phone begins to ring."""
        self._last_visit.rings.append(
            RingFacts(operator.login, operator.extension or "", clock.now())
        )
        self.facts.stage = "ringing"
        self._store_call()

    def miss_ring(self) -> None:
        """Nobody picks up, and the call continues to wait."""
        self._last_ring.ended_at, self._last_ring.result = clock.now(), "no_answer"
        self.facts.stage = "queue"
        self._store_call()

    def start_talk(self) -> None:
        """The operator picks up, 14 seconds after the citizen joined the queue."""
        now = clock.now()
        self._last_visit.joined_at = now - dt.timedelta(seconds=14)
        self._last_ring.ended_at, self._last_ring.result = now, "answered"
        self._last_visit.left_at, self._last_visit.result = now, "answered"
        self.facts.talks.append(
            TalkFacts("operator", self._last_ring.operator, self._last_ring.extension, now)
        )
        self.facts.stage, self.facts.outcome = "talk", None
        self._store_call()

    def start_transfer(self, number: str) -> None:
        """The operator consults an employee at `number` while the citizen listens to music."""
        talk, now = self.facts.talks[-1], clock.now()
        talk.ended_at = now
        self.facts.transfers.append(TransferFacts("attended", number, talk.who, now))
        self.facts.stage = "transfer"
        self._store_call()

    def return_from_transfer(self, result: str) -> None:
        """The transfer reached nobody: citizen and operator speak again."""
        last_talk = self.facts.talks[-1]
        self.facts.transfers[-1].result, self.facts.transfers[-1].returned = result, True
        self.facts.talks.append(
            TalkFacts("operator", last_talk.who, last_talk.extension, clock.now())
        )
        self.facts.stage = "talk"
        self._store_call()

    def hang_up(self) -> None:
        """The citizen ends the call."""
        now = clock.now()
        self.facts.talks[-1].ended_at = self.facts.ended_at = now
        self.facts.stage, self.facts.outcome, self.facts.ended_by = "ended", "answered", "caller"
        self._store_call()

    @property
    def _last_visit(self) -> VisitFacts:
        return self.facts.visits[-1]

    @property
    def _last_ring(self) -> RingFacts:
        return self._last_visit.rings[-1]

    def _store_call(self) -> None:
        with write_transaction():
            calls.store_call(self.facts, RULES)


def form_token_in_talk(
    operator: User, phone: str | None = CITIZEN_NUMBER, id: str = "1764000000.1"
) -> str:
    """The token of an operator's form while a citizen speaks with them."""
    citizen = Citizen(id, phone)
    citizen.ring_operator(operator)
    citizen.start_talk()
    desk = current_desk(operator, clock.now())
    assert desk
    return desk.token
