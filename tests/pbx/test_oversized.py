"""What a carrier may send at any length: no record of the log is cut, no call is hidden by it."""

import asyncio
from pathlib import Path

import pytest

from appliance.models import User
from appliance.pbx import actions, eventlog
from appliance.pbx.interpret import interpret
from appliance.telephony.calls import CallFacts
from tests.calls.exchange import say_little
from tests.pbx.box import Box
from tests.pbx.telephones import seen, telephones
from tests.rig.trials import oversized
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
LONGEST = 1023  # bytes, with the line's end


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts that are over at once: each test hears all of them."""
    say_little(folder := tmp_path_factory.mktemp("prompts"))
    return folder


@pytest.mark.parametrize("name", oversized.KINDS)
def test_a_talk_with_facts_of_any_length_stays_whole(box: Box, name: str) -> None:
    log = box.settings.paths.event_log
    begin = log.stat().st_size if log.is_file() else 0
    number = f"+99890100{1000 + list(oversized.KINDS).index(name)}"

    async def scene() -> str:
        async with telephones(box.settings) as lines:
            actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
            call = lines.people.carrier.call(number, "1006", 370)
            call.start(oversized.KINDS[name](call))
            await seen(lambda: call.up_at, "it is answered")
            call.media.press("1")
            phone = lines.people.by_extension("1001")
            leg = await seen(lambda: phone.call and phone.call.up_at and phone.call, "and taken")
            await seen(lambda: leg.media.hears(370, 0.6), "the operator hears the caller")
            leg.hang_up()
            await seen(lambda: leg.over_at, "he has hung up")
            until_then = call.media.flow.packets
            await seen(lambda: call.media.flow.packets > until_then, "the question for a mark")
            call.hang_up()
            await seen(lambda: call.over_at, "it is over")
            return call.call_id

    call_id = asyncio.run(scene())
    until(lambda: [one for one in told(box, begin) if one.sip and one.outcome == "answered"])
    data = log.read_bytes()[begin:]
    found = list(eventlog.pieces(data))
    assert [piece.text for piece in found if not piece.event] == []
    assert max(len(piece.text) for piece in found) <= LONGEST
    [one] = [one for one in told(box, begin) if one.sip]
    assert (one.outcome, len(one.talks), len(one.recordings)) == ("answered", 1, 1)
    assert call_id.startswith(one.sip[:20])


def told(box: Box, begin: int) -> list[CallFacts]:
    """The calls of the log from that byte on."""
    data = box.settings.paths.event_log.read_bytes()[begin:]
    events = [piece.event for piece in eventlog.pieces(data) if piece.event]
    linked = {event.linkedid for event in events if event.begins == "from-trunk"}
    calls = (interpret(e for e in events if e.linkedid == one) for one in linked)
    return [call for call in calls if call]
