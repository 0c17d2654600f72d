"""An Asterisk with our dialplan but without our processes, and the parties that call over it."""

import dataclasses
import shutil
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator
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
from appliance.telephony.recordings.sound import has_true_length
from appliance.telephony.routing import Plan
from provisioning.local import asterisk as tree
from provisioning.local.place import Place
from tests.rig.parties import CallParties, connect_parties
from tests.rig.waiting import wait_until


@dataclass
class Exchange:
    """A running Asterisk, its settings, and the events it logged."""

    place: Place
    settings: Settings

    def install_plan(self, plan: Plan) -> None:
        """Save a plan and put it in force."""
        routing.save_plan(plan, by="test")
        if config.install_files(self.settings):
            actions.reload_asterisk(self.settings)
        actions.apply_states(self.settings)

    @contextmanager
    def changed_plan(self, **values: object) -> Iterator[None]:
        """Replace some parts of the plan in force while the block runs."""
        former_plan = self.current_plan
        self.install_plan(dataclasses.replace(former_plan, **values))  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.install_plan(former_plan)

    @property
    def current_plan(self) -> Plan:
        """The plan in force."""
        return routing.current_plan(self.settings)

    def set_ready(self, *logins: str) -> None:
        """Set these operators to ready and the others to off."""
        for user in accounts.active_operators():
            presence.choose_state(user, "ready" if user.login in logins else "off")
        actions.apply_states(self.settings)

    def logged_events(self, *names: str) -> list[Event]:
        """Return the events of these types from all calls, in order; without types, every event."""
        log = self.settings.paths.event_log
        data = log.read_bytes() if log.exists() else b""
        events = [piece.event for piece in eventlog.split_log(data) if piece.event]
        return sorted((e for e in events if not names or e.type in names), key=lambda e: e.order)

    def event_lines(self, begin: int, *names: str) -> list[str]:
        """Return "NAME k=v k=v" for each event of these types, from the `begin`th event on."""
        return [
            " ".join([e.type, *(f"{k}={v}" for k, v in e.extra.items())])
            for e in self.logged_events()[begin:]
            if e.type in names
        ]

    def started_channels(self, begin: int, *, of_trunk: bool = False) -> set[str]:
        """Return the channels started from the `begin`th event on (`of_trunk`: hotline
        calls only).
        """
        return {
            e.uniqueid
            for e in self.logged_events()[begin:]
            if e.type == "CHAN_START" and (not of_trunk or (e.begins and e.is_trunk))
        }

    def open_channels(self, begin: int, *, of_trunk: bool = False) -> set[str]:
        """Return the started channels that have not ended."""
        ended = {e.uniqueid for e in self.logged_events()[begin:] if e.type == "CHAN_END"}
        return self.started_channels(begin, of_trunk=of_trunk) - ended

    def recorded_voices(self, event: Event) -> list[tuple[frozenset[int], int]]:
        """Return (voices, seconds) for each stretch of the file that a RECORDING event names."""
        file = self.settings.paths.recordings / event.extra["file"]
        wait_until(lambda: file.exists() and has_true_length(file))
        return listening.merge_equal_seconds(listening.voices_by_second(file))

    def connect_ami(self) -> ami.Connection:
        """Return a connection that commands Asterisk."""
        return ami.Connection(self.settings)

    @asynccontextmanager
    async def open_parties(self) -> AsyncIterator[CallParties]:
        """Connect the carrier and the operators' phones."""
        operators = [
            {
                "extension": user.extension,
                "login": user.login,
                "sip_password": user.sip_password,
                "languages": user.speaks.split(),
            }
            for user in accounts.active_operators()
        ]
        async with connect_parties(self.place, operators) as parties:
            yield parties


@contextmanager
def running_exchange(folder: Path, migrated: Path) -> Iterator[Exchange]:
    """Run Asterisk with four operators: op01 and op02 speak both languages, op03 uz, op04 ru."""
    place = Place(folder)
    place.make_files()
    settings = site_settings.load_settings(place.config_file)
    write_silent_prompts(settings.paths.prompts)
    shutil.copy(migrated, settings.paths.database)
    with db.open_database(settings.paths.database):
        catalogs.seed_lists()
        for number, speaks in enumerate((("uz", "ru"), ("uz", "ru"), ("uz",), ("ru",)), 1):
            login, phone = f"op0{number}", f"100{number}"
            accounts.create_account(
                login, login, "operator", "secret", extension=phone, speaks=speaks
            )
        config.install_files(settings)
        conf = str(settings.paths.asterisk / "asterisk.conf")
        process = subprocess.Popen(
            [*tree.start_command(), "-f", "-C", conf],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        exchange = Exchange(place, settings)
        try:
            wait_until(lambda: _asterisk_answers(settings), limit=60)
            yield exchange
        finally:
            process.kill()
            process.wait()


def write_silent_prompts(folder: Path) -> None:
    """Write every prompt as 0.2 s of silence, so that scenes are short."""
    for language in prompts.LANGUAGES:
        for name in prompts.default_texts(language):
            file = folder / language / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 1600, "NONE", ""))
                sound.writeframes(bytes(3200))
    prompts.synthesise_prompts(folder)  # the music


def _asterisk_answers(settings: Settings) -> bool:
    try:
        with ami.Connection(settings) as asterisk:
            return bool(asterisk.send_action("QueueStatus"))
    except (ami.Unreachable, ami.ActionRefused):
        return False
