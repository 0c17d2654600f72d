"""An operator's day equals a count that walks it second by second and shares no code with it."""

import datetime as dt
import random
from collections import Counter

import pytest

from appliance.core.db import writing
from appliance.models import Presence
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.telephony.calls.day import day_of_operator
from tests.rig.rules import RULES

BEGIN = dt.datetime(2026, 11, 18, 3, tzinfo=dt.UTC)
LASTS, WRAP_UP = 3000, 20  # seconds
STATES = [("ready", ""), ("ready", ""), ("pause", "lunch"), ("pause", ""), ("back_office", "")]


def at(second: int) -> dt.datetime:
    return BEGIN + dt.timedelta(seconds=second)


@pytest.mark.parametrize("seed", range(8))
def test_a_day_equals_the_naive_count(nilufar, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    chosen = {0: ("ready", "")} | {rng.randrange(LASTS): rng.choice(STATES) for _ in range(12)}
    for second, (state, reason) in chosen.items():
        Presence.create(user=nilufar, state=state, reason=reason, since=at(second))
    talks, marks, missed, second = [], [], 0, 5
    while second < LASTS - 130:
        length, placed = rng.randrange(5, 120), rng.random() < 0.3
        facts = CallFacts(f"1764.{second}", "outbound" if placed else "inbound", at(second - 1))
        who = "+998935550147" if placed else "nilufar"
        party = "outside" if placed else "operator"
        facts.by = "nilufar" if placed else None
        facts.talks = [TalkFacts(party, who, "1001", at(second), at(second + length))]
        if not placed:
            vain = rng.random() < 0.3
            missed += vain
            result = "no_answer" if vain else "answered"
            ring = RingFacts("nilufar", "1001", at(second - 1), at(second), result)
            facts.visits = [VisitFacts("uz", at(second - 1), at(second), "answered", rings=[ring])]
            facts.rating = rng.choice([None, 3, 5])
            marks += [facts.rating] if facts.rating else []
        facts.outcome, facts.ended_at = "answered", at(second + length)
        with writing():
            calls.store(facts, RULES)
        talks.append((second, second + length, placed))
        second += length + rng.choice([0, 3, 19, 20, 21, 60])

    def speaks(moment: int) -> bool:
        return any(begin <= moment < end for begin, end, _ in talks)

    spent: Counter[str] = Counter()
    state, rests = ("off", ""), 0
    for moment in range(LASTS):
        ended = [placed for _, end, placed in talks if end == moment]
        state = chosen.get(moment, state)
        rests = 0 if moment in chosen or speaks(moment) else rests
        if False in ended and not speaks(moment) and state[0] == "ready":
            rests = WRAP_UP
        if rests:
            rests -= 1
            spent["wrap_up"] += 1
        spent[f"{state[0]}:{state[1]}"] += 1

    day = day_of_operator(nilufar, BEGIN, at(LASTS), lambda moment: WRAP_UP)
    own = [(begin, end) for begin, end, placed in talks if not placed]
    assert day.answered == day.talks == len(own)
    assert day.talk_seconds == sum(end - begin for begin, end in own)
    assert day.wrap_up_seconds == spent["wrap_up"] > 0
    assert day.back_office_seconds == spent["back_office:"]
    assert day.pauses == {
        code: seconds for code in ("lunch", "") if (seconds := spent[f"pause:{code}"])
    }
    assert day.missed_rings == missed
    assert sorted(day.ratings) == sorted(marks)
