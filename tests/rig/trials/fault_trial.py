"""Faults injected into a running site: page, command and alarm must report each within 90 s."""

import asyncio
import contextlib
import dataclasses
import json
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.pbx import actions
from appliance.telephony import routing
from appliance.telephony.routing import Trunk
from provisioning.local import settings_file, site
from provisioning.local.carrier import LoopCarrier
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT, Place
from tests.rig.fakes import sms, telegram
from tests.rig.fakes.registrar import Registrar
from tests.rig.parties import CallParties, connect_parties
from tests.rig.trials import fault_actions, faults, faults_telephony, running
from tests.rig.trials.fault_actions import Fault, Scene
from tests.rig.trials.observer import REPORTING_WAYS, FaultReport, SiteObserver

ALL_FAULTS = (*faults.SITE_FAULTS, *faults_telephony.TELEPHONY_FAULTS)
FAULTS_HEAD = ("fault", "check", *(f"{way}, s" for way in REPORTING_WAYS), "cleared, s", "in words")
_MAX_TEXT_LENGTH = 200  # of the texts that are printed
_GROUP_CHAT = -1001234567890


@dataclass(frozen=True)
class EquippedPlace(Place):
    """A site with every external system that it can have."""

    more_settings: str = ""

    def _settings_text(self, stored: dict[str, dict[str, str]]) -> str:
        return f"{super()._settings_text(stored)}\n{self.more_settings}"


@contextlib.asynccontextmanager
async def running_scene(folder: Path) -> AsyncIterator[Scene]:
    """A running site with operators ready at their phones, and external systems that answer."""
    with telegram.run_bot_api() as bot, sms.run_sms_service() as service:
        tables: dict[str, settings_file.Table | Sequence[settings_file.Table]] = {
            "telegram": {"token": telegram.BOT_TOKEN, "chat": _GROUP_CHAT, "url": bot.url},
            "alarms": {"chat": _GROUP_CHAT, "language": "ru"},
            "links": {"internet": service.url.removeprefix("http://"), "every": 10},
            "snapshots": {"replica": str(folder / "second")},
            "self_tests": {"carrier_minutes": 10},
        }
        place = EquippedPlace(folder, more_settings=settings_file.toml_text(tables))
        with site.trial_site(place):
            facts = json.loads(place.description_file.read_text("utf-8"))
            async with (
                connect_parties(place, facts["operators"]) as parties,
                AsyncExitStack() as stack,
            ):
                parties.on_ring = lambda _phone, call: call.pick_up()
                settings = site_settings.load_settings(place.config_file)
                loop, registrar = await stack.enter_async_context(connect_carriers(place, parties))
                await asyncio.to_thread(add_registered_trunk, place, settings)
                scene = Scene(place, facts, settings, parties, bot, service, loop, registrar)
                fault_actions.start_replicate(scene)
                try:
                    logins = [operator["login"] for operator in facts["operators"]]
                    await scene.run_appliance("operator", "ready", *logins)
                    await scene.make_call()
                    yield scene
                finally:
                    fault_actions.end_all_processes(scene)


def add_registered_trunk(place: Place, settings: Settings) -> None:
    """Give the running site a trunk of a second carrier, at which it registers."""
    address = f"{place.network_prefix}.3"
    second = Trunk("registered", address=address, register=True, user="hotline", password="secret")
    with db.open_database(settings.paths.database).connection_context():
        plan = routing.current_plan(settings)
        new_plan = dataclasses.replace(plan, trunks=(*plan.trunks, second))
        actions.apply_plan(settings, new_plan, "trial")


@contextlib.asynccontextmanager
async def connect_carriers(
    place: Place, parties: CallParties
) -> AsyncIterator[tuple[LoopCarrier, Registrar]]:
    """Both carriers put calls to the hotline's number through; the second is a registrar."""
    box = (place.box_address, SIP_PORT)
    first_loop = LoopCarrier(parties.carrier, HOTLINE_NUMBER)
    parties.on_outgoing_call = first_loop.receive_call
    async with Registrar(
        f"{place.network_prefix}.3", SIP_PORT, box, parties.carrier.clock
    ) as registrar:
        registrar.on_call = LoopCarrier(registrar, HOTLINE_NUMBER).receive_call
        yield first_loop, registrar


async def run_faults(folder: Path, names: list[str]) -> int:
    """Run each fault (whose name contains one of `names`) and print the table.

    Returns 1 if a fault is not reported.
    """
    selected = [f for f in ALL_FAULTS if not names or any(part in f.name for part in names)]
    lines: list[tuple[str, ...]] = []
    failure_count = 0
    async with running_scene(folder) as scene:
        observer = SiteObserver(scene.place, scene.facts["users"]["technician"])
        await _wait_until_settled(observer)
        for group in sorted({fault.group for fault in selected}):
            group_faults = [fault for fault in selected if fault.group == group]
            reports = await _try_group(scene, observer, group_faults)
            for fault, report in zip(group_faults, reports, strict=True):
                lines.append(_table_line(fault, report))
                failure_count += not report.is_complete or (report.cleared_after is None)
                print(" | ".join(lines[-1]), flush=True)
        alarms = [text for _chat, text, _buttons in scene.bot.messages]
    print(running.pipe_table((*FAULTS_HEAD, ""), [(*line, "") for line in lines]))
    print(f"\n{len(lines)} faults, {failure_count} not seen or not cleared; messages of alarms:")
    for text in alarms:
        print(f"  {text[:_MAX_TEXT_LENGTH]}")
    return int(bool(failure_count))


async def _wait_until_settled(observer: SiteObserver) -> None:
    """Wait until the site is up, so that later failures come from injected faults."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        failing = {
            code: text
            for code, (s, text) in (await observer.checks_by_command()).items()
            if s == "fail"
        }
        if not failing:
            break
        await asyncio.sleep(1)
    print(f"failing before any fault: {failing}", flush=True)


async def _try_group(
    scene: Scene, observer: SiteObserver, group_faults: list[Fault]
) -> list[FaultReport]:
    reports = [FaultReport(fault.code, fault.text, fault.ways) for fault in group_faults]
    watch_task = asyncio.create_task(observer.watch_faults(reports))
    for fault, report in zip(group_faults, reports, strict=True):
        report.injected_at = time.monotonic()
        try:
            await fault.inject(scene)
        except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
            print(f"{fault.name} could not be put in: {error}", flush=True)
    await watch_task
    for fault in reversed(group_faults):
        try:
            await fault.repair(scene)
        except (OSError, subprocess.CalledProcessError, RuntimeError, StopIteration) as error:
            print(f"{fault.name} could not be undone: {error}", flush=True)
    await observer.wait_until_cleared(reports)
    return reports


def _table_line(fault: Fault, report: FaultReport) -> tuple[str, ...]:
    def seconds_by_way(way: str) -> str:
        if way not in fault.ways and way not in report.seconds_by_way:
            return "–"
        return f"{report.seconds_by_way[way]:.0f}" if way in report.seconds_by_way else "UNSEEN"

    cleared = f"{report.cleared_after:.0f}" if report.cleared_after is not None else "NEVER"
    text = " ".join(report.reported_text.split())[:_MAX_TEXT_LENGTH]
    return (fault.name, fault.code, *(seconds_by_way(way) for way in REPORTING_WAYS), cleared, text)
