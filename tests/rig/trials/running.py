"""Scripts performed on a site, many at once, and what came of them."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.local import accounts
from tests.rig import comparison
from tests.rig.comparison import Account
from tests.rig.trials import verdict
from tests.rig.trials.cast import Cast
from tests.rig.trials.scenario import COLUMNS, Scenario
from tests.rig.trials.stage import Stuck
from tests.rig.trials.world import World

PHONES_EACH = 2  # a script rarely needs more operators at once
WORN = 12  # phones that one who waits in vain may use up
APART = 0.1  # seconds between the beginnings of two scripts: nobody dials in the same instant
HITCH = 0.3  # seconds by which our sound may be late and still be judged
SETTLE = 30.0  # seconds that the ledger has to tell of the last call


@dataclass
class Result:
    """What became of one script."""

    scenario: Scenario
    cast: Cast
    rows: list[tuple[str, ...]] = field(default_factory=list)
    over_at: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    unheard: bool = False  # our own sound was late: what is recorded was not judged

    @property
    def right(self) -> bool:
        """Whether everything was as written."""
        return not self.faults


def more_phones(at_once: int) -> int:
    """How many operators besides the site's own so many scripts need."""
    return max(0, PHONES_EACH * at_once - len(accounts.OPERATORS))


async def run(
    scenarios: Sequence[Scenario],
    world: World,
    at_once: int = 12,
    told: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Perform the scripts, so many at once; results in their order, once the ledger has them."""
    room = asyncio.Semaphore(at_once)
    # Who waits in vain is given one phone after the other: no more of them than phones allow.
    spare = len(world.people.phones) - at_once
    turn = asyncio.Semaphore(max(1, spare // WORN))

    async def one(position: int, scenario: Scenario) -> Result:
        await asyncio.sleep(position * APART)
        async with turn if scenario.is_long else _free(), room:
            result = await _perform(scenario, world)
            told(result)
            return result

    longest_first = sorted(scenarios, key=lambda scenario: not scenario.is_long)
    results = await asyncio.gather(*map(one, itertools.count(), longest_first))
    await _judge(results, world)
    order = {id(scenario): position for position, scenario in enumerate(scenarios)}
    return sorted(results, key=lambda result: order[id(result.scenario)])


@contextlib.asynccontextmanager
async def _free() -> AsyncIterator[None]:
    yield


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
        result.over_at = time.time()
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
        found = [(result, _rows(result, rows, world)) for result in results]
        if all(_settled(result, told) for result, told in found) or time.monotonic() > end:
            break
        await asyncio.sleep(0.5)
    for result, told in found:
        wanted = result.scenario.rows
        # Sound that we sent late is a fault of this machine, not of the site's.
        hitches = world.people.carrier.pump.hitches
        ours = any(result.cast.began_at <= at <= result.over_at and s > HITCH for at, s in hitches)
        result.unheard = ours
        if len(told) != len(wanted):
            result.faults.append(f"{len(told)} calls in the ledger, not {len(wanted)}")
        for row, expected in zip(told, wanted, strict=False):
            seen = verdict.row(result.cast, row, recordings)
            result.rows.append(seen)
            cells = dict(zip(COLUMNS, expected, strict=True))
            if ours:
                cells.pop("heard")
            said = Account(dict(zip(COLUMNS, seen, strict=True)), comparison.lengths(row))
            people = verdict.account(row, cells, is_judged=not ours)
            result.faults += comparison.differences(said, people, verdict.NEAR)
            result.faults += [] if ours else verdict.faults(result.cast, row, recordings)


def _rows(result: Result, rows: dict[str, Any], world: World) -> list[dict[str, Any]]:
    calls = [call for call in result.cast.caller.calls if not call.is_incoming]
    linkedids = {world.stories.linkedid(call.call_id) or "" for call in calls}
    return verdict.rows_of(result.cast, rows, linkedids, result.over_at)


def _settled(result: Result, told: list[dict[str, Any]]) -> bool:
    if len(told) != len(result.scenario.rows):  # legs may not be told as one call yet
        return False
    return all(row["ended_at"] and _is_recorded(row) for row in told)


def _is_recorded(row: dict[str, Any]) -> bool:
    if row["direction"] == "internal":
        return True
    lengths = comparison.lengths(row)
    return abs(lengths["recorded"] - lengths["spoken"]) < verdict.NEAR


def table(results: Sequence[Result]) -> str:
    """The results as a pipe table."""
    head = ("scenario", *COLUMNS, "s", "")
    lines = []
    for result in results:
        right = "as written, sound not judged" if result.unheard else "as written"
        said = right if result.right else "; ".join(result.faults)[:300]
        first, *more = result.rows or [("?",) * len(COLUMNS)]
        lines.append((result.scenario.name, *first, f"{result.seconds:.0f}", said))
        lines += [("", *row, "", "") for row in more]
    return pipes(head, lines)


def pipes(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A pipe table with even columns."""
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head) - 1)]
    rule = tuple("-" * width for width in (*widths, 3))

    def text(line: Sequence[str]) -> str:
        cells = [cell.ljust(width) for cell, width in zip(line, (*widths, 0), strict=True)]
        return ("| " + " | ".join(cells)).rstrip() + " |"

    return "\n".join(map(text, (head, rule, *lines)))
