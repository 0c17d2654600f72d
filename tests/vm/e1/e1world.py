"""A hotline with an E1 in a virtual machine: our Asterisk, the exchange, a SIP carrier, a phone.

The three Asterisks and the cable are in the machine; the database, the rendering and the ledger are
on this side.
"""

import contextlib
import dataclasses
import datetime as dt
import io
import re
import shlex
import shutil
import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.casework import catalogs
from appliance.core import clock, db, schema, settings
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, ami, config, eventlog, ledger
from appliance.people import accounts
from appliance.sip import listening, tones
from appliance.telephony import calls, prompts, routing
from appliance.telephony.routing import Plan, Route, Trunk
from provisioning.local import asterisk as tree
from provisioning.local import settings_file
from tests.rig.rendering import render_template
from tests.rig.waiting import wait_until
from tests.vm.e1 import vmimage
from tests.vm.e1.vmachine import Machine
from tests.vm.e1.vmimage import Image

GUEST_FILES = Path(__file__).parent / "guest"
GUEST_FOLDER = Path("/srv/e1")  # inside the machine
CARRIER_ADDRESS, PHONE_ADDRESS = "127.0.7.1", "127.0.8.1"
HOTLINE_NUMBER = "1282"
MANAGER_PORTS = {"exchange": 5039, "outside": 5040, "hotline": 5038}  # of the AMI of each Asterisk
# Voices in Hz: the caller and the called citizen on the E1, the subscriber on SIP, the operator.
CALLER_PITCH, CITIZEN_PITCH, SUBSCRIBER_PITCH, OPERATOR_PITCH = 480, 595, 2120, 1005
_WAV_HEADER_BYTES = 44  # before the samples
TIMEOUT_SECONDS = 600.0  # the machine is emulated, and the emulating host may be busy


def initial_plan() -> Plan:
    """Return a plan in which every call uses the E1 first, then SIP."""
    return Plan(
        trunks=(
            Trunk("exchange", kind="e1", spans="1-15,17-31", style="national"),
            Trunk("carrier", address=CARRIER_ADDRESS, style="national"),
        ),
        routes=(Route("", ("exchange", "carrier")),),
        shown="712000000",
    )


@dataclasses.dataclass(frozen=True)
class TimedEvent:
    """An event of AMI and its time."""

    at: float  # by the machine's clock
    fields: dict[str, str]

    @property
    def name(self) -> str:
        return self.fields["Event"]


class World:
    """The running Asterisks with their calls and events."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.machine = machine
        self.events: list[TimedEvent] = []
        self.measured_seconds: dict[str, float] = {}  # name of a measurement → its value
        self._folder = folder
        self._stopping = threading.Event()
        self._listener = threading.Thread(target=self._collect_events, daemon=True)
        self.site = self._make_site()
        self._calls = 0

    # set-up

    def _make_site(self) -> Settings:
        file = self._folder / "appliance.toml"
        text = settings_file.scratch_settings(
            paths={"event_log": "log/cel-custom/events.csv", "asterisk": "etc"},
            asterisk={
                "address": self.machine.address,
                "command": tree.start_command(),
                "modules": str(tree.MODULES_FOLDER),
            },
            trunks=[],
        )
        file.write_text(text)
        site = settings.load_settings(file)
        tree.make_data_folder(site.asterisk.data)
        prompts.synthesise_prompts(vmimage.PROMPTS_FOLDER)
        shutil.copytree(vmimage.PROMPTS_FOLDER, site.paths.prompts)
        for prompt in site.paths.prompts.glob("*/*.wav"):
            _shorten_prompt(prompt)
        prompts.link_for_asterisk(site.paths.prompts, site.asterisk.data)
        db.open_database(site.paths.database)
        schema.apply_migrations()
        catalogs.seed_lists()
        accounts.create_account(
            "op01", "Operator", "operator", "secret", extension="1001", speaks=("uz", "ru")
        )
        routing.save_plan(initial_plan(), by="test")
        for folder in ("run", "log/cel-custom", "spool", "var/keys", "recordings", "etc"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        for name, text in config.render_files(site).items():
            (site.paths.asterisk / name).write_text(text)
        return site

    def start(self) -> None:
        """Copy the files in, start all three Asterisks, and wait until a call is possible."""
        ami.TIMEOUT_SECONDS = TIMEOUT_SECONDS
        self.machine.wait_and_log_in(*MANAGER_PORTS.values())
        now = time.time()
        self.machine.run(f"date -s @{now} && mkdir -p {GUEST_FOLDER}/heard /etc/dahdi")
        self._copy_configuration("exchange", "citizen")
        self._copy_configuration("outside", "subscriber")
        for name in ("span.pl", "exchange-span.conf"):
            shutil.copy(GUEST_FILES / name, self._folder)
        self.machine.send_folder(self._folder)
        self._bring_spans_up()
        for name in MANAGER_PORTS:
            self.start_asterisk(name)
        self._listener.start()
        self.wait_for_span()
        wait_until(self._is_phone_registered, TIMEOUT_SECONDS, 1)
        actions.choose_state(self.site, User.get(User.login == "op01"), "ready")

    def _bring_spans_up(self) -> None:
        """Use the role's output for these spans: its system.conf and the commands of its unit."""
        values = {
            "dahdi_spans": [{"number": 1}, {"number": 2}],  # the box's end and the exchange's
            "dahdi_modules": ["dahdi", "dahdi_dynamic", "dahdi_dynamic_loc"],
            "dahdi_extra": ["dynamic=loc,1:0,31,0", "dynamic=loc,1:1,31,0"],
            "dahdi_echo_canceller": "",  # 30 echo cancellers are too many for an emulated processor
        }
        spans_text = render_template(self._folder, "dahdi", "system.conf.j2", **values)
        unit = render_template(self._folder, "dahdi", "dahdi-spans.service.j2", **values)
        self.machine.run("cat >/etc/dahdi/system.conf", sent=spans_text.encode())
        for command in re.findall(r"^ExecStart(?:Pre)?=(.+)$", unit, re.MULTILINE):
            self.machine.run(f"timeout 60 {command}")

    def _copy_configuration(self, name: str, called_party: str) -> None:
        """Write the configuration and the folders of another Asterisk."""
        target = self._folder / name
        for folder in ("etc", "var", "spool", "run", "log"):
            (target / folder).mkdir(parents=True)
        facts = {
            "folder": target,
            "heard": GUEST_FOLDER / "heard",
            "modules": tree.MODULES_FOLDER,
            "data": self.site.asterisk.data,
            "citizen": called_party,
            "address": self.machine.address,
            "port": MANAGER_PORTS[name],
            "carrier": CARRIER_ADDRESS,
            "phone": PHONE_ADDRESS,
            "password": User.get(User.login == "op01").sip_password,
        }
        for file in (*(GUEST_FILES / "both").iterdir(), *(GUEST_FILES / name).iterdir()):
            text = file.read_text()
            if file.name not in ("modules.conf", "logger.conf", "indications.conf"):
                text = text.format(**facts)
            (target / "etc" / file.name).write_text(text)

    def start_asterisk(self, name: str) -> None:
        """Start one of the three Asterisks and wait until it answers."""
        folder = self.site.paths.asterisk if name == "hotline" else self._folder / name / "etc"
        command = shlex.join([*tree.start_command(), "-f", "-C", str(folder / "asterisk.conf")])
        redirections = "</dev/null >/dev/null 2>&1"
        self.machine.run(f"setsid {command} {redirections} & echo $! >/run/{name}.pid")
        wait_until(lambda: self._is_booted(name), TIMEOUT_SECONDS, 1)

    def _is_booted(self, name: str) -> bool:
        with (
            contextlib.suppress(ami.Unreachable, ami.ActionRefused),
            self.connect_manager(name, "system") as asterisk,
        ):
            event = asterisk.next_event(1.0)
            return bool(event and event["Event"] == "FullyBooted")
        return False

    def _is_phone_registered(self) -> bool:
        with self.connect_manager("hotline") as asterisk, contextlib.suppress(ami.ActionRefused):
            contacts = asterisk.list_events("PJSIPShowContacts", "ContactListComplete")
            return any(e.get("ObjectName", "").startswith("1001") for e in contacts)
        return False

    def end_asterisk(self, name: str, signal: str) -> None:
        """Stop or kill one of the three Asterisks, and wait until it has ended."""
        self.machine.run(
            f"kill -{signal} $(cat /run/{name}.pid) && "
            f"while kill -0 $(cat /run/{name}.pid) 2>/dev/null; do sleep 0.1; done"
        )

    def stop(self) -> None:
        """Stop the listener and the machine."""
        self._stopping.set()
        self.machine.stop()
        if self._listener.is_alive():
            self._listener.join(30)
        db.database.close()

    def record_seconds(self, name: str, seconds: float) -> None:
        """Record a time that is printed at the end."""
        self.measured_seconds[name] = seconds

    # events

    def _collect_events(self) -> None:
        """Collect every event of the class `system` that Asterisk sends."""
        while not self._stopping.is_set():
            with (
                contextlib.suppress(ami.Unreachable, ami.ActionRefused),
                self.connect_manager("hotline", "system") as asterisk,
            ):
                while not self._stopping.is_set():
                    if event := asterisk.next_event(1.0):
                        self.events.append(TimedEvent(float(event.get("Timestamp", "0")), event))
            self._stopping.wait(1)

    def first_event(self, name: str, since: float) -> TimedEvent | None:
        """Return the first event of that name since a time."""
        return next((t for t in list(self.events) if t.name == name and t.at >= since), None)

    # commands

    def connect_manager(self, name: str, events: str = "off") -> ami.Connection:
        """Return a connection to the manager interface of one of the three Asterisks."""
        place = dataclasses.replace(self.site.asterisk, ami_port=MANAGER_PORTS[name])
        return ami.Connection(dataclasses.replace(self.site, asterisk=place), events)

    def channel_count(self) -> int:
        """Return the number of channels of the hotline."""
        with self.connect_manager("hotline") as asterisk:
            events = asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
        return sum("Channel" in event for event in events)

    @property
    def is_exchange_running(self) -> bool:
        """Return True if the exchange is running."""
        return self._is_booted("exchange")

    def wait_for_span(self) -> None:
        """Wait until the hotline's span works."""
        wait_until(self._is_span_up, TIMEOUT_SECONDS, 0.5)

    def _is_span_up(self) -> bool:
        with self.connect_manager("hotline") as asterisk, contextlib.suppress(ami.ActionRefused):
            spans = asterisk.list_events("PRIShowSpans", "PRIShowSpansComplete")
            return any(s.get("Up") == s.get("Active") == "Yes" for s in spans)
        return False

    def machine_time(self) -> float:
        """Return the seconds of the machine's own clock."""
        return float(self.machine.run("date +%s.%N"))

    def cut_cable(self) -> float:
        """Pull the cable out; return the machine's time."""
        if self.is_exchange_running:
            self.end_asterisk("exchange", "TERM")
        return float(self.machine.run(f"date +%s.%N && perl {self._folder}/span.pl down"))

    def plug_cable_in(self) -> float:
        """Plug the cable in and start the exchange; return the machine's time."""
        up, settings = f"{self._folder}/span.pl up", f"{self._folder}/exchange-span.conf"
        output = self.machine.run(
            f"date +%s.%N && perl {up} && rm -f /dev/shm/sem.dahdi_cfg && "
            f"timeout 60 dahdi_cfg -c {settings}"
        )
        self.start_asterisk("exchange")
        return float(output.split()[0])

    # calls

    def new_number(self, cause: int = 0) -> str:
        """Return an unused number of a citizen: it answers, or is refused with that cause."""
        self._calls += 1
        return f"90{self._calls:05}{cause:02}"

    def call_in(self, number: str, keys: str = "ww1") -> None:
        """Let a citizen call over the E1 and press keys."""
        self._originate_call("exchange", f"DAHDI/g2/{HOTLINE_NUMBER}", "caller", number, KEYS=keys)

    def call_out(self, number: str) -> None:
        """Let the operator's phone dial a number."""
        self._originate_call("outside", f"PJSIP/{number}@hotline", "operator", "1001")

    def _originate_call(
        self, name: str, channel: str, role: str, caller_number: str, **variables: str
    ) -> None:
        # Sound received in the former call must not count for this one.
        self.machine.run(f"rm -f {GUEST_FOLDER}/heard/*.wav")
        with self.connect_manager(name) as asterisk:
            asterisk.send_action(
                "Originate",
                Channel=channel,
                Context="talk",
                Exten=role,
                Priority=1,
                CallerID=f"<{caller_number}>",
                Timeout=int(TIMEOUT_SECONDS * 1000),
                Variable=",".join(f"{key}={value}" for key, value in variables.items()),
                Async="true",
            )

    def hang_up_all(self, name: str) -> None:
        """Hang up all channels of one of the three Asterisks."""
        with self.connect_manager(name) as asterisk, contextlib.suppress(ami.ActionRefused):
            asterisk.send_action("Hangup", Channel="/./")

    def received_voices(self, role: str) -> list[frozenset[int]]:
        """Return the voices that a party has received in each second of the latest call."""
        return _voices_by_second(
            self.machine.run(f"cat {GUEST_FOLDER}/heard/{role}.wav 2>/dev/null || true")
        )

    def recorded_voices(self, row: dict[str, Any]) -> list[frozenset[int]]:
        """Return the voices in each second of a call's recording."""
        records = (
            piece.event for piece in eventlog.split_log(self.site.paths.event_log.read_bytes())
        )
        names = [
            event.extra["file"]
            for event in records
            if event and event.type == "RECORDING" and event.linkedid == row["id"]
        ]
        return _voices_by_second(self.machine.run(f"cat {self.site.paths.recordings / names[-1]}"))

    def ledger_rows(self) -> list[dict[str, Any]]:
        """Import the current event log; return every call so far."""
        log = self.site.paths.event_log
        log.write_bytes(self.machine.run(f"cat {log} 2>/dev/null || true"))
        ledger.read_log(log, self.site.calls, growing=True)
        now = clock.now()
        return list(calls.export_calls(now - dt.timedelta(days=2), now + dt.timedelta(days=2)))

    def failover_seconds(self, row: dict[str, Any]) -> float:
        """Return the seconds that a call spent on the first trunk before the next one was tried."""
        begin, end = row["arrived_at"], row["attempts"][0]["at"]
        return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(begin)).total_seconds()

    def ended_row(self, number: str) -> dict[str, Any]:
        """Wait until a citizen's call is over; return its ledger row."""

        def find_ended_row() -> dict[str, Any] | None:
            rows = [r for r in self.ledger_rows() if f"+998{number}" in (r["caller"], r["callee"])]
            return rows[0] if rows and rows[0]["ended_at"] else None

        return wait_until(find_ended_row, TIMEOUT_SECONDS, 1)


def _shorten_prompt(sound: Path) -> None:
    """Keep the first second of a prompt: its content does not matter here, but its length does."""
    with wave.open(str(sound)) as original:
        parameters, first_second = (
            original.getparams(),
            original.readframes(original.getframerate()),
        )
    with wave.open(str(sound), "wb") as shortened:
        shortened.setparams(parameters)
        shortened.writeframes(first_second)


def _voices_by_second(sound: bytes) -> list[frozenset[int]]:
    """Return the voices in each second of a WAV whose header may lack its length."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setparams((1, 2, tones.SAMPLE_RATE_HZ, 0, "NONE", ""))
        wav.writeframes(sound[_WAV_HEADER_BYTES:])
    buffer.seek(0)
    return listening.voices_by_second(buffer)


@contextlib.contextmanager
def running_world(folder: Path, image: Image) -> Iterator[World]:
    """Run the machine and the Asterisks while the block runs; print the console after a failure."""
    machine, world, begin = Machine(image), None, time.monotonic()
    try:
        machine.start()
        world = World(folder, machine)
        world.start()
        world.record_seconds("ready after", time.monotonic() - begin)
        yield world
    except BaseException:
        with contextlib.suppress(OSError, subprocess.SubprocessError, RuntimeError):
            print(machine.console[-2000:])
        raise
    finally:
        if world:
            world.stop()
        else:
            machine.stop()
