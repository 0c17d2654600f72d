"""A citizen's call as the follower writes it down, step by step."""

import datetime as dt

from appliance import calls, clock
from appliance.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.db import writing
from appliance.models import User

PHONE = "+998935550147"


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
            calls.store(self.facts, 5.0)
