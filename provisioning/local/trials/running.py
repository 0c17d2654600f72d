"""Scripts performed on a site, many at once, and what came of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.local.trials import verdict
from provisioning.local.trials.cast import Cast, Stuck
from provisioning.local.trials.scenario import COLUMNS, Scenario
from provisioning.local.trials.world import World

SETTLE = 30.0  # seconds that the ledger has to tell of the last call


@dataclass
class Result:
    """What became of one script."""

    scenario: Scenario
    cast: Cast
    row: tuple[str, ...] = ()
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether everything was as written."""
        return not self.faults


async def run(
    scenarios: Sequence[Scenario],
    world: World,
    at_once: int = 12,
    told: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Perform the scripts, so many at once; results in their order, once the ledger has them."""
    room = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> Result:
        async with room:
            result = await _perform(scenario, world)
            told(result)
            return result

    results = await asyncio.gather(*map(one, scenarios))
    await _judge(results, world)
    return list(results)


async def _perform(scenario: Scenario, world: World) -> Result:
    cast = world.cast(scenario.name)
    result = Result(scenario, cast)
    began = time.monotonic()
    try:
        for step in scenario.steps:
            await cast.perform(step)
    except Stuck as error:
        trail = {p.name: [c.log for c in p.calls[-2:]] for p in cast.people.values()}
        result.faults.append(f"{error} {trail}")
    finally:
        await world.leave(cast)
    result.seconds = time.monotonic() - began
    return result


async def _judge(results: Sequence[Result], world: World) -> None:
    """Wait until the ledger tells of every call to the end, then compare."""
    recordings = Path(world.facts["recordings"])
    end = time.monotonic() + SETTLE * world.patience
    while True:
        world.stories.look()
        rows = await world.export()
        found = [(result, _row(result, rows, world)) for result in results]
        open_ones = [r for r, told in found if r.cast.caller.calls and not _settled(told)]
        if not open_ones or time.monotonic() > end:
            break
        await asyncio.sleep(0.5)
    for result, told in found:
        if told is None:
            result.faults.append("the ledger has no such call")
            continue
        # In a thread of its own sound would be listened to no faster; nothing else runs now.
        result.row = verdict.row(result.cast, told, recordings)
        result.faults += [
            f"{column}: {seen}, not {wanted}"
            for column, seen, wanted in zip(COLUMNS, result.row, result.scenario.row, strict=True)
            if wanted not in ("*", seen)
        ]
        result.faults += verdict.faults(result.cast, told, recordings)


def _row(result: Result, rows: dict[str, Any], world: World) -> dict[str, Any] | None:
    calls = result.cast.caller.calls
    linkedid = world.stories.linkedid(calls[0].call_id) if calls else None
    return rows.get(linkedid or "")


def _settled(told: dict[str, Any] | None) -> bool:
    if not told or not told["ended_at"]:
        return False
    recorded = sum(recording["seconds"] or 0 for recording in told["recordings"])
    return abs(recorded - verdict.spoken(told)) < verdict.NEAR


def table(results: Sequence[Result]) -> str:
    """The results as a pipe table."""
    head = ("scenario", *COLUMNS, "s", "")
    lines = [
        (
            result.scenario.name,
            *(result.row or ("?",) * len(COLUMNS)),
            f"{result.seconds:.0f}",
            "as written" if result.right else "; ".join(result.faults)[:300],
        )
        for result in results
    ]
    return pipes(head, lines)


def pipes(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A pipe table with even columns."""
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head) - 1)]
    rule = tuple("-" * width for width in (*widths, 3))

    def text(line: Sequence[str]) -> str:
        cells = [cell.ljust(width) for cell, width in zip(line, (*widths, 0), strict=True)]
        return ("| " + " | ".join(cells)).rstrip() + " |"

    return "\n".join(map(text, (head, rule, *lines)))
