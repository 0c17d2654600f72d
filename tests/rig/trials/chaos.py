"""Faults in the load: what each does to calls and to the ledger."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from appliance.core import sqlite
from appliance.telephony.recordings import reserve
from provisioning.local.place import Place
from tests.rig.trials.clocks import LEARNS, Clock
from tests.rig.trials.load import HEAD, Load
from tests.rig.trials.running import pipes
from tests.rig.trials.stress import balance, outcome
from tests.rig.trials.world import World

BEFORE, AFTER = 15.0, 45.0  # seconds of load around a fault
DISK, SITE = 300, 1100  # MB that the recordings' disk has, and the one of all else
HOUR = 3600  # seconds by which the clock is stepped
_SCRAP = b'"1795672440.000001","HANGUP","1","17956'  # what a crash leaves of a record


def kill(name: str) -> Callable[[World, Load], Awaitable[None]]:
    """kill -9 one of the site's processes."""

    async def fault(world: World, _load: Load) -> None:
        os.kill(_pid(world.place, name), signal.SIGKILL)

    return fault


async def freeze_pbx(world: World, _load: Load) -> None:
    """The process that commands Asterisk stands still for 20 s."""
    pid = _pid(world.place, "pbx")
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(20)
    os.kill(pid, signal.SIGCONT)


async def lock_database(world: World, _load: Load) -> None:
    """Nobody can write for 30 s."""
    lock = sqlite.connect(world.facts["database"], isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(30)
    lock.execute("ROLLBACK")
    lock.close()


async def fill_disk(world: World, _load: Load) -> None:
    """Not a byte of sound can be written for 20 s."""
    folder = Path(world.facts["recordings"])
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))
            file.flush()
    with contextlib.suppress(OSError), filler.open("ab") as file:
        while True:
            file.write(bytes(512))
            file.flush()
    await asyncio.sleep(20)
    filler.unlink()


async def fill_site(world: World, _load: Load) -> None:
    """Something fills the disk of the database and of the event log, for 20 s."""
    filler = Path(world.place.folder) / "filler"
    with filler.open("wb") as file:
        free = shutil.disk_usage(filler).free
        os.posix_fallocate(file.fileno(), 0, free - reserve.LEAST // 2)
        await asyncio.sleep(10)
        free = shutil.disk_usage(filler).free
        os.posix_fallocate(file.fileno(), filler.stat().st_size, free - reserve.LEAST // 2)
        await asyncio.sleep(10)
    filler.unlink()


async def rotate_log(world: World, _load: Load) -> None:
    """Ten rotations in ten seconds, each of them just after half a record."""
    log = Path(world.facts["event_log"])
    for number in range(10):
        with contextlib.suppress(FileNotFoundError):
            with log.open("ab") as file:
                file.write(_SCRAP)
            log.rename(log.with_name(f"{log.name}.{time.time_ns()}.{number}"))
        await asyncio.sleep(1)


async def trunk_down(world: World, load: Load) -> None:
    """The carrier neither hears nor speaks for 15 s."""
    carrier = world.people.carrier
    streams = [call.media for call in carrier.calls.values() if call.state == "up"]
    carrier.deaf = load.is_down = True
    for media in streams:
        media.silent = True
    load.cut_off()
    await asyncio.sleep(15)
    load.cut_off()
    carrier.deaf = load.is_down = False
    for media in streams:
        media.silent = False


async def kill_asterisk(world: World, load: Load) -> None:
    """kill -9 Asterisk: the calls of this moment are lost to everybody."""
    os.kill(_pid(world.place, "asterisk"), signal.SIGKILL)
    load.crash()


def step(clock: Clock, by: int) -> Callable[[World, Load], Awaitable[None]]:
    """The clock of every process of the site jumps by so many seconds; the callers' does not."""

    async def fault(world: World, _load: Load) -> None:
        world.began_at = min(world.began_at, world.began_at + by)  # the rows that are exported
        clock.step(by)
        await asyncio.sleep(LEARNS)

    return fault


FAULTS: dict[str, Callable[[World, Load], Awaitable[None]]] = {
    "nothing": kill("nobody"),
    "kill -9 web": kill("web"),
    "kill -9 pbx": kill("pbx"),
    "kill -9 jobs": kill("jobs"),
    "pbx frozen for 20 s": freeze_pbx,
    "database locked for 30 s": lock_database,
    "recordings' disk full for 20 s": fill_disk,
    "the site's disk full for 20 s": fill_site,
    "event log cut and rotated 10 times": rotate_log,
    "trunk dead for 15 s": trunk_down,
    "kill -9 asterisk": kill_asterisk,
}


async def run(place: Place, at_once: int, names: list[str], clock: Clock | None) -> int:
    """Every fault (whose name contains one of `names`) in a load of its own; prints the table."""
    lines = []
    bad = 0
    faults = FAULTS.copy()
    if clock:
        faults |= {
            "clock stepped forward by an hour": step(clock, HOUR),
            "clock stepped back by an hour": step(clock, -HOUR),
        }
    async with World(place).open() as world:
        for position, (name, fault) in enumerate(faults.items()):
            if names and not any(part in name for part in names):
                continue
            load = Load(world, seed=position)
            load.open()
            keeping = asyncio.create_task(load.keep(at_once, BEFORE + AFTER))
            await asyncio.sleep(BEFORE)
            if name != "nothing":
                await fault(world, load)
            back = await load.first_answer(time.time())
            await keeping
            made = await outcome(world, load)
            if idle := await _not_ready(world):
                made.troubles["operator not ready"] = idle
            line = (*made.line(name), f"{back:.1f}" if back else "never")
            lines.append(line)
            print(" | ".join(line), flush=True)
            for one in (*made.missing, *made.wrong, *made.dropped)[:8]:
                print(f"   {one}", flush=True)
            bad += len(made.missing) + len(made.wrong)
            bad += 0 if fault is kill_asterisk else len(made.dropped)
        print(pipes((*HEAD, "next answer, s", ""), [(*line, "") for line in lines]))
        print(await balance(world))
    return int(bool(bad))


async def _not_ready(world: World) -> int:
    """How many operators, who all were ready, are not any more."""
    told = await world.appliance("operator", "list", "--json")
    return sum(one["state"] != "ready" for one in json.loads(told))


@contextlib.contextmanager
def small_disks(place: Place) -> Iterator[None]:
    """Disks of their own for the site and for its recordings, when we may mount some."""
    shutil.rmtree(place.folder, ignore_errors=True)
    with contextlib.ExitStack() as mounted:
        for folder, size, fault in (
            (place.folder, SITE, "the site's disk full for 20 s"),
            (place.folder / "recordings", DISK, "recordings' disk full for 20 s"),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)]
            if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
                mounted.callback(subprocess.run, ["umount", str(folder)], check=False)
            else:
                print(f"no disk could be mounted: {fault} is left out")
                FAULTS.pop(fault, None)
        yield


def _pid(place: Place, name: str) -> int:
    return int((place.run / f"{name}.pid").read_text("ascii"))
