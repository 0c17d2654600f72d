"""Calls of a day, inserted into the ledger."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.core import clock, db
from appliance.core.db import write_transaction
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts, TalkFacts, VisitFacts
from tests.rig.rules import RULES

CITIZEN_NUMBER = "+998901112233"


@pytest.fixture(autouse=True)
def database(tmp_path: Path, migrated: Path) -> Iterator[None]:
    shutil.copy(migrated, tmp_path / "site.db")
    with db.open_database(tmp_path / "site.db").connection_context():
        yield


@pytest.fixture
def add_ended_call() -> Callable[..., CallFacts]:
    """Return a function that stores a call which ended `ago` minutes ago and updates its tasks."""

    def store_call(
        ago: float, outcome: str, *, number: str = CITIZEN_NUMBER, **fields: object
    ) -> CallFacts:
        end = clock.now() - dt.timedelta(minutes=ago)
        begin = end - dt.timedelta(seconds=50)
        facts = CallFacts(
            id=f"hotline-{begin.timestamp():.6f}",
            direction=str(fields.pop("direction", "inbound")),
            arrived_at=begin,
            ended_at=end,
            outcome=outcome,
            stage="ended",
            language=str(fields.pop("language", "uz")),
        )
        is_outbound = facts.direction == "outbound"
        facts.caller, facts.callee = ("+998712000000", number) if is_outbound else (number, None)
        if outcome in ("abandoned_queue", "callback", "timed_out"):
            facts.visits = [VisitFacts("uz", begin + dt.timedelta(seconds=9), end, "abandoned")]
        if outcome == "answered":
            spoke = begin + dt.timedelta(seconds=20)
            facts.talks = [TalkFacts("operator", "op01", "1001", spoke, end)]
        for name, value in fields.items():
            setattr(facts, name, value)
        with write_transaction():
            calls.store_call(facts, RULES)
            followups.update_tasks(facts.arrived_at, facts.caller, facts.callee)
        return facts

    return store_call
