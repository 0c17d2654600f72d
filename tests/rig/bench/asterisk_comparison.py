"""Compare the whole site with Asterisk alone, under the same calls: processor, sound, lag.

SIPp keeps a fixed number of calls up: 25 operators speak, the other callers wait and listen to
music. Asterisk alone has the same configuration, queues and phones; the appliance's processes do
not run, and no page is open.
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
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT, Place
from provisioning.local.plans import Times
from provisioning.local.sipp import SippProcess
from tests.rig.bench import sound as hearing
from tests.rig.bench.table import Row
from tests.rig.trials import desks_open, screen
from tests.rig.trials.log_reader import EventLogReader
from tests.rig.waiting import wait_until

OPERATOR_COUNT = 25
# calls at the same time → 95th percentile aim in ms, from the log to the page
LAG_AIMS_MS = {
    50: 150.0,
    100: 200.0,
}
_EARLIER_RESULTS = {50: ("2.2×", "", "191 ms"), 100: ("1.9×", "-4.7", "587 ms")}
TALK_SECONDS = 30.0
CALLS_PER_SECOND = 4  # calls a second until all are up
SETTLING_SECONDS, MEASURED_SECONDS, WATCHED_SECONDS = 15.0, 60.0, 45.0
APPLIANCE_SERVICES = ("pbx", "web", "jobs", "front")
MAX_CPU_RATIO = 1.25  # times the processor time of Asterisk alone
MAX_SOUND_LOSS_POINTS = -0.5  # percentage points by which the share of the worst may be lower


@dataclass
class LoadResult:
    """What one load cost and delivered."""

    cores: dict[str, float]  # by service
    sound: hearing.DeliveredShares
    calls: int  # that ended during the measurement
    lag_seconds: float = 0.0  # 95th percentile, from the log to the page
    memory_mb: dict[str, float] | None = None  # by service

    @property
    def total_cores(self) -> float:
        """Cores of all services together."""
        return sum(self.cores.values())


def comparison_rows(
    place: Place,
    measured_seconds: float = MEASURED_SECONDS,
    watched_seconds: float = WATCHED_SECONDS,
) -> Iterator[Row]:
    """Measure each load, first with Asterisk alone. The site is created afresh, and stays."""
    _prepare_site(place)
    memory: dict[str, float] = {}
    for calls, max_lag_ms in LAG_AIMS_MS.items():
        asterisk_load = asyncio.run(_measure_asterisk(place, calls, measured_seconds))
        site_load = asyncio.run(_measure_site(place, calls, measured_seconds, watched_seconds))
        with_pages = f"{calls} calls, {OPERATOR_COUNT} operators' pages"
        earlier_ratio, earlier_loss, earlier_lag = _EARLIER_RESULTS[calls]
        title = f"the site, {with_pages}"
        yield Row(
            title,
            site_load.total_cores,
            "cores",
            asterisk_load.total_cores,
            MAX_CPU_RATIO,
            before=earlier_ratio,
        )
        for name, cores in site_load.cores.items():
            yield Row(f"  of it {name}", cores, "cores")
        for party in ("callers", "operators"):
            site_percent, floor = (
                shares.worst_percent(getattr(shares, party))
                for shares in (site_load.sound, asterisk_load.sound)
            )
            yield Row(f"{calls} calls, {party}, worst 5 %: heard", site_percent, "%", floor)
            loss_title = "  less than with Asterisk alone"
            yield Row(
                loss_title,
                site_percent - floor,
                "points",
                aim=MAX_SOUND_LOSS_POINTS,
                least=True,
                before=earlier_loss,
            )
        title = f"{calls} calls, log to page, 95 %"
        yield Row(title, 1000 * site_load.lag_seconds, "ms", aim=max_lag_ms, before=earlier_lag)
        memory = site_load.memory_mb or {}
    yield Row("memory of all processes (PSS)", sum(memory.values()), "MB", aim=300, before="473")
    for name, size in memory.items():
        yield Row(f"  of it {name}", size, "MB")


def _prepare_site(place: Place) -> None:
    """Create a site whose operators are ready; Asterisk stores that in its own database."""
    operators = []
    with site.trial_site(place):
        operators = json.loads(place.description_file.read_text("utf-8"))["operators"][
            :OPERATOR_COUNT
        ]
        site.run_appliance(
            place, "operator", "ready", *(operator["login"] for operator in operators)
        )


async def _measure_asterisk(place: Place, calls: int, measured_seconds: float) -> LoadResult:
    asterisk = next(service for service in site.site_services(place) if service.name == "asterisk")
    with (place.log_folder / "alone.log").open("ab") as log:
        process = subprocess.Popen(
            [*asterisk.command], stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until(lambda: site.is_sip_answering(place), site.START_TIMEOUT_SECONDS)
        async with _running_calls(place, calls):
            return await _measure_load(place, {"asterisk": process.pid}, measured_seconds)
    finally:
        process.terminate()
        process.wait()


async def _measure_site(
    place: Place, calls: int, measured_seconds: float, watched_seconds: float
) -> LoadResult:
    with site.trial_site(place, fresh=False):
        async with desks_open.running_pages(place, OPERATOR_COUNT), _running_calls(place, calls):
            pids = {name: _service_pid(place, name) for name in ("asterisk", *APPLIANCE_SERVICES)}
            load = await _measure_load(place, pids, measured_seconds)
            load.memory_mb = {name: _memory_mb(pid) for name, pid in pids.items()}
            async with screen.watching_page(place) as page_file:
                await asyncio.sleep(watched_seconds)
        stories = EventLogReader(place.folder / "asterisk" / "log" / "cel-custom" / "events.csv")
        stories.read_new_events()
        lags = screen.measure_lags(stories, page_file)
    seconds = [lag for step in lags.seconds.values() for lag in step]
    assert len(seconds) > 1, "nobody saw the calls on the page"
    load.lag_seconds = statistics.quantiles(seconds, n=20, method="inclusive")[18]
    return load


async def _measure_load(place: Place, pids: dict[str, int], measured_seconds: float) -> LoadResult:
    file = place.folder / "sound.pcap"
    with hearing.record_packets(place, file):
        cpu_before, started_at = _cpu_seconds(pids), time.monotonic()
        ended_before = _ended_call_count(place)
        await asyncio.sleep(measured_seconds)
        cpu_after, elapsed = _cpu_seconds(pids), time.monotonic() - started_at
    cores = {name: (cpu_after[name] - cpu_before[name]) / elapsed for name in pids}
    load = LoadResult(
        cores, hearing.delivered_shares(place, file), _ended_call_count(place) - ended_before
    )
    print(f"  {load.calls} calls in {elapsed:.0f} s; {load.cores}", flush=True)
    return load


@contextlib.asynccontextmanager
async def _running_calls(place: Place, call_count: int) -> AsyncIterator[None]:
    """Registered phones and `call_count` calls; each call that ends is followed by another."""
    folder = place.folder / "sipp"
    operators = json.loads(place.description_file.read_text("utf-8"))["operators"][:OPERATOR_COUNT]
    phone_accounts = [Phone(item["extension"], item["sip_password"]) for item in operators]
    phones = Phones(
        place.box_address, place.phones_address, folder, phone_accounts, Handling(1.0, TALK_SECONDS)
    )
    script = plans.not_rated("", Times(stays=600.0))
    sipp = SippProcess("caller", folder / "callers", place.carrier_address)
    sipp.folder.mkdir(parents=True, exist_ok=True)
    numbers = [(plans.caller_number(item), 0) for item in range(10_000)]
    try:
        phones.start_phones()
        phones.register_all()
        sipp.start_scenario(
            {"callers.csv": numbers},
            f"{place.box_address}:{SIP_PORT}",
            *(
                "-s",
                HOTLINE_NUMBER,
                "-m",
                str(len(numbers)),
                "-l",
                str(call_count),
                "-r",
                str(CALLS_PER_SECOND),
            ),
            *("-recv_timeout", "60000", "-min_rtp_port", "20000", "-max_rtp_port", "65000"),
            placeholders=callers.scenario_values(script, sipp.folder),
        )
        await asyncio.sleep(call_count / CALLS_PER_SECOND + SETTLING_SECONDS)
        assert sipp.is_running, sipp.last_error()
        yield
        assert sipp.is_running, sipp.last_error()
    finally:
        sipp.kill_process()
        phones.stop_phones()


def _ended_call_count(place: Place) -> int:
    events = SippProcess(
        "caller", place.folder / "sipp" / "callers", place.carrier_address
    ).read_events()
    return sum(event.name in ("dismissed", "left") for event in events)


def _service_pid(place: Place, name: str) -> int:
    return int((place.run_folder / f"{name}.pid").read_text("ascii"))


def _cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """Seconds of a processor that each service used: its process, and those that it started."""
    seconds = dict.fromkeys(pids, 0.0)
    for _process, name, fields in _service_processes(pids):
        seconds[name] += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _memory_mb(pid: int) -> float:
    """Megabytes of a service; memory shared by several of its processes is counted once."""
    kilobytes = 0
    for process, _name, _fields in _service_processes({"it": pid}):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
            kilobytes += next(
                int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line
            )
    return kilobytes / 1000


def _service_processes(pids: dict[str, int]) -> Iterator[tuple[int, str, list[str]]]:
    """Every process of the services: its number, its service, its fields of /proc/PID/stat.

    The fields are those after the name.
    """
    names = {pid: name for name, pid in pids.items()}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            if name := names.get(int(fields[3])):  # the session of the process
                yield int(entry.name), name, fields
