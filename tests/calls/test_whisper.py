"""The announcement that an operator receives before the caller, and its length."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.telephony import directory, prompts
from appliance.telephony.routing import HotlineNumber, Topic
from tests.calls.exchange import Exchange, running_exchange
from tests.calls.scene import CALLER_PITCH, operator_phone, play_scene
from tests.rig.parties import CallParties
from tests.rig.waiting import wait_for

pytestmark = pytest.mark.calls
MAX_WHISPER_SECONDS = 2.0  # requirement 17.9
EMPLOYEE_NUMBER = "+998901110072"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Exchange]:
    """An Asterisk whose plan announces the caller to operators, by topic."""
    with running_exchange(tmp_path_factory.mktemp("exchange"), migrated) as site_exchange:
        folder = site_exchange.settings.paths.prompts
        for silent_prompt in folder.glob("*/whisper-*.wav"):
            silent_prompt.unlink()
        prompts.synthesise_prompts(folder)
        directory.save_employee(directory.DirectoryEntry("Lola", EMPLOYEE_NUMBER), "test")
        plan = site_exchange.current_plan
        site_exchange.install_plan(
            dataclasses.replace(
                plan,
                numbers=(HotlineNumber("", topics=True, hours=False),),
                topics=(Topic("1", "Subsidiyalar", "Субсидии", "subsidies"),),
                queueing=dataclasses.replace(plan.queueing, whisper=True),
            )
        )
        yield site_exchange


def whisper_seconds(exchange: Exchange, begin: int) -> float:
    """Return the seconds between the phone's answer and the begin of the talk."""
    legs = [e for e in exchange.logged_events()[begin:] if e.endpoint == "1001"]
    answered_at = next(e.at for e in legs if e.type == "ANSWER")
    talking_at = next(e.at for e in legs if e.type == "BRIDGE_ENTER")
    return (talking_at - answered_at).total_seconds()


def play_call(exchange: Exchange, caller: str, keys: str) -> float:
    """Place a call with these keys; return the seconds of its announcement to the operator."""
    exchange.set_ready("op01")
    begin = len(exchange.logged_events())

    async def scene(people: CallParties) -> None:
        citizen = people.call_hotline(caller, CALLER_PITCH)
        await wait_for(lambda: citizen.state == "up")
        citizen.media.press_keys(keys[0])
        await wait_for(lambda: exchange.event_lines(begin, "LANGUAGE"))
        citizen.media.press_keys(keys[1:])
        phone = operator_phone(people)
        await wait_for(lambda: phone.newest_call and phone.newest_call.state == "up", limit=40)
        await wait_for(
            lambda: phone.newest_call and phone.newest_call.media.has_voice(CALLER_PITCH)
        )
        await wait_for(lambda: citizen.media.has_voice(phone.newest_call.media.pitch))

    play_scene(exchange, scene)
    return whisper_seconds(exchange, begin)


def test_a_short_announcement_precedes_the_talk(exchange: Exchange, record_property) -> None:
    lengths = {
        "topic": play_call(exchange, "+998901110070", "11"),
        "topic, again": play_call(exchange, "+998901110070", "11"),
        "language, employee": play_call(exchange, EMPLOYEE_NUMBER, "29"),
    }
    for kind, length in lengths.items():
        record_property(f"whisper: {kind}", f"{length:.2f} s")
    assert all(0.3 < length <= MAX_WHISPER_SECONDS for length in lengths.values()), lengths
    assert lengths["topic, again"] > lengths["topic"] + 0.2


def test_the_talk_begins_at_once_without_an_announcement(exchange: Exchange) -> None:
    plan = exchange.current_plan
    queueing = dataclasses.replace(plan.queueing, whisper=False)
    exchange.install_plan(dataclasses.replace(plan, queueing=queueing))
    try:
        assert play_call(exchange, "+998901110073", "11") < 0.3
    finally:
        exchange.install_plan(plan)
