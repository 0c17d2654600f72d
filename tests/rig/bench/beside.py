"""The whole site beside Asterisk alone, under the same calls in turn: processor, sound, lateness.

SIPp keeps so many calls up: 25 operators speak, the others wait and hear music. Asterisk alone has
the same configuration, queues and phones; none of our processes runs, and no page is open.
"""

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.local import callers, plans, site
from provisioning.local.phones import Handling, Phone, Phones
from provisioning.local.place import HOTLINE, SIP, Place
from provisioning.local.plans import Times
from provisioning.local.sipp import Sipp
from tests.rig.bench import sound as hearing
from tests.rig.bench.table import Row
from tests.rig.trials import desks_open, screen
from tests.rig.trials.stories import Stories
from tests.rig.waiting import until

OPERATORS = 25
CALLS = {50: 150.0, 100: 200.0}  # at once → ms from the log to the page, 95 of a hundred
_BEFORE = {50: ("2.2×", "", "191 ms"), 100: ("1.9×", "-4.7", "587 ms")}
TALK = 30.0  # seconds
COMES = 4  # calls a second until so many are up
SETTLES, MEASURED, WATCHED = 15.0, 60.0, 45.0  # seconds
OURS = ("pbx", "web", "jobs", "front")
MOST = 1.25  # times of what Asterisk alone takes
LOSS = -0.5  # points of a hundred that the worst may hear less


@dataclass
class Load:
    """What one load took and gave."""

    cores: dict[str, float]  # by process
    sound: hearing.Heard
    calls: int  # that ended while it was measured
    late: float = 0.0  # seconds, 95 of a hundred, from the log to the page
    memory: dict[str, float] | None = None  # MB by process

    @property
    def all_cores(self) -> float:
        return sum(self.cores.values())


def rows(place: Place, measured: float = MEASURED, watched: float = WATCHED) -> Iterator[Row]:
    """Each load in turn, first Asterisk alone. The site is made anew, and stays."""
    _prepare(place)
    memory: dict[str, float] = {}
    for calls, most in CALLS.items():
        alone = asyncio.run(_alone(place, calls, measured))
        whole = asyncio.run(_whole(place, calls, measured, watched))
        with_pages = f"{calls} calls, {OPERATORS} operators' pages"
        times, heard, late = _BEFORE[calls]
        what = f"the site, {with_pages}"
        yield Row(what, whole.all_cores, "cores", alone.all_cores, MOST, before=times)
        for name, cores in whole.cores.items():
            yield Row(f"  of it {name}", cores, "cores")
        for who in ("callers", "operators"):
            got, floor = (one.worst(getattr(one, who)) for one in (whole.sound, alone.sound))
            yield Row(f"{calls} calls, {who}, worst 5 %: heard", got, "%", floor)
            less = "  less than with Asterisk alone"
            yield Row(less, got - floor, "points", aim=LOSS, least=True, before=heard)
        what = f"{calls} calls, log to page, 95 %"
        yield Row(what, 1000 * whole.late, "ms", aim=most, before=late)
        memory = whole.memory or {}
    yield Row("memory of all processes (PSS)", sum(memory.values()), "MB", aim=300, before="473")
    for name, size in memory.items():
        yield Row(f"  of it {name}", size, "MB")


def _prepare(place: Place) -> None:
    """A site whose operators are ready; Asterisk keeps that in its own database."""
    facts = []
    with site.trial(place):
        facts = json.loads(place.description.read_text("utf-8"))["operators"][:OPERATORS]
        site.appliance(place, "operator", "ready", *(one["login"] for one in facts))


async def _alone(place: Place, calls: int, measured: float) -> Load:
    asterisk = next(one for one in site.services(place) if one.name == "asterisk")
    with (place.logs / "alone.log").open("ab") as log:
        process = subprocess.Popen(
            [*asterisk.command], stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: site.sip_answers(place), site.READY)
        async with _calling(place, calls):
            return await _measured(place, {"asterisk": process.pid}, measured)
    finally:
        process.terminate()
        process.wait()


async def _whole(place: Place, calls: int, measured: float, watched: float) -> Load:
    with site.trial(place, fresh=False):
        async with desks_open.opened(place, OPERATORS), _calling(place, calls):
            pids = {name: _pid(place, name) for name in ("asterisk", *OURS)}
            load = await _measured(place, pids, measured)
            load.memory = {name: _memory(pid) for name, pid in pids.items()}
            async with screen.watched(place) as shown:
                await asyncio.sleep(watched)
        stories = Stories(place.folder / "asterisk" / "log" / "cel-custom" / "events.csv")
        stories.look()
        lags = screen.compare(stories, shown)
    seconds = [one for step in lags.seconds.values() for one in step]
    assert len(seconds) > 1, "nobody saw the calls on the page"
    load.late = statistics.quantiles(seconds, n=20, method="inclusive")[18]
    return load


async def _measured(place: Place, pids: dict[str, int], measured: float) -> Load:
    file = place.folder / "sound.pcap"
    with hearing.taken_down(place, file):
        before, began = _worked(pids), time.monotonic()
        ended = _ended(place)
        await asyncio.sleep(measured)
        after, lasted = _worked(pids), time.monotonic() - began
    cores = {name: (after[name] - before[name]) / lasted for name in pids}
    made = Load(cores, hearing.heard(place, file), _ended(place) - ended)
    print(f"  {made.calls} calls in {lasted:.0f} s; {made.cores}", flush=True)
    return made


@contextlib.asynccontextmanager
async def _calling(place: Place, at_once: int) -> AsyncIterator[None]:
    """Phones are registered, so many calls are up, and each that ends is followed by another."""
    folder = place.folder / "sipp"
    facts = json.loads(place.description.read_text("utf-8"))["operators"][:OPERATORS]
    sets = [Phone(one["extension"], one["sip_password"]) for one in facts]
    phones = Phones(place.box, place.phones, folder, sets, Handling(1.0, TALK))
    script = plans.not_rated("", Times(stays=600.0))
    sipp = Sipp("caller", folder / "callers", place.carrier)
    sipp.folder.mkdir(parents=True, exist_ok=True)
    numbers = [(plans.number(one), 0) for one in range(10_000)]
    try:
        phones.start()
        phones.register()
        sipp.start(
            {"callers.csv": numbers},
            f"{place.box}:{SIP}",
            *("-s", HOTLINE, "-m", str(len(numbers)), "-l", str(at_once), "-r", str(COMES)),
            *("-recv_timeout", "60000", "-min_rtp_port", "20000", "-max_rtp_port", "65000"),
            facts=callers.facts(script, sipp.folder),
        )
        await asyncio.sleep(at_once / COMES + SETTLES)
        assert sipp.running, sipp.complaint()
        yield
        assert sipp.running, sipp.complaint()
    finally:
        sipp.stop()
        phones.stop()


def _ended(place: Place) -> int:
    events = Sipp("caller", place.folder / "sipp" / "callers", place.carrier).events()
    return sum(event.name in ("dismissed", "left") for event in events)


def _pid(place: Place, name: str) -> int:
    return int((place.run / f"{name}.pid").read_text("ascii"))


def _worked(pids: dict[str, int]) -> dict[str, float]:
    """Seconds of a processor that each service has had: its process, and whom it began."""
    took = dict.fromkeys(pids, 0.0)
    for _process, name, words in _processes(pids):
        took[name] += sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
    return took


def _memory(pid: int) -> float:
    """Megabytes of a service, what several share counted once among them."""
    size = 0
    for process, _name, _words in _processes({"it": pid}):
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
            size += next(int(line.split()[1]) for line in told.splitlines() if "Pss:" in line)
    return size / 1000


def _processes(pids: dict[str, int]) -> Iterator[tuple[int, str, list[str]]]:
    """Every process of the services: number, service, what /proc/PID/stat says after the name."""
    names = {pid: name for name, pid in pids.items()}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if name := names.get(int(words[3])):  # its session
                yield int(entry.name), name, words
