"""Data of any length from a carrier: no log record is truncated and no call is hidden by it."""

import asyncio
from pathlib import Path

import pytest

from appliance.models import User
from appliance.pbx import actions, eventlog
from appliance.pbx.interpret import interpret_call
from appliance.telephony.calls import CallFacts
from tests.calls.exchange import write_silent_prompts
from tests.pbx.box import Box
from tests.pbx.telephones import telephones
from tests.rig.trials import oversized
from tests.rig.waiting import wait_for, wait_until

pytestmark = pytest.mark.calls
MAX_RECORD_BYTES = 1023  # with the line ending


@pytest.fixture(scope="module")
def synthesised_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts that end at once: each test plays all of them."""
    write_silent_prompts(folder := tmp_path_factory.mktemp("prompts"))
    return folder


@pytest.mark.parametrize("name", oversized.OVERSIZED_KINDS)
def test_a_talk_with_facts_of_any_length_is_complete(box: Box, name: str) -> None:
    log = box.settings.paths.event_log
    begin = log.stat().st_size if log.is_file() else 0
    number = f"+99890100{1000 + list(oversized.OVERSIZED_KINDS).index(name)}"

    async def hold_talk() -> str:
        async with telephones(box.settings) as lines:
            actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
            call = lines.people.carrier.create_call(number, "1006", 370)
            call.send_invite(oversized.OVERSIZED_KINDS[name](call))
            await wait_for(lambda: call.up_at, "it is answered")
            call.media.press_keys("1")
            phone = lines.people.phone_by_extension("1001")
            leg = await wait_for(
                lambda: phone.newest_call and phone.newest_call.up_at and phone.newest_call,
                "and taken",
            )
            await wait_for(lambda: leg.media.has_voice(370, 0.6), "the operator hears the caller")
            leg.hang_up()
            await wait_for(lambda: leg.over_at, "he has hung up")
            until_then = call.media.received.packets
            await wait_for(
                lambda: call.media.received.packets > until_then, "the question for a mark"
            )
            call.hang_up()
            await wait_for(lambda: call.over_at, "it is over")
            return call.call_id

    call_id = asyncio.run(hold_talk())
    wait_until(
        lambda: [
            facts for facts in calls_since(box, begin) if facts.sip and facts.outcome == "answered"
        ]
    )
    data = log.read_bytes()[begin:]
    pieces = list(eventlog.split_log(data))
    assert [piece.text for piece in pieces if not piece.event] == []
    assert max(len(piece.text) for piece in pieces) <= MAX_RECORD_BYTES
    [facts] = [facts for facts in calls_since(box, begin) if facts.sip]
    assert (facts.outcome, len(facts.talks), len(facts.recordings)) == ("answered", 1, 1)
    assert call_id.startswith(facts.sip[:20])


def calls_since(box: Box, begin: int) -> list[CallFacts]:
    """Return the calls in the log from byte `begin` on."""
    data = box.settings.paths.event_log.read_bytes()[begin:]
    events = [piece.event for piece in eventlog.split_log(data) if piece.event]
    linked = {event.linkedid for event in events if event.begins == "from-trunk"}
    calls = (interpret_call(e for e in events if e.linkedid == linkedid) for linkedid in linked)
    return [call for call in calls if call]
