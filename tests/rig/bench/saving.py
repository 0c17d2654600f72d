"""Operators who save on a running site: among calls while a day is caught up, and in a hurry."""

import asyncio
from collections.abc import Iterator

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.bench.table import Row
from tests.rig.trials import stress

CALLS, OPERATORS = 50, 25
MINUTES, SECONDS = 2.0, 30.0
DAYS = 5  # caught up at once: some fifty saves meanwhile


def rows(place: Place) -> Iterator[Row]:
    """Milliseconds of a save by the pages, what was refused, what was lost.

    A day is caught up before ten have saved: five days are.
    """
    with site.trial(place, fresh=False):
        long = asyncio.run(stress.long(place, CALLS, OPERATORS, MINUTES, DAYS))
    without, meanwhile = long.before.spread, long.meanwhile.spread
    what = "a save while a day is caught up"
    yield Row(f"{what}, 95 %", meanwhile[1], "ms", aim=50, before="4.3 s")
    yield Row(f"{what}, longest", meanwhile[2], "ms", aim=300, before="10.2 s")
    yield Row("  before it, 95 %", without[1], "ms")
    yield Row("  in all, longest", long.saves.spread[2], "ms")
    yield Row(
        "saves answered by HTTP 500, or not at all", long.saves.failed, "", aim=0, before="16"
    )
    yield Row(f"calls lost or told wrongly, of {long.made.calls}", long.lost, "", aim=0)
    with site.trial(place, fresh=False):
        hurried = asyncio.run(stress.hurry(place, OPERATORS, SECONDS))
    what = f"{OPERATORS} operators registering without a pause"
    yield Row(f"{what}, 95 %", hurried.spread[1], "ms", aim=150, before="643 ms")
    yield Row(f"{what}, a second", hurried.rate, "", aim=60, least=True, before="19")
