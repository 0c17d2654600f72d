"""Outbound calls by a phone, by the machine and by a transfer: which numbers reach a carrier."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from appliance.models import User
from appliance.pbx import actions, ami
from tests.pbx import local_calls
from tests.pbx.box import Box
from tests.pbx.telephones import Telephones, telephones
from tests.rig.waiting import wait_for
from tests.telephony.numbers_out import ALLOWED_FOR_ALL, ALLOWED_FOR_PEOPLE, BARRED

pytestmark = pytest.mark.calls


def numbers_at_carrier(box: Box, scene: Callable[[Telephones], Awaitable[None]]) -> list[str]:
    """Play a scene and return the numbers that reached the carrier, which answers busy to all."""
    reached: list[str] = []

    async def play_scene() -> None:
        async with telephones(box.settings) as lines:
            lines.people.on_outgoing_call = lambda call: (
                reached.append(call.callee),
                call.refuse_call(486),
            )
            await scene(lines)

    asyncio.run(play_scene())
    return reached


def test_a_phone_cannot_dial_a_barred_number(box: Box) -> None:
    async def dial_all_numbers(lines: Telephones) -> None:
        phone = lines.people.phone_by_extension("1001")
        for number in (*BARRED, *ALLOWED_FOR_ALL, *ALLOWED_FOR_PEOPLE):
            call = phone.dial_number(number)
            await wait_for(lambda call=call: call.state == "over", f"{number} is over")

    assert numbers_at_carrier(box, dial_all_numbers) == [
        *ALLOWED_FOR_ALL.values(),
        *ALLOWED_FOR_PEOPLE.values(),
    ]
    assert {facts["why"] for facts in local_calls.dialplan_facts(box, "BARRED")} == {
        "shape",
        "prefix",
    }


def test_the_machine_calls_only_permitted_numbers(box: Box) -> None:
    async def originate_all_numbers(lines: Telephones) -> None:
        numbers = ("+883510001234", *BARRED[:5], *ALLOWED_FOR_PEOPLE, *ALLOWED_FOR_ALL)
        before = finished_count()
        with ami.Connection(box.settings) as asterisk:
            for number in numbers:
                channel = {"Channel": f"Local/{number}@outgoing-machine/n"}
                asterisk.send_action(
                    "Originate", **channel, Application="Wait", Data="1", Async="true"
                )
        await wait_for(lambda: finished_count() == before + len(numbers), "all are over")

    def finished_count() -> int:
        return len(local_calls.dialplan_facts(box, "BARRED")) + len(
            local_calls.dialplan_facts(box, "DIALLED")
        )

    assert sorted(numbers_at_carrier(box, originate_all_numbers)) == sorted(
        ALLOWED_FOR_ALL.values()
    )


def test_pages_are_refused_before_a_phone_rings(box: Box) -> None:
    user = User.get(User.login == "op01")
    for action in (actions.dial_number, actions.transfer_blind, actions.start_consultation):
        for number, code in (("00 883 510 001 234", "barred"), ("+998810883510001234", "number")):
            more = ("page",) if action is actions.dial_number else ()
            with pytest.raises(actions.ActionRefused) as error:
                action(box.settings, user, number, *more)
            assert error.value.code == code


def test_a_caller_transferred_to_a_barred_number_returns(box: Box) -> None:
    """By a phone's REFER, which no page checks."""

    async def refer_to_barred_number(lines: Telephones) -> None:
        actions.choose_state(box.settings, User.get(User.login == "op01"), "ready")
        talk = await lines.start_talk("+998901000077")
        await talk.leg.send_refer("+883510001234")
        _phone, leg = await lines.wait_for_answer("+998901000077", before=talk.leg)
        assert leg.state == "up"

    assert numbers_at_carrier(box, refer_to_barred_number) == []
    assert local_calls.dialplan_facts(box, "BARRED")[-1] == {
        "number": "+883510001234",
        "why": "prefix",
    }
    assert local_calls.dialplan_facts(box, "TRANSFER_END")[-1] == {
        "result": "failed",
        "returned": "yes",
    }
