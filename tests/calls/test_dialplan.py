"""The dialplan alone: transfers, calls out and back, menus, as real calls with sound."""

import asyncio
from collections.abc import Iterator

import pytest
from exchange import Exchange, running, sure

from provisioning.local.sip import tones

pytestmark = pytest.mark.calls

CALLER, OTHER = tones.CALLERS[:2]
EMPLOYEE = tones.OUTSIDE[0]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        yield made


FACTS = (
    "QUEUE",
    "TRANSFER",
    "TRANSFER_END",
    "DIALLED",
    "OUTGOING",
    "CALLBACK",
    "RATING",
    "REFUSED",
)


def test_blind_transfer_records_each_partner(exchange: Exchange) -> None:
    exchange.ready("op01")
    begin = len(exchange.events())

    async def scene() -> None:
        async with exchange.people() as people:
            people.rings = lambda phone, call: call.pick_up()

            def dialled(call):
                call.media.pitch = EMPLOYEE
                call.pick_up()

            people.dialled = dialled
            citizen = people.call("+998901112233", CALLER)
            phone = people.by_extension("1001")
            await sure(lambda: phone.call and phone.call.media.hears(CALLER))
            await asyncio.sleep(3)
            assert await phone.call.refer("+998711234567") == 202
            await sure(lambda: citizen.media.hears(EMPLOYEE))
            await asyncio.sleep(3)
            citizen.hang_up()
            await asyncio.sleep(1)

    asyncio.run(scene())
    print(exchange.told(begin, *FACTS))
    for e in exchange.events("RECORDING"):
        print(e.extra, exchange.heard(e))
    assert 0
