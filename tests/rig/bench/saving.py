"""Operators who save on a running site: amid calls while a day is caught up, and in a hurry."""

import asyncio
from collections.abc import Iterator

from provisioning.local import site
from provisioning.local.place import Place
from tests.rig.bench.table import Row
from tests.rig.trials import stress

CALL_COUNT, OPERATOR_COUNT = 50, 25
LONG_RUN_MINUTES, HURRY_SECONDS = 2.0, 30.0
CATCH_UP_DAYS = 5  # caught up at once: about fifty saves in the meantime


def saving_rows(place: Place) -> Iterator[Row]:
    """Milliseconds of a save through the pages; saves that failed; calls that were lost.

    One day is caught up before ten saves are done, so five days are used.
    """
    with site.trial_site(place, fresh=False):
        long_run = asyncio.run(
            stress.measure_long_run(
                place, CALL_COUNT, OPERATOR_COUNT, LONG_RUN_MINUTES, CATCH_UP_DAYS
            )
        )
    spread_before, spread_during = long_run.saves_before.quantiles, long_run.saves_during.quantiles
    title = "a save while a day is caught up"
    yield Row(f"{title}, 95 %", spread_during[1], "ms", aim=50, before="4.3 s")
    yield Row(f"{title}, longest", spread_during[2], "ms", aim=300, before="10.2 s")
    yield Row("  before it, 95 %", spread_before[1], "ms")
    yield Row("  in all, longest", long_run.saves.quantiles[2], "ms")
    yield Row(
        "saves answered by HTTP 500, or not at all",
        long_run.saves.failure_count,
        "",
        aim=0,
        before="16",
    )
    yield Row(f"calls lost or wrong, of {long_run.outcome.calls}", long_run.lost_count, "", aim=0)
    with site.trial_site(place, fresh=False):
        hurry_run = asyncio.run(stress.measure_hurry(place, OPERATOR_COUNT, HURRY_SECONDS))
    title = f"{OPERATOR_COUNT} operators registering without a pause"
    yield Row(f"{title}, 95 %", hurry_run.quantiles[1], "ms", aim=150, before="643 ms")
    yield Row(f"{title}, a second", hurry_run.saves_per_second, "", aim=60, least=True, before="19")
