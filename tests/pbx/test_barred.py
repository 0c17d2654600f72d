"""Calls out by a phone, by the machine, by a transfer: what reaches a carrier, and what never."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from appliance.models import User
from appliance.pbx import actions, ami
from tests.pbx import talking
from tests.pbx.box import Box
from tests.pbx.telephones import Telephones, seen, telephones
from tests.telephony.numbers_out import ABROAD, BARRED, PEOPLE

pytestmark = pytest.mark.calls


def at_the_carrier(box: Box, scene: Callable[[Telephones], Awaitable[None]]) -> list[str]:
    """Play a scene; the numbers that reached the carrier, who says busy to all."""
    reached: list[str] = []

    async def play() -> None:
        async with telephones(box.settings) as lines:
            lines.people.dialled = lambda call: (reached.append(call.called), call.refuse(486))
            await scene(lines)

    asyncio.run(play())
    return reached


def test_a_phone_cannot_go_around_it(box: Box) -> None:
    async def scene(lines: Telephones) -> None:
        phone = lines.people.by_extension("1001")
        for number in (*BARRED, *PEOPLE, *ABROAD):
            call = phone.dial(number)
            await seen(lambda call=call: call.state == "over", f"{number} is over")

    assert at_the_carrier(box, scene) == [*PEOPLE.values(), *ABROAD.values()]
    assert {told["why"] for told in talking.facts(box, "BARRED")} == {"shape", "prefix"}


def test_the_machine_calls_only_what_is_listed(box: Box) -> None:
    async def scene(lines: Telephones) -> None:
        asked = ("+883510001234", *BARRED[:5], *ABROAD, *PEOPLE)
        before = over()
        with ami.Connection(box.settings) as asterisk:
            for number in asked:
                channel = {"Channel": f"Local/{number}@outgoing-machine/n"}
                asterisk.act("Originate", **channel, Application="Wait", Data="1", Async="true")
        await seen(lambda: over() == before + len(asked), "all are over")

    def over() -> int:
        return len(talking.facts(box, "BARRED")) + len(talking.facts(box, "DIALLED"))

    assert sorted(at_the_carrier(box, scene)) == sorted(PEOPLE.values())


def test_pages_are_told_before_a_phone_rings(box: Box) -> None:
    user = User.get(User.login == "op01")
    for action in (actions.dial, actions.blind, actions.consult):
        for number, code in (("00 883 510 001 234", "barred"), ("+998810883510001234", "number")):
            more = ("page",) if action is actions.dial else ()
            with pytest.raises(actions.Refused) as error:
                action(box.settings, user, number, *more)
            assert error.value.code == code


def test_a_caller_passed_on_to_a_barred_number_comes_back(box: Box) -> None:
    """By a phone's REFER, which asks no page."""

    async def scene(lines: Telephones) -> None:
        actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
        talk = await lines.talk("+998901000077")
        await talk.leg.refer("+883510001234")
        _phone, leg = await lines.taken("+998901000077", before=talk.leg)
        assert leg.state == "up"

    assert at_the_carrier(box, scene) == []
    assert talking.facts(box, "BARRED")[-1] == {"number": "+883510001234", "why": "prefix"}
    assert talking.facts(box, "TRANSFER_END")[-1] == {"result": "failed", "returned": "yes"}
