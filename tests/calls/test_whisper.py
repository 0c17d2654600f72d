"""What an operator hears before the caller, and how long it takes."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.telephony import directory, prompts
from appliance.telephony.routing import Number, Topic
from tests.calls.exchange import Exchange, running, sure
from tests.calls.scene import CALLER, operator, play
from tests.rig.parties import People

pytestmark = pytest.mark.calls
LONGEST = 2.0  # seconds (17.9)
EMPLOYEE = "+998901110072"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    """An Asterisk whose plan has operators told of the caller, by topic."""
    with running(tmp_path_factory.mktemp("exchange"), migrated) as made:
        folder = made.settings.paths.prompts
        for silent in folder.glob("*/whisper-*.wav"):
            silent.unlink()
        prompts.synthesise(folder)
        directory.save(directory.Entry("Lola", EMPLOYEE), "test")
        plan = made.plan
        made.install(
            dataclasses.replace(
                plan,
                numbers=(Number("", topics=True, hours=False),),
                topics=(Topic("1", "Subsidiyalar", "Субсидии", "subsidies"),),
                queueing=dataclasses.replace(plan.queueing, whisper=True),
            )
        )
        yield made


def seconds(exchange: Exchange, begin: int) -> float:
    """From the phone's answer until the talk began."""
    legs = [e for e in exchange.events()[begin:] if e.endpoint == "1001"]
    answered = next(e.at for e in legs if e.type == "ANSWER")
    met = next(e.at for e in legs if e.type == "BRIDGE_ENTER")
    return (met - answered).total_seconds()


def played(exchange: Exchange, caller: str, keys: str) -> float:
    """A call with these keys; how long its operator was told of it."""
    exchange.ready("op01")
    begin = len(exchange.events())

    async def scene(people: People) -> None:
        citizen = people.call(caller, CALLER)
        await sure(lambda: citizen.state == "up")
        citizen.media.press(keys[0])
        await sure(lambda: exchange.told(begin, "LANGUAGE"))
        citizen.media.press(keys[1:])
        phone = operator(people)
        await sure(lambda: phone.call and phone.call.state == "up", limit=40)
        await sure(lambda: phone.call and phone.call.media.hears(CALLER))
        await sure(lambda: citizen.media.hears(phone.call.media.pitch))

    play(exchange, scene)
    return seconds(exchange, begin)


def test_a_word_or_two_before_the_talk(exchange: Exchange, record_property) -> None:
    took = {
        "topic": played(exchange, "+998901110070", "11"),
        "topic, again": played(exchange, "+998901110070", "11"),
        "language, employee": played(exchange, EMPLOYEE, "29"),
    }
    for what, length in took.items():
        record_property(f"whisper: {what}", f"{length:.2f} s")
    assert all(0.3 < length <= LONGEST for length in took.values()), took
    assert took["topic, again"] > took["topic"] + 0.2


def test_without_it_the_talk_begins_at_once(exchange: Exchange) -> None:
    plan = exchange.plan
    queueing = dataclasses.replace(plan.queueing, whisper=False)
    exchange.install(dataclasses.replace(plan, queueing=queueing))
    try:
        assert played(exchange, "+998901110073", "11") < 0.3
    finally:
        exchange.install(plan)
