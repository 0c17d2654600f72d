"""An Asterisk with our dialplan and nothing else of ours running, and the people around it."""

import asyncio
import shutil
import subprocess
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.casework import catalogs
from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.pbx import actions, ami, config, eventlog
from appliance.pbx.eventlog import Event
from appliance.people import accounts, presence
from appliance.sip import listening
from appliance.telephony import prompts, routing
from appliance.telephony.recordings.sound import is_whole
from appliance.telephony.routing import Plan
from provisioning.local import asterisk as tree
from provisioning.local.place import Place
from tests.rig.parties import People, people
from tests.rig.waiting import until


@dataclass
class Exchange:
    """A running Asterisk, its settings, and what it wrote."""

    place: Place
    settings: Settings

    def install(self, wanted: Plan) -> None:
        """Put a plan in force."""
        routing.save(wanted, by="test")
        if config.install(self.settings):
            actions.reload(self.settings)
        actions.put_states_in_force(self.settings)

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return routing.current(self.settings)

    def ready(self, *logins: str) -> None:
        """These operators are ready, the others off."""
        for user in accounts.operators():
            presence.choose_state(user, "ready" if user.login in logins else "off")
        actions.put_states_in_force(self.settings)

    def events(self, *names: str) -> list[Event]:
        """The records of these names, of all calls."""
        log = self.settings.paths.event_log
        data = log.read_bytes() if log.exists() else b""
        found = [piece.event for piece in eventlog.pieces(data) if piece.event]
        return sorted((e for e in found if not names or e.type in names), key=lambda e: e.order)

    def told(self, begin: int, *names: str) -> list[str]:
        """ "NAME k=v k=v" of the records of these names, from the `begin`th record on."""
        return [
            " ".join([e.type, *(f"{k}={v}" for k, v in e.extra.items())])
            for e in self.events()[begin:]
            if e.type in names
        ]

    def begun(self, begin: int, *, of_trunk: bool = False) -> set[str]:
        """Channels begun from the `begin`th record on; or only calls to the hotline."""
        return {
            e.uniqueid
            for e in self.events()[begin:]
            if e.type == "CHAN_START" and (not of_trunk or (e.begins and e.is_trunk))
        }

    def alive(self, begin: int, *, of_trunk: bool = False) -> set[str]:
        """Those that have not ended."""
        ended = {e.uniqueid for e in self.events()[begin:] if e.type == "CHAN_END"}
        return self.begun(begin, of_trunk=of_trunk) - ended

    def heard(self, event: Event) -> list[tuple[frozenset[int], int]]:
        """Whose voices the file of a RECORDING record holds, for how long."""
        file = self.settings.paths.recordings / event.extra["file"]
        until(lambda: file.exists() and is_whole(file))
        return listening.stretches(listening.by_second(file))

    def asterisk(self) -> ami.Connection:
        """A connection to command it."""
        return ami.Connection(self.settings)

    @asynccontextmanager
    async def people(self) -> AsyncIterator[People]:
        """The carrier and the phones."""
        operators = [
            {
                "extension": user.extension,
                "login": user.login,
                "sip_password": user.sip_password,
                "languages": user.speaks.split(),
            }
            for user in accounts.operators()
        ]
        async with people(self.place, operators) as made:
            yield made


async def sure[T](condition: Callable[[], T], limit: float = 20.0) -> T:
    """The first true value of the condition, while the calls go on."""
    end = asyncio.get_running_loop().time() + limit
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < end, f"not true after {limit} s"
        await asyncio.sleep(0.05)
    return value


@contextmanager
def running(folder: Path, migrated: Path) -> Iterator[Exchange]:
    """Asterisk with four operators: op01, op02 of both languages, op03 uz, op04 ru."""
    place = Place(folder)
    place.make()
    settings = site_settings.load(place.config)
    say_little(settings.paths.prompts)
    shutil.copy(migrated, settings.paths.database)
    with db.open_database(settings.paths.database):
        catalogs.seed()
        for number, speaks in enumerate((("uz", "ru"), ("uz", "ru"), ("uz",), ("ru",)), 1):
            login, phone = f"op0{number}", f"100{number}"
            accounts.add(login, login, "operator", "secret", extension=phone, speaks=speaks)
        config.install(settings)
        conf = str(settings.paths.asterisk / "asterisk.conf")
        process = subprocess.Popen(
            [*tree.command(), "-f", "-C", conf],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        made = Exchange(place, settings)
        try:
            until(lambda: _answers(settings), limit=60)
            yield made
        finally:
            process.kill()
            process.wait()


def say_little(folder: Path) -> None:
    """Every prompt as 0.2 s of silence, so that scenes are short."""
    for language in prompts.LANGUAGES:
        for name in prompts.defaults(language):
            file = folder / language / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 1600, "NONE", ""))
                sound.writeframes(bytes(3200))
    prompts.synthesise(folder)  # the music


def _answers(settings: Settings) -> bool:
    try:
        with ami.Connection(settings) as asterisk:
            return bool(asterisk.act("QueueStatus"))
    except (ami.Unreachable, ami.Refused):
        return False
