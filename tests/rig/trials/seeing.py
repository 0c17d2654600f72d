"""Faults put into a running site: each must be seen by page, command and alarm within 90 s."""

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
from provisioning.local.carrier import Loop
from provisioning.local.place import HOTLINE, SIP, Place
from tests.rig.fakes import sms, telegram
from tests.rig.fakes.registrar import Registrar
from tests.rig.parties import People, people
from tests.rig.trials import deeds, faults, faults_telephony, running
from tests.rig.trials.deeds import Fault, Scene
from tests.rig.trials.eyes import WAYS, Eyes, Sight

FAULTS = (*faults.FAULTS, *faults_telephony.FAULTS)
HEAD = ("fault", "check", *(f"{way}, s" for way in WAYS), "cleared, s", "in words")
_WORDS = 200  # letters of the words that are printed
_GROUP = -1001234567890


@dataclass(frozen=True)
class Equipped(Place):
    """A site with everything that it can have outside."""

    more: str = ""

    def _settings(self, kept: dict[str, dict[str, str]]) -> str:
        return f"{super()._settings(kept)}\n{self.more}"


@contextlib.asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Scene]:
    """The site runs, operators are ready at their phones, the parties outside answer."""
    with telegram.chats() as bot, sms.service() as service:
        tables: dict[str, settings_file.Table | Sequence[settings_file.Table]] = {
            "telegram": {"token": telegram.TOKEN, "chat": _GROUP, "url": bot.url},
            "alarms": {"chat": _GROUP, "language": "ru"},
            "links": {"internet": service.url.removeprefix("http://"), "every": 10},
            "snapshots": {"replica": str(folder / "second")},
            "self_tests": {"carrier_minutes": 10},
        }
        place = Equipped(folder, more=settings_file.written(tables))
        with site.trial(place):
            facts = json.loads(place.description.read_text("utf-8"))
            async with people(place, facts["operators"]) as crowd, AsyncExitStack() as stack:
                crowd.rings = lambda _phone, call: call.pick_up()
                settings = site_settings.load(place.config)
                loop, registrar = await stack.enter_async_context(carriers(place, crowd))
                await asyncio.to_thread(add_registered, place, settings)
                scene = Scene(place, facts, settings, crowd, bot, service, loop, registrar)
                deeds.start_replicate(scene)
                try:
                    logins = [one["login"] for one in facts["operators"]]
                    await scene.appliance("operator", "ready", *logins)
                    await scene.call()
                    yield scene
                finally:
                    deeds.end_all(scene)


def add_registered(place: Place, settings: Settings) -> None:
    """Give the running site a trunk of a second carrier, at which it registers."""
    address = f"{place.network}.3"
    second = Trunk("registered", address=address, register=True, user="hotline", password="secret")
    with db.open_database(settings.paths.database).connection_context():
        plan = routing.current(settings)
        wanted = dataclasses.replace(plan, trunks=(*plan.trunks, second))
        actions.put_plan(settings, wanted, "trial")


@contextlib.asynccontextmanager
async def carriers(place: Place, crowd: People) -> AsyncIterator[tuple[Loop, Registrar]]:
    """Both carriers put calls to the hotline's number through; the second is a registrar."""
    box = (place.box, SIP)
    first = Loop(crowd.carrier, HOTLINE)
    crowd.dialled = first.take
    async with Registrar(f"{place.network}.3", SIP, box, crowd.carrier.pump) as registrar:
        registrar.taken = Loop(registrar, HOTLINE).take
        yield first, registrar


async def run(folder: Path, names: list[str]) -> int:
    """Every fault (whose name contains one of `names`); prints the table; 1 when one is unseen."""
    chosen = [f for f in FAULTS if not names or any(part in f.name for part in names)]
    lines: list[tuple[str, ...]] = []
    bad = 0
    async with staged(folder) as scene:
        look = Eyes(scene.place, scene.facts["users"]["technician"])
        await _settled(look)
        for group in sorted({fault.group for fault in chosen}):
            together = [fault for fault in chosen if fault.group == group]
            sights = await _try(scene, look, together)
            for fault, sight in zip(together, sights, strict=True):
                lines.append(_line(fault, sight))
                bad += not sight.whole or (sight.cleared is None)
                print(" | ".join(lines[-1]), flush=True)
        alarms = [text for _chat, text, _buttons in scene.bot.took]
    print(running.pipes((*HEAD, ""), [(*line, "") for line in lines]))
    print(f"\n{len(lines)} faults, {bad} not seen or not cleared; messages of alarms:")
    for text in alarms:
        print(f"  {text[:_WORDS]}")
    return int(bool(bad))


async def _settled(look: Eyes) -> None:
    """The site is up: what fails from now on was put in."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        failing = {
            code: words for code, (s, words) in (await look.command()).items() if s == "fail"
        }
        if not failing:
            break
        await asyncio.sleep(1)
    print(f"failing before any fault: {failing}", flush=True)


async def _try(scene: Scene, look: Eyes, together: list[Fault]) -> list[Sight]:
    sights = [Sight(fault.code, fault.text, fault.ways) for fault in together]
    watching = asyncio.create_task(look.watch(sights))
    for fault, sight in zip(together, sights, strict=True):
        sight.since = time.monotonic()
        try:
            await fault.put(scene)
        except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
            print(f"{fault.name} could not be put in: {error}", flush=True)
    await watching
    for fault in reversed(together):
        try:
            await fault.undo(scene)
        except (OSError, subprocess.CalledProcessError, RuntimeError, StopIteration) as error:
            print(f"{fault.name} could not be undone: {error}", flush=True)
    await look.await_end(sights)
    return sights


def _line(fault: Fault, sight: Sight) -> tuple[str, ...]:
    def seconds(way: str) -> str:
        if way not in fault.ways and way not in sight.seen:
            return "–"
        return f"{sight.seen[way]:.0f}" if way in sight.seen else "UNSEEN"

    cleared = f"{sight.cleared:.0f}" if sight.cleared is not None else "NEVER"
    words = " ".join(sight.words.split())[:_WORDS]
    return (fault.name, fault.code, *(seconds(way) for way in WAYS), cleared, words)
