"""Whose page is told of a call: who is in it, and of whose part something else is known now."""

import datetime as dt

from appliance.core import live
from appliance.core.db import writing
from appliance.core.live import LiveEvent
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, TransferFacts, VisitFacts
from tests.rig.rules import RULES

BEGIN = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)


def at(second: int) -> dt.datetime:
    return BEGIN + dt.timedelta(seconds=second)


def told(facts: CallFacts) -> list[str]:
    """Write the call down; the topics that are published by it."""
    before = live.newest()
    with writing():
        calls.store(facts, RULES)
    rows = LiveEvent.select().where(LiveEvent.id > before).order_by(LiveEvent.id)
    return [row.topic for row in rows]


def test_an_operators_page_is_told_while_he_is_in_a_call_and_of_his_part(nilufar, sardor) -> None:
    visit = VisitFacts("uz", at(2))
    facts = CallFacts("1764.1", "inbound", at(0), visits=[visit])
    assert told(facts) == ["calls"]
    visit.rings = [RingFacts("sardor", "1002", at(3))]
    assert told(facts) == ["calls", "call:sardor"]
    visit.rings[0].ended_at, visit.rings[0].result = at(9), "no_answer"
    visit.rings.append(RingFacts("nilufar", "1001", at(9)))
    assert told(facts) == ["calls", "call:nilufar", "call:sardor"]
    visit.rings[1].ended_at, visit.rings[1].result = at(12), "answered"
    facts.talks = [TalkFacts("operator", "nilufar", "1001", at(12))]
    assert told(facts) == ["calls", "call:nilufar"]
    facts.holds = [(at(20), None)]
    assert told(facts) == ["calls", "call:nilufar"]
    facts.talks[0].ended_at = at(40)
    assert told(facts) == ["calls", "call:nilufar"]
    facts.ended_at, facts.outcome, facts.ended_by = at(55), "answered", "caller"
    assert told(facts) == ["calls"]
    facts.rating = 5
    assert told(facts) == ["calls", "call:nilufar", "call:sardor"]
    assert told(facts) == ["calls"]


def test_what_becomes_of_a_transfer_is_told_to_who_made_it(nilufar) -> None:
    talk = TalkFacts("operator", "nilufar", "1001", at(2), at(30))
    facts = CallFacts("1764.2", "inbound", at(0), talks=[talk])
    facts.transfers = [TransferFacts("attended", "+998712000001", "nilufar", at(20))]
    assert told(facts) == ["calls", "call:nilufar"]
    assert told(facts) == ["calls", "call:nilufar"]  # he asks somebody still
    facts.transfers[0].result = "answered"
    assert told(facts) == ["calls", "call:nilufar"]
    assert told(facts) == ["calls"]
    facts.transfers[0].returned = True
    assert told(facts) == ["calls", "call:nilufar"]


def test_who_placed_a_call_is_told_all_of_it(nilufar) -> None:
    facts = CallFacts("1764.3", "outbound", at(0), by="nilufar", reason="page")
    assert told(facts) == ["calls", "call:nilufar"]
    facts.ended_at = at(9)
    assert told(facts) == ["calls", "call:nilufar"]


def test_who_turns_out_to_have_had_no_part_is_told_so(nilufar) -> None:
    facts = CallFacts("1764.4", "inbound", at(0), visits=[VisitFacts("uz", at(2))])
    facts.visits[0].rings = [RingFacts("nilufar", "1001", at(3))]
    assert told(facts) == ["calls", "call:nilufar"]
    facts.visits[0].rings = []
    assert told(facts) == ["calls", "call:nilufar"]
