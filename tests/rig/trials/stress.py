"""`./run load`, `day`, `steps`: the effect of many calls on a site, in tables."""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.local.place import Place
from tests.rig import logs
from tests.rig.trials import registering, screen
from tests.rig.trials.load import LOAD_HEAD, CallLoad, LoadOutcome, compare_with_ledger
from tests.rig.trials.registering import SaveTimes
from tests.rig.trials.running import pipe_table
from tests.rig.trials.world import World
from tests.rig.waiting import wait_within

# Share of a day's calls in each hour from midnight, typical of hotlines.
HOURLY_SHARES = (
    6,
    4,
    3,
    3,
    4,
    7,
    14,
    30,
    62,
    96,
    104,
    98,
    82,
    76,
    86,
    88,
    84,
    70,
    48,
    36,
    28,
    22,
    16,
    10,
)
CALLS_PER_DAY = 1250
SETTLE_SECONDS = 60.0
MAX_SENDER_LAG_SECONDS = 0.5  # by which our own sound may be late before results are meaningless
_WHOLE_PERIOD = ("--from", "2000-01-01", "--to", "2099-01-01")


async def settled_rows(world: World) -> dict[str, dict[str, Any]]:
    """The ledger's rows once no call is open and every talk is measured, or a minute has passed."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        counts = json.loads(await world.run_command("ledger", "balance", *_WHOLE_PERIOD, "--json"))
        missing_recordings = (
            counts["recordings_expected"] - counts["recordings_found"] + counts["recordings_short"]
        )
        if (not counts["open"] and not missing_recordings) or time.monotonic() > end:
            return await world.export_rows()
        await asyncio.sleep(2)


async def load_outcome(world: World, load: CallLoad) -> LoadOutcome:
    """The comparison of the ledger with what the load's people saw."""
    rows = await settled_rows(world)
    return compare_with_ledger(
        load.records, rows, {phone.extension for phone in world.parties.phones}
    )


async def balance_line(world: World) -> str:
    """The balance of the whole trial, in one line."""
    totals = json.loads(await world.run_command("ledger", "balance", *_WHOLE_PERIOD, "--json"))
    counts = ", ".join(f"{name}: {totals[name]}" for name in ("arrivals", "outcomes", "open"))
    recordings = [
        f"{name} {totals[f'recordings_{name}']}" for name in ("expected", "found", "short")
    ]
    return f"{counts}, difference: {totals['difference']}, recordings {', '.join(recordings)}"


async def run_load(place: Place, at_once: int, operators: int, minutes: float) -> int:
    """`at_once` calls for `minutes` minutes; prints the table. 0 when no call was lost or wrong."""
    async with World(place).open_world() as world:
        await _set_crew(world, operators)
        load = CallLoad(world)
        load.attach_handlers()
        watcher = asyncio.create_task(_report_progress(load))
        async with screen.watching_page(place) as page_file:
            await load.keep_calls(at_once, minutes * 60)
        watcher.cancel()
        result = await load_outcome(world, load)
        print(pipe_table((*LOAD_HEAD, ""), [(*result.as_line(f"{at_once} at once"), "")]))
        lags = screen.measure_lags(world.log_reader, page_file)
        print(pipe_table((*screen.LAGS_HEAD, ""), [(*line, "") for line in lags.as_lines()]))
        for kind, descriptions in (("missing", result.missing), ("wrong", result.wrong)):
            for description in descriptions[:20]:
                print(f"{kind}: {description}")
        for description in result.dropped[:20]:
            print(f"dropped: {description}")
        print(await balance_line(world))
        print(
            f"our own clock was late by {world.parties.carrier.clock.max_lag * 1000:.0f} ms at most"
        )
        return int(bool(result.dropped or result.missing or result.wrong))


@dataclass
class LongRun:
    """The results of a long load with operators who save."""

    outcome: LoadOutcome
    saves: SaveTimes
    saves_before: SaveTimes  # saves before the catch-up
    saves_during: SaveTimes
    catch_up_seconds: float  # duration of the catch-up
    balance: str

    @property
    def lost_count(self) -> int:
        """Calls that were dropped, or that are missing or wrong in the ledger."""
        return len(self.outcome.dropped) + len(self.outcome.missing) + len(self.outcome.wrong)


async def measure_long_run(
    place: Place, at_once: int, operators: int, minutes: float, days: int = 1
) -> LongRun:
    """Calls, operators who save, and a catch-up of `days` days in the middle."""
    log = place.folder / "days.csv"
    logs.write_log(log, days * CALLS_PER_DAY)
    async with World(place).open_world() as world:
        await _set_crew(world, operators)
        load = CallLoad(world)
        load.attach_handlers()
        watcher = asyncio.create_task(_report_progress(load))
        async with registering.running_operators(place, operators) as saves:
            calls = asyncio.create_task(load.keep_calls(at_once, minutes * 60))
            await asyncio.sleep(minutes * 30)
            catch_up_began = time.time()
            await world.run_command("ledger", "ingest", str(log))
            catch_up_ended = time.time()
            await calls
        watcher.cancel()
        return LongRun(
            await load_outcome(world, load),
            registering.read_saves(saves),
            registering.read_saves(saves, until=catch_up_began),
            registering.read_saves(saves, catch_up_began, catch_up_ended),
            catch_up_ended - catch_up_began,
            await balance_line(world),
        )


async def run_long(place: Place, at_once: int, operators: int, minutes: float) -> int:
    """Run a long load and print its tables. 0: nothing was lost, no save was refused."""
    long_run = await measure_long_run(place, at_once, operators, minutes)
    print(pipe_table((*LOAD_HEAD, ""), [(*long_run.outcome.as_line(f"{at_once} at once"), "")]))
    saves_by_name = {
        "all": long_run.saves,
        "before the catch-up": long_run.saves_before,
        "meanwhile": long_run.saves_during,
    }
    lines = [(*item.as_line(name), "") for name, item in saves_by_name.items()]
    print(pipe_table((*registering.SAVES_HEAD, ""), lines))
    print(f"the catch-up of {CALLS_PER_DAY} calls took {long_run.catch_up_seconds:.1f} s")
    for item in (
        *long_run.outcome.missing[:20],
        *long_run.outcome.wrong[:20],
        *long_run.outcome.dropped[:20],
    ):
        print(item)
    print(long_run.balance)
    return int(bool(long_run.lost_count or long_run.saves.refused_statuses))


async def measure_hurry(place: Place, operators: int, seconds: float) -> SaveTimes:
    """Operators register without a pause and without calls, for `seconds` from their first save."""
    async with registering.running_operators(place, operators, 0.0) as saves:
        await wait_within(lambda: registering.read_saves(saves).durations_ms, SETTLE_SECONDS)
        await asyncio.sleep(seconds)
    return registering.read_saves(saves)


async def run_hurry(place: Place, operators: int, seconds: float) -> int:
    """Measure registering in a hurry and print a table. 0: no save was refused."""
    saves = await measure_hurry(place, operators, seconds)
    print(
        pipe_table(
            (*registering.SAVES_HEAD, ""), [(*saves.as_line(f"{operators} without a pause"), "")]
        )
    )
    return int(bool(saves.refused_statuses))


async def run_day(place: Place, minutes: float) -> int:
    """A day of 1,250 calls in `minutes` minutes, each hour with its share."""
    async with World(place).open_world() as world:
        load = CallLoad(world, talk_range=(3, 9))
        load.attach_handlers()
        watcher = asyncio.create_task(_report_progress(load))
        await load.follow_arrivals(_day_arrivals(minutes * 60))
        watcher.cancel()
        result = await load_outcome(world, load)
        print(
            pipe_table(
                (*LOAD_HEAD, ""), [(*result.as_line(f"{CALLS_PER_DAY} in {minutes:g} min"), "")]
            )
        )
        for description in (*result.missing[:20], *result.wrong[:20], *result.dropped[:20]):
            print(description)
        print(await balance_line(world))
        return int(bool(result.dropped or result.missing or result.wrong))


async def run_steps(place: Place, first: int, step: int, minutes: float) -> int:
    """More calls at once, step by step, until some are lost."""
    lines = []
    async with World(place).open_world() as world:
        at_once = first
        while True:
            load = CallLoad(world, seed=at_once)
            load.attach_handlers()
            pump = world.parties.carrier.clock
            pump.max_lag = 0.0
            pids, started_at = (os.getpid(), _process_id(place, "asterisk")), time.monotonic()
            cpu_before = [_cpu_seconds(pid) for pid in pids]
            await load.keep_calls(at_once, minutes * 60)
            elapsed = time.monotonic() - started_at
            cores = [
                f"{(_cpu_seconds(p) - b) / elapsed:.2f}"
                for p, b in zip(pids, cpu_before, strict=True)
            ]
            result = await load_outcome(world, load)
            lag = f"{pump.max_lag * 1000:.0f} ms"
            lines.append((*result.as_line(f"{at_once} at once"), lag, *cores))
            print(lines[-1], flush=True)
            failure_count = len(result.dropped) + len(result.missing) + len(result.wrong)
            if failure_count > result.calls / 100 or at_once >= 500:
                break
            if pump.max_lag > MAX_SENDER_LAG_SECONDS:
                print("the callers no longer send in time: later figures would measure them")
                break
            at_once += step
    own_columns = ("our clock late by", "our cores", "Asterisk's cores")
    print(pipe_table((*LOAD_HEAD, *own_columns, ""), [(*line, "") for line in lines]))
    return 0


def _process_id(place: Place, name: str) -> int:
    return int((place.run_folder / f"{name}.pid").read_text("ascii"))


def _cpu_seconds(pid: int) -> float:
    """Seconds of a processor that a process has used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _set_crew(world: World, operators: int) -> None:
    """Keep `operators` operators ready, and set the others to off."""
    logins = [phone.login for phone in world.parties.phones]
    if logins[operators:]:
        await world.run_command("operator", "off", *logins[operators:])


async def _report_progress(load: CallLoad) -> None:
    while True:
        await asyncio.sleep(60)
        print(f"{len(load.records)} calls so far, {load.active_count()} up", flush=True)


async def _day_arrivals(seconds: float) -> AsyncIterator[None]:
    dice = random.Random(5)  # noqa: S311  no secret
    hours = dice.choices(range(24), weights=HOURLY_SHARES, k=CALLS_PER_DAY)
    arrival_times = sorted((hour + dice.random()) / 24 * seconds for hour in hours)
    started_at = time.monotonic()
    for arrival in arrival_times:
        await asyncio.sleep(max(0.0, started_at + arrival - time.monotonic()))
        yield
