"""`./run load`, `day`, `steps`: what many calls do to a site, in tables."""

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
from tests.rig.trials.load import HEAD, Load, Outcome, compare
from tests.rig.trials.registering import Saves
from tests.rig.trials.running import pipes
from tests.rig.trials.world import World

# Share of a day's calls in each hour from midnight, as hotlines have them.
HOURS = (6, 4, 3, 3, 4, 7, 14, 30, 62, 96, 104, 98, 82, 76, 86, 88, 84, 70, 48, 36, 28, 22, 16, 10)
DAY = 1250
SETTLE = 60.0
SENDER = 0.5  # seconds by which our own sound may be late before nothing more can be learnt
_ALWAYS = ("--from", "2000-01-01", "--to", "2099-01-01")


async def settled(world: World) -> dict[str, dict[str, Any]]:
    """The ledger's rows once nothing is open and every talk measured, or a minute is over."""
    end = time.monotonic() + SETTLE
    while True:
        told = json.loads(await world.appliance("ledger", "balance", *_ALWAYS, "--json"))
        lacking = told["recordings_expected"] - told["recordings_found"] + told["recordings_short"]
        if (not told["open"] and not lacking) or time.monotonic() > end:
            return await world.export()
        await asyncio.sleep(2)


async def outcome(world: World, load: Load) -> Outcome:
    """How the ledger compares with what the load's people saw."""
    rows = await settled(world)
    return compare(load.records, rows, {phone.extension for phone in world.people.phones})


async def balance(world: World) -> str:
    """The balance of the whole trial, in one line."""
    told = json.loads(await world.appliance("ledger", "balance", *_ALWAYS, "--json"))
    counts = ", ".join(f"{name}: {told[name]}" for name in ("arrivals", "outcomes", "open"))
    recordings = [f"{name} {told[f'recordings_{name}']}" for name in ("expected", "found", "short")]
    return f"{counts}, difference: {told['difference']}, recordings {', '.join(recordings)}"


async def run_load(place: Place, at_once: int, operators: int, minutes: float) -> int:
    """So many calls at once for so long; prints the table. 0 when nothing was lost or wrong."""
    async with World(place).open() as world:
        await _crew(world, operators)
        load = Load(world)
        load.open()
        watcher = asyncio.create_task(_report(load))
        async with screen.watched(place) as shown:
            await load.keep(at_once, minutes * 60)
        watcher.cancel()
        made = await outcome(world, load)
        print(pipes((*HEAD, ""), [(*made.line(f"{at_once} at once"), "")]))
        lags = screen.compare(world.stories, shown)
        print(pipes((*screen.HEAD, ""), [(*line, "") for line in lags.lines()]))
        for kind, several in (("missing", made.missing), ("wrong", made.wrong)):
            for one in several[:20]:
                print(f"{kind}: {one}")
        for one in made.dropped[:20]:
            print(f"dropped: {one}")
        print(await balance(world))
        print(f"our own clock was late by {world.people.carrier.pump.late * 1000:.0f} ms at most")
        return int(bool(made.dropped or made.missing or made.wrong))


@dataclass
class Long:
    """What a long load with operators who save came to."""

    made: Outcome
    saves: Saves
    before: Saves  # the catch-up
    meanwhile: Saves
    caught_up: float  # seconds that the catch-up took
    balance: str

    @property
    def lost(self) -> int:
        """Calls that were dropped, or that the ledger lacks or tells wrongly."""
        return len(self.made.dropped) + len(self.made.missing) + len(self.made.wrong)


async def long(place: Place, at_once: int, operators: int, minutes: float, days: int = 1) -> Long:
    """Calls, operators who save, and a catch-up of so many days in the middle."""
    log = place.folder / "days.csv"
    logs.write(log, days * DAY)
    async with World(place).open() as world:
        await _crew(world, operators)
        load = Load(world)
        load.open()
        watcher = asyncio.create_task(_report(load))
        async with registering.going_on(place, operators) as saves:
            calls = asyncio.create_task(load.keep(at_once, minutes * 60))
            await asyncio.sleep(minutes * 30)
            began = time.time()
            await world.appliance("ledger", "ingest", str(log))
            caught_up = time.time()
            await calls
        watcher.cancel()
        return Long(
            await outcome(world, load),
            registering.seen(saves),
            registering.seen(saves, until=began),
            registering.seen(saves, began, caught_up),
            caught_up - began,
            await balance(world),
        )


async def run_long(place: Place, at_once: int, operators: int, minutes: float) -> int:
    """The same, in tables. 0: nothing was lost, no 5xx."""
    found = await long(place, at_once, operators, minutes)
    print(pipes((*HEAD, ""), [(*found.made.line(f"{at_once} at once"), "")]))
    named = {
        "all": found.saves,
        "before the catch-up": found.before,
        "meanwhile": found.meanwhile,
    }
    lines = [(*one.line(name), "") for name, one in named.items()]
    print(pipes((*registering.HEAD, ""), lines))
    print(f"the catch-up of {DAY} calls took {found.caught_up:.1f} s")
    for one in (*found.made.missing[:20], *found.made.wrong[:20], *found.made.dropped[:20]):
        print(one)
    print(found.balance)
    return int(bool(found.lost or found.saves.refused))


async def hurry(place: Place, operators: int, seconds: float) -> Saves:
    """Operators who register without a pause, and nobody calls; so long from their first save."""
    async with registering.going_on(place, operators, 0.0) as saves:
        end = time.monotonic() + SETTLE
        while not registering.seen(saves).took and time.monotonic() < end:
            await asyncio.sleep(0.1)
        await asyncio.sleep(seconds)
    return registering.seen(saves)


async def run_hurry(place: Place, operators: int, seconds: float) -> int:
    """The same, in a table. 0: no 5xx."""
    seen = await hurry(place, operators, seconds)
    print(pipes((*registering.HEAD, ""), [(*seen.line(f"{operators} without a pause"), "")]))
    return int(bool(seen.refused))


async def run_day(place: Place, minutes: float) -> int:
    """A day of 1,250 calls in so many minutes, each hour with its share."""
    async with World(place).open() as world:
        load = Load(world, talk=(3, 9))
        load.open()
        watcher = asyncio.create_task(_report(load))
        await load.follow(_arrivals(minutes * 60))
        watcher.cancel()
        made = await outcome(world, load)
        print(pipes((*HEAD, ""), [(*made.line(f"{DAY} in {minutes:g} min"), "")]))
        for one in (*made.missing[:20], *made.wrong[:20], *made.dropped[:20]):
            print(one)
        print(await balance(world))
        return int(bool(made.dropped or made.missing or made.wrong))


async def run_steps(place: Place, first: int, step: int, minutes: float) -> int:
    """More calls at once, step by step, until something is lost."""
    lines = []
    async with World(place).open() as world:
        at_once = first
        while True:
            load = Load(world, seed=at_once)
            load.open()
            pump = world.people.carrier.pump
            pump.late = 0.0
            pids, began = (os.getpid(), _pid(place, "asterisk")), time.monotonic()
            before = [_worked(pid) for pid in pids]
            await load.keep(at_once, minutes * 60)
            lasted = time.monotonic() - began
            cores = [f"{(_worked(p) - b) / lasted:.2f}" for p, b in zip(pids, before, strict=True)]
            made = await outcome(world, load)
            late = f"{pump.late * 1000:.0f} ms"
            lines.append((*made.line(f"{at_once} at once"), late, *cores))
            print(lines[-1], flush=True)
            broken = len(made.dropped) + len(made.missing) + len(made.wrong)
            if broken > made.calls / 100 or at_once >= 500:
                break
            if pump.late > SENDER:
                print("the callers cannot send in time any more: what comes after tells of them")
                break
            at_once += step
    ours = ("our clock late by", "our cores", "Asterisk's cores")
    print(pipes((*HEAD, *ours, ""), [(*line, "") for line in lines]))
    return 0


def _pid(place: Place, name: str) -> int:
    return int((place.run / f"{name}.pid").read_text("ascii"))


def _worked(pid: int) -> float:
    """Seconds of a processor that a process has had; 0 when it is gone."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


async def _crew(world: World, operators: int) -> None:
    """So many operators ready, the others off."""
    logins = [phone.login for phone in world.people.phones]
    if logins[operators:]:
        await world.appliance("operator", "off", *logins[operators:])


async def _report(load: Load) -> None:
    while True:
        await asyncio.sleep(60)
        print(f"{len(load.records)} calls so far, {load.up()} up", flush=True)


async def _arrivals(seconds: float) -> AsyncIterator[None]:
    dice = random.Random(5)  # noqa: S311  no secret
    hours = dice.choices(range(24), weights=HOURS, k=DAY)
    moments = sorted((hour + dice.random()) / 24 * seconds for hour in hours)
    began = time.monotonic()
    for moment in moments:
        await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
        yield
