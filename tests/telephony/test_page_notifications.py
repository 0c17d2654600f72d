"""Operators' pages that are notified of a call: those in it, and those whose part has changed."""

import datetime as dt

from appliance.core import live
from appliance.core.db import write_transaction
from appliance.core.live import LiveEvent
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, TransferFacts, VisitFacts
from tests.rig.rules import RULES

STARTED_AT = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)


def call_time(second: int) -> dt.datetime:
    return STARTED_AT + dt.timedelta(seconds=second)


def published_topics(facts: CallFacts) -> list[str]:
    """Store the call and return the topics that it publishes."""
    before = live.newest_event_id()
    with write_transaction():
        calls.store_call(facts, RULES)
    rows = LiveEvent.select().where(LiveEvent.id > before).order_by(LiveEvent.id)
    return [row.topic for row in rows]


def test_an_operators_page_is_notified_during_the_call_and_of_changes_to_their_part(
    nilufar, sardor
) -> None:
    visit = VisitFacts("uz", call_time(2))
    facts = CallFacts("1764.1", "inbound", call_time(0), visits=[visit])
    assert published_topics(facts) == ["calls"]
    visit.rings = [RingFacts("sardor", "1002", call_time(3))]
    assert published_topics(facts) == ["calls", "call:sardor"]
    visit.rings[0].ended_at, visit.rings[0].result = call_time(9), "no_answer"
    visit.rings.append(RingFacts("nilufar", "1001", call_time(9)))
    assert published_topics(facts) == ["calls", "call:nilufar", "call:sardor"]
    visit.rings[1].ended_at, visit.rings[1].result = call_time(12), "answered"
    facts.talks = [TalkFacts("operator", "nilufar", "1001", call_time(12))]
    assert published_topics(facts) == ["calls", "call:nilufar"]
    facts.holds = [(call_time(20), None)]
    assert published_topics(facts) == ["calls", "call:nilufar"]
    facts.talks[0].ended_at = call_time(40)
    assert published_topics(facts) == ["calls", "call:nilufar"]
    facts.ended_at, facts.outcome, facts.ended_by = call_time(55), "answered", "caller"
    assert published_topics(facts) == ["calls"]
    facts.rating = 5
    assert published_topics(facts) == ["calls", "call:nilufar", "call:sardor"]
    assert published_topics(facts) == ["calls"]


def test_the_result_of_a_transfer_is_published_to_the_operator_who_made_it(nilufar) -> None:
    talk = TalkFacts("operator", "nilufar", "1001", call_time(2), call_time(30))
    facts = CallFacts("1764.2", "inbound", call_time(0), talks=[talk])
    facts.transfers = [TransferFacts("attended", "+998712000001", "nilufar", call_time(20))]
    assert published_topics(facts) == ["calls", "call:nilufar"]
    assert published_topics(facts) == ["calls", "call:nilufar"]  # the operator is still consulting
    facts.transfers[0].result = "answered"
    assert published_topics(facts) == ["calls", "call:nilufar"]
    assert published_topics(facts) == ["calls"]
    facts.transfers[0].returned = True
    assert published_topics(facts) == ["calls", "call:nilufar"]


def test_the_operator_who_placed_a_call_is_notified_of_all_changes(nilufar) -> None:
    facts = CallFacts("1764.3", "outbound", call_time(0), by="nilufar", reason="page")
    assert published_topics(facts) == ["calls", "call:nilufar"]
    facts.ended_at = call_time(9)
    assert published_topics(facts) == ["calls", "call:nilufar"]


def test_an_operator_removed_from_a_call_is_notified(nilufar) -> None:
    facts = CallFacts("1764.4", "inbound", call_time(0), visits=[VisitFacts("uz", call_time(2))])
    facts.visits[0].rings = [RingFacts("nilufar", "1001", call_time(3))]
    assert published_topics(facts) == ["calls", "call:nilufar"]
    facts.visits[0].rings = []
    assert published_topics(facts) == ["calls", "call:nilufar"]
