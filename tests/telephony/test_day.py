"""An operator's day equals a count second by second that shares no code with it."""

import datetime as dt
import random
from collections import Counter

import pytest

from appliance.core.db import write_transaction
from appliance.models import Presence
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.telephony.calls.day import operator_day
from tests.rig.rules import RULES

DAY_START = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)
DAY_SECONDS, WRAP_UP_SECONDS = 3000, 20
STATES = [("ready", ""), ("ready", ""), ("pause", "lunch"), ("pause", ""), ("back_office", "")]


def day_time(second: int) -> dt.datetime:
    return DAY_START + dt.timedelta(seconds=second)


@pytest.mark.parametrize("seed", range(8))
def test_a_day_equals_the_naive_count(nilufar, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    state_changes = {0: ("ready", "")} | {
        rng.randrange(DAY_SECONDS): rng.choice(STATES) for _ in range(12)
    }
    for second, (state, reason) in state_changes.items():
        Presence.create(user=nilufar, state=state, reason=reason, since=day_time(second))
    talks, marks, missed, second = [], [], 0, 5
    while second < DAY_SECONDS - 130:
        length, placed = rng.randrange(5, 120), rng.random() < 0.3
        facts = CallFacts(
            f"1764.{second}", "outbound" if placed else "inbound", day_time(second - 1)
        )
        who = "+998935550147" if placed else "nilufar"
        party = "outside" if placed else "operator"
        facts.by = "nilufar" if placed else None
        facts.talks = [TalkFacts(party, who, "1001", day_time(second), day_time(second + length))]
        if not placed:
            is_unanswered = rng.random() < 0.3
            missed += is_unanswered
            result = "no_answer" if is_unanswered else "answered"
            ring = RingFacts("nilufar", "1001", day_time(second - 1), day_time(second), result)
            facts.visits = [
                VisitFacts("uz", day_time(second - 1), day_time(second), "answered", rings=[ring])
            ]
            facts.rating = rng.choice([None, 3, 5])
            marks += [facts.rating] if facts.rating else []
        facts.outcome, facts.ended_at = "answered", day_time(second + length)
        with write_transaction():
            calls.store_call(facts, RULES)
        talks.append((second, second + length, placed))
        second += length + rng.choice([0, 3, 19, 20, 21, 60])

    def is_talking(moment: int) -> bool:
        return any(begin <= moment < end for begin, end, _ in talks)

    seconds_by_state: Counter[str] = Counter()
    state, wrap_up_left = ("off", ""), 0
    for moment in range(DAY_SECONDS):
        ended = [placed for _, end, placed in talks if end == moment]
        state = state_changes.get(moment, state)
        wrap_up_left = 0 if moment in state_changes or is_talking(moment) else wrap_up_left
        if False in ended and not is_talking(moment) and state[0] == "ready":
            wrap_up_left = WRAP_UP_SECONDS
        if wrap_up_left:
            wrap_up_left -= 1
            seconds_by_state["wrap_up"] += 1
        seconds_by_state[f"{state[0]}:{state[1]}"] += 1

    day = operator_day(nilufar, DAY_START, day_time(DAY_SECONDS), lambda moment: WRAP_UP_SECONDS)
    inbound_talks = [(begin, end) for begin, end, placed in talks if not placed]
    assert day.answered == day.talks == len(inbound_talks)
    assert day.talk_seconds == sum(end - begin for begin, end in inbound_talks)
    assert day.wrap_up_seconds == seconds_by_state["wrap_up"] > 0
    assert day.back_office_seconds == seconds_by_state["back_office:"]
    assert day.pauses == {
        code: seconds for code in ("lunch", "") if (seconds := seconds_by_state[f"pause:{code}"])
    }
    assert day.missed_rings == missed
    assert sorted(day.ratings) == sorted(marks)
