"""Scripts performed on a site, many at once, and their results."""

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
from tests.rig.comparison import CallAccount
from tests.rig.trials import verdict
from tests.rig.trials.cast import Cast
from tests.rig.trials.scenario import COLUMNS, Scenario
from tests.rig.trials.stage import Stuck
from tests.rig.trials.world import World

PHONES_PER_SCRIPT = 2  # a script rarely needs more operators at once
PHONES_PER_LONG_WAIT = 12  # that a caller who waits without being answered may use up
START_INTERVAL_SECONDS = (
    0.1  # between the starts of two scripts, so that no two callers dial in the same instant
)
HITCH_SECONDS = 0.3  # our own sound may be this late and still be judged
SETTLE_SECONDS = 30.0  # within which the ledger must have the last call


@dataclass
class ScriptResult:
    """The result of one script."""

    scenario: Scenario
    cast: Cast
    rows: list[tuple[str, ...]] = field(default_factory=list)
    over_at: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    sound_not_judged: bool = False  # our own sound was late: the recordings were not judged

    @property
    def is_right(self) -> bool:
        """Returns True if everything was as written."""
        return not self.faults


def additional_phones(at_once: int) -> int:
    """The number of operators, in addition to the site's own, that `at_once` scripts need."""
    return max(0, PHONES_PER_SCRIPT * at_once - len(accounts.OPERATOR_NAMES))


async def run_scenarios(
    scenarios: Sequence[Scenario],
    world: World,
    at_once: int = 12,
    report: Callable[[ScriptResult], None] = lambda _: None,
) -> list[ScriptResult]:
    """Perform the scripts, `at_once` at a time.

    The results are in the scripts' order, once the ledger has them.
    """
    script_slots = asyncio.Semaphore(at_once)
    # An unanswered caller is given one phone after the other: limit their number by the phones.
    spare = len(world.parties.phones) - at_once
    long_wait_slots = asyncio.Semaphore(max(1, spare // PHONES_PER_LONG_WAIT))

    async def run_scenario(position: int, scenario: Scenario) -> ScriptResult:
        await asyncio.sleep(position * START_INTERVAL_SECONDS)
        async with long_wait_slots if scenario.is_long else _no_limit(), script_slots:
            result = await _perform_scenario(scenario, world)
            report(result)
            return result

    longest_first = sorted(scenarios, key=lambda scenario: not scenario.is_long)
    results = await asyncio.gather(*map(run_scenario, itertools.count(), longest_first))
    await _judge_results(results, world)
    order = {id(scenario): position for position, scenario in enumerate(scenarios)}
    return sorted(results, key=lambda result: order[id(result.scenario)])


@contextlib.asynccontextmanager
async def _no_limit() -> AsyncIterator[None]:
    yield


async def _perform_scenario(scenario: Scenario, world: World) -> ScriptResult:
    cast = world.new_cast(scenario.name)
    result = ScriptResult(scenario, cast)
    started_at = time.monotonic()
    try:
        for step in scenario.steps:
            await cast.perform_step(step)
    except Stuck as error:
        call_logs = {p.name: [c.log for c in p.calls[-2:]] for p in cast.people.values()}
        result.faults.append(f"{error} {call_logs}")
    finally:
        result.over_at = time.time()
        await world.end_script(cast)
    result.seconds = time.monotonic() - started_at
    return result


async def _judge_results(results: Sequence[ScriptResult], world: World) -> None:
    """Wait until the ledger has every call to its end, then compare."""
    recordings = Path(world.facts["recordings"])
    end = time.monotonic() + SETTLE_SECONDS * world.limit_factor
    while True:
        world.log_reader.read_new_events()
        rows = await world.export_rows()
        results_with_rows = [(result, _rows_of_result(result, rows, world)) for result in results]
        if (
            all(_is_settled(result, call_rows) for result, call_rows in results_with_rows)
            or time.monotonic() > end
        ):
            break
        await asyncio.sleep(0.5)
    for result, call_rows in results_with_rows:
        expected_rows = result.scenario.rows
        # Sound that this machine sent late is not a fault of the site.
        hitches = world.parties.carrier.clock.lags
        is_our_fault = any(
            result.cast.began_at <= at <= result.over_at and s > HITCH_SECONDS for at, s in hitches
        )
        result.sound_not_judged = is_our_fault
        if len(call_rows) != len(expected_rows):
            result.faults.append(f"{len(call_rows)} calls in the ledger, not {len(expected_rows)}")
        for row, expected in zip(call_rows, expected_rows, strict=False):
            row_cells = verdict.scenario_row(result.cast, row, recordings)
            result.rows.append(row_cells)
            cells = dict(zip(COLUMNS, expected, strict=True))
            if is_our_fault:
                cells.pop("heard")
            ledger_account = CallAccount(
                dict(zip(COLUMNS, row_cells, strict=True)), comparison.call_lengths(row)
            )
            people = verdict.script_account(row, cells, is_judged=not is_our_fault)
            result.faults += comparison.differences(
                ledger_account, people, verdict.TOLERANCE_SECONDS
            )
            result.faults += (
                [] if is_our_fault else verdict.row_faults(result.cast, row, recordings)
            )


def _rows_of_result(
    result: ScriptResult, rows: dict[str, Any], world: World
) -> list[dict[str, Any]]:
    calls = [call for call in result.cast.caller.calls if not call.is_incoming]
    linkedids = {world.log_reader.linkedid_by_call_id(call.call_id) or "" for call in calls}
    return verdict.rows_of_script(result.cast, rows, linkedids, result.over_at)


def _is_settled(result: ScriptResult, call_rows: list[dict[str, Any]]) -> bool:
    if len(call_rows) != len(result.scenario.rows):  # legs may not be joined into one call yet
        return False
    return all(row["ended_at"] and _is_recorded(row) for row in call_rows)


def _is_recorded(row: dict[str, Any]) -> bool:
    if row["direction"] == "internal":
        return True
    lengths = comparison.call_lengths(row)
    return abs(lengths["recorded"] - lengths["spoken"]) < verdict.TOLERANCE_SECONDS


def results_table(results: Sequence[ScriptResult]) -> str:
    """The results as a pipe table."""
    head = ("scenario", *COLUMNS, "s", "")
    lines = []
    for result in results:
        right_text = "as written, sound not judged" if result.sound_not_judged else "as written"
        verdict_text = right_text if result.is_right else "; ".join(result.faults)[:300]
        first, *more_rows = result.rows or [("?",) * len(COLUMNS)]
        lines.append((result.scenario.name, *first, f"{result.seconds:.0f}", verdict_text))
        lines += [("", *row, "", "") for row in more_rows]
    return pipe_table(head, lines)


def pipe_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A pipe table with even columns."""
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head) - 1)]
    rule = tuple("-" * width for width in (*widths, 3))

    def format_line(line: Sequence[str]) -> str:
        cells = [cell.ljust(width) for cell, width in zip(line, (*widths, 0), strict=True)]
        return ("| " + " | ".join(cells)).rstrip() + " |"

    return "\n".join(map(format_line, (head, rule, *lines)))
