"""Faults during a load: the effect of each on calls and on the ledger."""

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
from tests.rig.trials.clocks import CLOCK_CACHE_SECONDS, SiteClock
from tests.rig.trials.load import LOAD_HEAD, CallLoad
from tests.rig.trials.running import pipe_table
from tests.rig.trials.stress import balance_line, load_outcome
from tests.rig.trials.world import World

SECONDS_BEFORE_FAULT, SECONDS_AFTER_FAULT = 15.0, 45.0  # of load
# sizes of the recordings' disk, and of the disk of everything else
RECORDINGS_DISK_MB, SITE_DISK_MB = (
    300,
    1100,
)
CLOCK_STEP_SECONDS = 3600
_HALF_RECORD = (
    b'"1795672440.000001","HANGUP","1","17956'  # the part of a record that a crash leaves
)


def make_kill_fault(name: str) -> Callable[[World, CallLoad], Awaitable[None]]:
    """A fault that sends kill -9 to one of the site's processes."""

    async def kill_process(world: World, _load: CallLoad) -> None:
        os.kill(_process_id(world.place, name), signal.SIGKILL)

    return kill_process


async def freeze_pbx(world: World, _load: CallLoad) -> None:
    """Stop the process that commands Asterisk for 20 s."""
    pid = _process_id(world.place, "pbx")
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(20)
    os.kill(pid, signal.SIGCONT)


async def lock_database(world: World, _load: CallLoad) -> None:
    """Lock the database for writing for 30 s."""
    connection = sqlite.connect(world.facts["database"], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(30)
    connection.execute("ROLLBACK")
    connection.close()


async def fill_disk(world: World, _load: CallLoad) -> None:
    """Fill the recordings' disk for 20 s, so that not a byte of sound can be written."""
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


async def fill_site(world: World, _load: CallLoad) -> None:
    """Fill the disk of the database and of the event log for 20 s."""
    filler = Path(world.place.folder) / "filler"
    with filler.open("wb") as file:
        free = shutil.disk_usage(filler).free
        os.posix_fallocate(file.fileno(), 0, free - reserve.MIN_FREE_BYTES // 2)
        await asyncio.sleep(10)
        free = shutil.disk_usage(filler).free
        os.posix_fallocate(file.fileno(), filler.stat().st_size, free - reserve.MIN_FREE_BYTES // 2)
        await asyncio.sleep(10)
    filler.unlink()


async def rotate_log(world: World, _load: CallLoad) -> None:
    """Rotate the log ten times in ten seconds, each time just after half a record."""
    log = Path(world.facts["event_log"])
    for number in range(10):
        with contextlib.suppress(FileNotFoundError):
            with log.open("ab") as file:
                file.write(_HALF_RECORD)
            log.rename(log.with_name(f"{log.name}.{time.time_ns()}.{number}"))
        await asyncio.sleep(1)


async def trunk_down(world: World, load: CallLoad) -> None:
    """The carrier neither receives nor sends anything for 15 s."""
    carrier = world.parties.carrier
    streams = [call.media for call in carrier.calls.values() if call.state == "up"]
    carrier.ignores_traffic = load.is_down = True
    for media in streams:
        media.is_silent = True
    load.mark_trunk_dead()
    await asyncio.sleep(15)
    load.mark_trunk_dead()
    carrier.ignores_traffic = load.is_down = False
    for media in streams:
        media.is_silent = False


async def kill_asterisk(world: World, load: CallLoad) -> None:
    """kill -9 Asterisk: all current calls are lost for everybody."""
    os.kill(_process_id(world.place, "asterisk"), signal.SIGKILL)
    load.mark_crash()


def make_clock_fault(
    clock: SiteClock, seconds: int
) -> Callable[[World, CallLoad], Awaitable[None]]:
    """Step the clock of all processes of the site by `seconds`; the callers' clock stays."""

    async def step_clock(world: World, _load: CallLoad) -> None:
        # so that all rows are exported
        world.began_at = min(world.began_at, world.began_at + seconds)
        clock.step_clock(seconds)
        await asyncio.sleep(CLOCK_CACHE_SECONDS)

    return step_clock


FAULTS: dict[str, Callable[[World, CallLoad], Awaitable[None]]] = {
    "nothing": make_kill_fault("nobody"),
    "kill -9 web": make_kill_fault("web"),
    "kill -9 pbx": make_kill_fault("pbx"),
    "kill -9 jobs": make_kill_fault("jobs"),
    "pbx frozen for 20 s": freeze_pbx,
    "database locked for 30 s": lock_database,
    "recordings' disk full for 20 s": fill_disk,
    "the site's disk full for 20 s": fill_site,
    "event log cut and rotated 10 times": rotate_log,
    "trunk dead for 15 s": trunk_down,
    "kill -9 asterisk": kill_asterisk,
}


async def run_faults(place: Place, at_once: int, names: list[str], clock: SiteClock | None) -> int:
    """Each fault (whose name contains one of `names`) during its own load; prints the table."""
    table_lines = []
    failure_count = 0
    faults = FAULTS.copy()
    if clock:
        faults |= {
            "clock stepped forward by an hour": make_clock_fault(clock, CLOCK_STEP_SECONDS),
            "clock stepped back by an hour": make_clock_fault(clock, -CLOCK_STEP_SECONDS),
        }
    async with World(place).open_world() as world:
        for position, (name, fault) in enumerate(faults.items()):
            if names and not any(part in name for part in names):
                continue
            load = CallLoad(world, seed=position)
            load.attach_handlers()
            keeping_task = asyncio.create_task(
                load.keep_calls(at_once, SECONDS_BEFORE_FAULT + SECONDS_AFTER_FAULT)
            )
            await asyncio.sleep(SECONDS_BEFORE_FAULT)
            if name != "nothing":
                await fault(world, load)
            recovery_seconds = await load.seconds_to_answer(time.time())
            await keeping_task
            result = await load_outcome(world, load)
            if idle_count := await _idle_operator_count(world):
                result.troubles["operator not ready"] = idle_count
            line = (
                *result.as_line(name),
                f"{recovery_seconds:.1f}" if recovery_seconds else "never",
            )
            table_lines.append(line)
            print(" | ".join(line), flush=True)
            for description in (*result.missing, *result.wrong, *result.dropped)[:8]:
                print(f"   {description}", flush=True)
            failure_count += len(result.missing) + len(result.wrong)
            failure_count += 0 if fault is kill_asterisk else len(result.dropped)
        print(pipe_table((*LOAD_HEAD, "next answer, s", ""), [(*line, "") for line in table_lines]))
        print(await balance_line(world))
    return int(bool(failure_count))


async def _idle_operator_count(world: World) -> int:
    """The number of operators, all ready at first, who no longer are."""
    output = await world.run_command("operator", "list", "--json")
    return sum(operator["state"] != "ready" for operator in json.loads(output))


@contextlib.contextmanager
def small_disks(place: Place) -> Iterator[None]:
    """Separate disks for the site and for its recordings, if this user may mount them."""
    shutil.rmtree(place.folder, ignore_errors=True)
    with contextlib.ExitStack() as mounts:
        for folder, size, fault in (
            (place.folder, SITE_DISK_MB, "the site's disk full for 20 s"),
            (place.folder / "recordings", RECORDINGS_DISK_MB, "recordings' disk full for 20 s"),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)]
            if subprocess.run(mount, check=False, capture_output=True).returncode == 0:
                mounts.callback(subprocess.run, ["umount", str(folder)], check=False)
            else:
                print(f"no disk could be mounted: {fault} is left out")
                FAULTS.pop(fault, None)
        yield


def _process_id(place: Place, name: str) -> int:
    return int((place.run_folder / f"{name}.pid").read_text("ascii"))
