"""A hotline with an E1 in a virtual machine: our Asterisk, the exchange, a SIP carrier, a phone.

The three Asterisks and the cable are in the machine; the database, the rendering and the ledger
are ours, on this side.
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
from appliance.core import clock, db, settings
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, ami, config, eventlog, ledger
from appliance.people import accounts
from appliance.sip import listening, tones
from appliance.telephony import calls, prompts, routing
from appliance.telephony.routing import Plan, Route, Trunk
from provisioning.local import asterisk as tree
from provisioning.local import settings_file
from tests.rig.rendering import rendered
from tests.rig.waiting import until
from tests.vm.e1 import vmimage
from tests.vm.e1.vmachine import Machine
from tests.vm.e1.vmimage import Image

GUEST = Path(__file__).parent / "guest"
PLACE = Path("/srv/e1")  # inside
CARRIER, PHONE = "127.0.7.1", "127.0.8.1"
HOTLINE = "1282"
PORTS = {"exchange": 5039, "outside": 5040, "hotline": 5038}  # of their manager interfaces
# Voices (Hz): whoever calls or is called over the E1, over SIP, and the operator.
CALLER, CITIZEN, SUBSCRIBER, OPERATOR = 480, 595, 2120, 1005
_HEADER = 44  # bytes of a WAV before its samples
WAITS = 600.0  # seconds; the machine is emulated, and what emulates it may be busy


def wanted() -> Plan:
    """Everything goes over the E1 first, then over SIP."""
    return Plan(
        trunks=(
            Trunk("exchange", kind="e1", spans="1-15,17-31", style="national"),
            Trunk("carrier", address=CARRIER, style="national"),
        ),
        routes=(Route("", ("exchange", "carrier")),),
        shown="712000000",
    )


@dataclasses.dataclass(frozen=True)
class Told:
    """An event of AMI, and when it happened."""

    at: float  # of the machine's clock
    fields: dict[str, str]

    @property
    def name(self) -> str:
        return self.fields["Event"]


class World:
    """All of it, running."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.machine = machine
        self.told: list[Told] = []
        self.seconds: dict[str, float] = {}  # what was measured
        self._folder = folder
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self.site = self._make_site()
        self._calls = 0

    # set-up

    def _make_site(self) -> Settings:
        file = self._folder / "appliance.toml"
        text = settings_file.scratch(
            paths={"event_log": "log/cel-custom/events.csv", "asterisk": "etc"},
            asterisk={
                "address": self.machine.address,
                "command": tree.command(),
                "modules": str(tree.MODULES),
            },
            trunks=[],
        )
        file.write_text(text)
        site = settings.load(file)
        tree.make_data(site.asterisk.data)
        prompts.synthesise(vmimage.PROMPTS)
        shutil.copytree(vmimage.PROMPTS, site.paths.prompts)
        for sound in site.paths.prompts.glob("*/*.wav"):
            _shorten(sound)
        prompts.show_to_asterisk(site.paths.prompts, site.asterisk.data)
        db.open_database(site.paths.database)
        db.migrate()
        catalogs.seed()
        accounts.add(
            "op01", "Operator", "operator", "secret", extension="1001", speaks=("uz", "ru")
        )
        routing.save(wanted(), by="test")
        for folder in ("run", "log/cel-custom", "spool", "var/keys", "recordings", "etc"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        for name, text in config.render(site).items():
            (site.paths.asterisk / name).write_text(text)
        return site

    def start(self) -> None:
        """Bring everything in, start all three, wait until a call could be made."""
        ami.TIMEOUT = WAITS
        self.machine.log_in(*PORTS.values())
        now = time.time()
        self.machine.run(f"date -s @{now} && mkdir -p {PLACE}/heard /etc/dahdi")
        self._bring_in("exchange", "citizen")
        self._bring_in("outside", "subscriber")
        for name in ("span.pl", "exchange-span.conf"):
            shutil.copy(GUEST / name, self._folder)
        self.machine.send(self._folder)
        self._bring_spans_up()
        for name in PORTS:
            self.run_asterisk(name)
        self._listener.start()
        self.spans_up()
        until(self._registered, WAITS, 1)
        actions.choose_state(self.site, User.get(User.login == "op01"), "ready")

    def _bring_spans_up(self) -> None:
        """By what the role makes of these spans: its system.conf, the commands of its unit."""
        values = {
            "dahdi_spans": [{"number": 1}, {"number": 2}],  # the box's end, the exchange's
            "dahdi_modules": ["dahdi", "dahdi_dynamic", "dahdi_dynamic_loc"],
            "dahdi_extra": ["dynamic=loc,1:0,31,0", "dynamic=loc,1:1,31,0"],
            "dahdi_echo_canceller": "",  # 30 at once are too many for an emulated processor
        }
        described = rendered(self._folder, "dahdi", "system.conf.j2", **values)
        unit = rendered(self._folder, "dahdi", "dahdi-spans.service.j2", **values)
        self.machine.run("cat >/etc/dahdi/system.conf", sent=described.encode())
        for command in re.findall(r"^ExecStart(?:Pre)?=(.+)$", unit, re.MULTILINE):
            self.machine.run(f"timeout 60 {command}")

    def _bring_in(self, name: str, citizen: str) -> None:
        """The configuration of another Asterisk, and its folders."""
        place = self._folder / name
        for folder in ("etc", "var", "spool", "run", "log"):
            (place / folder).mkdir(parents=True)
        facts = {
            "folder": place,
            "heard": PLACE / "heard",
            "modules": tree.MODULES,
            "data": self.site.asterisk.data,
            "citizen": citizen,
            "address": self.machine.address,
            "port": PORTS[name],
            "carrier": CARRIER,
            "phone": PHONE,
            "password": User.get(User.login == "op01").sip_password,
        }
        for file in (*(GUEST / "both").iterdir(), *(GUEST / name).iterdir()):
            text = file.read_text()
            if file.name not in ("modules.conf", "logger.conf", "indications.conf"):
                text = text.format(**facts)
            (place / "etc" / file.name).write_text(text)

    def run_asterisk(self, name: str) -> None:
        """Start one of the three and wait until it answers."""
        own = self.site.paths.asterisk if name == "hotline" else self._folder / name / "etc"
        command = shlex.join([*tree.command(), "-f", "-C", str(own / "asterisk.conf")])
        quiet = "</dev/null >/dev/null 2>&1"
        self.machine.run(f"setsid {command} {quiet} & echo $! >/run/{name}.pid")
        until(lambda: self._answers(name), WAITS, 1)

    def _answers(self, name: str) -> bool:
        with (
            contextlib.suppress(ami.Unreachable, ami.Refused),
            self.manager(name, "system") as asterisk,
        ):
            told = asterisk.next_event(1.0)
            return bool(told and told["Event"] == "FullyBooted")
        return False

    def _registered(self) -> bool:
        with self.manager("hotline") as asterisk, contextlib.suppress(ami.Refused):
            contacts = asterisk.listed("PJSIPShowContacts", "ContactListComplete")
            return any(e.get("ObjectName", "").startswith("1001") for e in contacts)
        return False

    def end_asterisk(self, name: str, signal: str) -> None:
        """Stop or kill one of the three, and wait until it is gone."""
        self.machine.run(
            f"kill -{signal} $(cat /run/{name}.pid) && "
            f"while kill -0 $(cat /run/{name}.pid) 2>/dev/null; do sleep 0.1; done"
        )

    def stop(self) -> None:
        """End all of it."""
        self._over.set()
        self.machine.stop()
        if self._listener.is_alive():
            self._listener.join(30)
        db.database.close()

    def measured(self, what: str, seconds: float) -> None:
        """Keep a time, to be told at the end."""
        self.seconds[what] = seconds

    # events

    def _listen(self) -> None:
        """Keep every event of the class `system` that Asterisk tells."""
        while not self._over.is_set():
            with (
                contextlib.suppress(ami.Unreachable, ami.Refused),
                self.manager("hotline", "system") as asterisk,
            ):
                while not self._over.is_set():
                    if event := asterisk.next_event(1.0):
                        self.told.append(Told(float(event.get("Timestamp", "0")), event))
            self._over.wait(1)

    def first(self, name: str, since: float) -> Told | None:
        """The first such event since a moment."""
        return next((t for t in list(self.told) if t.name == name and t.at >= since), None)

    # commands

    def manager(self, name: str, events: str = "off") -> ami.Connection:
        """The manager interface of one of the three."""
        place = dataclasses.replace(self.site.asterisk, ami_port=PORTS[name])
        return ami.Connection(dataclasses.replace(self.site, asterisk=place), events)

    def channels(self) -> int:
        """How many channels the hotline has."""
        with self.manager("hotline") as asterisk:
            found = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        return sum("Channel" in event for event in found)

    @property
    def exchange_runs(self) -> bool:
        """Whether the exchange is on."""
        return self._answers("exchange")

    def spans_up(self) -> None:
        """Wait until the hotline's span works."""
        until(self._span_up, WAITS, 0.5)

    def _span_up(self) -> bool:
        with self.manager("hotline") as asterisk, contextlib.suppress(ami.Refused):
            spans = asterisk.listed("PRIShowSpans", "PRIShowSpansComplete")
            return any(s.get("Up") == s.get("Active") == "Yes" for s in spans)
        return False

    def clock(self) -> float:
        """Seconds of the machine's own clock."""
        return float(self.machine.run("date +%s.%N"))

    def cut(self) -> float:
        """Pull the cable; the machine's moment."""
        if self.exchange_runs:
            self.end_asterisk("exchange", "TERM")
        return float(self.machine.run(f"date +%s.%N && perl {self._folder}/span.pl down"))

    def put_back(self) -> float:
        """Put the cable back, the exchange on; the machine's moment."""
        up, settings = f"{self._folder}/span.pl up", f"{self._folder}/exchange-span.conf"
        told = self.machine.run(
            f"date +%s.%N && perl {up} && rm -f /dev/shm/sem.dahdi_cfg && "
            f"timeout 60 dahdi_cfg -c {settings}"
        )
        self.run_asterisk("exchange")
        return float(told.split()[0])

    # calls

    def number(self, cause: int = 0) -> str:
        """A citizen's number, used once: answered, or refused with that cause."""
        self._calls += 1
        return f"90{self._calls:05}{cause:02}"

    def call_in(self, number: str, keys: str = "ww1") -> None:
        """A citizen calls over the E1 and presses keys."""
        self._originate("exchange", f"DAHDI/g2/{HOTLINE}", "caller", number, KEYS=keys)

    def call_out(self, number: str) -> None:
        """The operator's phone dials a number."""
        self._originate("outside", f"PJSIP/{number}@hotline", "operator", "1001")

    def _originate(self, name: str, channel: str, who: str, shown: str, **given: str) -> None:
        # What was heard in the call before must not be taken for this one's.
        self.machine.run(f"rm -f {PLACE}/heard/*.wav")
        with self.manager(name) as asterisk:
            asterisk.act(
                "Originate",
                Channel=channel,
                Context="talk",
                Exten=who,
                Priority=1,
                CallerID=f"<{shown}>",
                Timeout=int(WAITS * 1000),
                Variable=",".join(f"{key}={value}" for key, value in given.items()),
                Async="true",
            )

    def hang_up(self, name: str) -> None:
        """All channels of one of the three."""
        with self.manager(name) as asterisk, contextlib.suppress(ami.Refused):
            asterisk.act("Hangup", Channel="/./")

    def heard(self, who: str) -> list[frozenset[int]]:
        """Whose voices somebody has heard in each second so far of the call that was made last."""
        return _by_second(self.machine.run(f"cat {PLACE}/heard/{who}.wav 2>/dev/null || true"))

    def recorded(self, row: dict[str, Any]) -> list[frozenset[int]]:
        """Whose voices are in the recording of a call."""
        records = (piece.event for piece in eventlog.pieces(self.site.paths.event_log.read_bytes()))
        names = [
            event.extra["file"]
            for event in records
            if event and event.type == "RECORDING" and event.linkedid == row["id"]
        ]
        return _by_second(self.machine.run(f"cat {self.site.paths.recordings / names[-1]}"))

    def ledger(self) -> list[dict[str, Any]]:
        """Every call so far, of the event log as it stands now."""
        log = self.site.paths.event_log
        log.write_bytes(self.machine.run(f"cat {log} 2>/dev/null || true"))
        ledger.read(log, self.site.calls, growing=True)
        now = clock.now()
        return list(calls.export(now - dt.timedelta(days=2), now + dt.timedelta(days=2)))

    def passed_on(self, row: dict[str, Any]) -> float:
        """How long the first trunk held up a call before the next one was tried."""
        begin, end = row["arrived_at"], row["attempts"][0]["at"]
        return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(begin)).total_seconds()

    def row(self, number: str) -> dict[str, Any]:
        """The ledger's row of a citizen's call, once it is over."""

        def over() -> dict[str, Any] | None:
            found = [r for r in self.ledger() if f"+998{number}" in (r["caller"], r["callee"])]
            return found[0] if found and found[0]["ended_at"] else None

        return until(over, WAITS, 1)


def _shorten(sound: Path) -> None:
    """Keep the first second of a prompt: what is said does not matter here, and time is dear."""
    with wave.open(str(sound)) as whole:
        shape, begin = whole.getparams(), whole.readframes(whole.getframerate())
    with wave.open(str(sound), "wb") as short:
        short.setparams(shape)
        short.writeframes(begin)


def _by_second(sound: bytes) -> list[frozenset[int]]:
    """Of a WAV whose header may not tell its length yet."""
    whole = io.BytesIO()
    with wave.open(whole, "wb") as written:
        written.setparams((1, 2, tones.RATE, 0, "NONE", ""))
        written.writeframes(sound[_HEADER:])
    whole.seek(0)
    return listening.by_second(whole)


@contextlib.contextmanager
def running(folder: Path, image: Image) -> Iterator[World]:
    """The world, from boot to the end; tells what was measured."""
    machine, world, begin = Machine(image), None, time.monotonic()
    try:
        machine.start()
        world = World(folder, machine)
        world.start()
        world.measured("ready after", time.monotonic() - begin)
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
