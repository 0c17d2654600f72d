"""Actions that break a running site, and repair it."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.core import sqlite
from appliance.core.settings import Settings
from appliance.pbx.ami import Connection
from appliance.sip.call import Call
from provisioning.local import site
from provisioning.local.carrier import LoopCarrier
from provisioning.local.place import SIP_PORT, Place
from tests.rig.fakes import sms, telegram
from tests.rig.fakes.registrar import Registrar
from tests.rig.parties import CallParties
from tests.rig.trials.observer import REPORTING_WAYS
from tests.rig.waiting import wait_within

_CITIZEN_PITCH = 440
_TALK_SECONDS = 3.0
_MENU_SECONDS = 1.0  # for which the citizen listens before pressing a key
_ANSWER_LIMIT_SECONDS = 40.0  # until the line, and then an operator, must answer
_NOBODY_UID = 65534
_INVITE_COUNT = 20


@dataclass
class Scene:
    """The site, the simulated people around it, and the external systems."""

    place: Place
    facts: dict[str, Any]
    settings: Settings
    people: CallParties
    bot: telegram.BotApi
    service: sms.SmsService
    loop: LoopCarrier | None = None  # puts test calls over the trunk through
    registrar: Registrar | None = None
    second_places: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def process_id(self, name: str) -> int:
        """The process of that name that the site's supervisor process started."""
        return int((self.place.run_folder / f"{name}.pid").read_text("ascii"))

    def run_ami_action(self, action: str, **fields: str) -> None:
        """Run an AMI action in Asterisk."""
        with Connection(self.settings) as asterisk:
            asterisk.send_action(action, **fields)

    def run_console_command(self, console_command: str) -> None:
        """Run a command on Asterisk's console."""
        conf = str(self.settings.paths.asterisk / "asterisk.conf")
        command = [*self.settings.asterisk.command, "-C", conf, "-rx", console_command]
        subprocess.run(command, check=True, capture_output=True)

    async def run_appliance(self, *arguments: str) -> None:
        """Run a command of the appliance."""
        await asyncio.to_thread(site.run_appliance, self.place, *arguments)

    async def make_call(self, with_talk: bool = True) -> None:
        """A citizen calls, is answered by any ready operator, and speaks."""
        call: Call = self.people.call_hotline("+998901112233", _CITIZEN_PITCH)
        if await wait_within(lambda: call.up_at or call.over_at, _ANSWER_LIMIT_SECONDS):
            if with_talk:
                await asyncio.sleep(_MENU_SECONDS)
                call.media.press_keys("1")
                phones = self.people.phones
                await wait_within(
                    lambda: any(p.newest_call and p.newest_call.state == "up" for p in phones),
                    _ANSWER_LIMIT_SECONDS,
                )
            await asyncio.sleep(_TALK_SECONDS)
        call.hang_up()
        for phone in self.people.phones:
            for leg in phone.calls:
                if leg.state != "over":
                    leg.hang_up()
            phone.calls = []


type Deed = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What is broken, how it is repaired, and which check must report it."""

    name: str
    code: str
    inject: Deed
    repair: Deed
    text: str = ""  # that the check's text must contain
    ways: tuple[str, ...] = REPORTING_WAYS
    group: int = 0  # faults of one group are injected together


def in_thread(function: Callable[[Scene], object]) -> Deed:
    """Run a blocking function in a thread, so that the telephones continue."""

    async def run_function(scene: Scene) -> None:
        await asyncio.to_thread(function, scene)

    return run_function


def freeze_process(name: str) -> tuple[Deed, Deed]:
    """Stop a process, and let it continue."""
    return (
        in_thread(lambda s: os.kill(s.process_id(name), signal.SIGSTOP)),
        in_thread(lambda s: os.kill(s.process_id(name), signal.SIGCONT)),
    )


def web_worker_pid(scene: Scene) -> int:
    """The process id of the only worker of the pages' process."""
    children = Path(f"/proc/{scene.process_id('web')}/task/{scene.process_id('web')}/children")
    return int(children.read_text().split()[0])


def start_second(name: str) -> tuple[Deed, Deed]:
    """Start a second process of a kind, and end it."""

    def start_process(scene: Scene) -> None:
        command = [str(site.APPLIANCE_PROGRAM), "--config", str(scene.place.config_file), name]
        log = (scene.place.log_folder / f"second-{name}.log").open("ab")
        scene.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def end_process(scene: Scene) -> None:
        end_processes(scene, name)

    return in_thread(start_process), in_thread(end_process)


def open_with_other_sqlite() -> tuple[Deed, Deed]:
    """A program with Debian's SQLite opens the database, and ends."""
    name = "other-sqlite"
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
    code += "c.execute('SELECT 1 FROM user').fetchall(); input()"

    def start_program(scene: Scene) -> None:
        command = ["/usr/bin/python3", "-c", code, str(scene.settings.paths.database), name]
        scene.processes.append(subprocess.Popen(command, stdin=subprocess.PIPE))

    return in_thread(start_program), in_thread(lambda scene: end_processes(scene, name))


def unload_modules(*modules: str) -> tuple[Deed, Deed]:
    """Unload modules of Asterisk, and load them again."""

    def load_action(kind: str) -> Deed:
        def act_on_modules(scene: Scene) -> None:
            for module in modules:
                scene.run_ami_action("ModuleLoad", Module=module, LoadType=kind)

        return in_thread(act_on_modules)

    return load_action("unload"), load_action("load")


def change_mode(path_of: Callable[[Scene], Path], mode_bits: int) -> tuple[Deed, Deed]:
    """Change the mode of a file, and restore it."""
    former_modes: dict[Path, int] = {}

    def set_mode(scene: Scene) -> None:
        path = path_of(scene)
        former_modes[path] = path.stat().st_mode
        path.chmod(mode_bits)

    return in_thread(set_mode), in_thread(lambda s: path_of(s).chmod(former_modes[path_of(s)]))


def change_owner(path_of: Callable[[Scene], Path]) -> tuple[Deed, Deed]:
    """Give a file to the user nobody, and back to our own."""
    return (
        in_thread(lambda s: os.chown(path_of(s), _NOBODY_UID, -1)),
        in_thread(lambda s: os.chown(path_of(s), os.geteuid(), -1)),
    )


def move_away(
    path_of: Callable[[Scene], Path], with_placeholder: bool = False
) -> tuple[Deed, Deed]:
    """Move a file or folder away (leaving an empty file, if `with_placeholder`), and back."""

    def move_path(scene: Scene) -> None:
        path = path_of(scene)
        path.rename(path.with_name(f"{path.name}.away"))
        if with_placeholder:
            path.touch()

    def restore_path(scene: Scene) -> None:
        path = path_of(scene)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.away").rename(path)

    return in_thread(move_path), in_thread(restore_path)


def replace_content(
    path_of: Callable[[Scene], Path], new_content: Callable[[Scene], bytes]
) -> tuple[Deed, Deed]:
    """Replace the content of a file, and restore it."""
    former_contents: dict[Path, bytes] = {}

    def write_content(scene: Scene) -> None:
        path = path_of(scene)
        former_contents[path] = path.read_bytes()
        path.write_bytes(new_content(scene))

    return in_thread(write_content), in_thread(
        lambda s: path_of(s).write_bytes(former_contents[path_of(s)])
    )


def with_call(pair: tuple[Deed, Deed], with_talk: bool = False) -> tuple[Deed, Deed]:
    """Inject the fault and make a call; repair it and make a call again."""

    async def inject_and_call(scene: Scene) -> None:
        await pair[0](scene)
        await scene.make_call(with_talk)

    async def repair_and_call(scene: Scene) -> None:
        await pair[1](scene)
        await scene.make_call(with_talk)

    return inject_and_call, repair_and_call


async def send_stray_invites(scene: Scene) -> None:
    """A carrier calls from a new address; a scanner and the box itself send far more."""
    await _send_invites(scene, f"{scene.place.network_prefix}.77", _INVITE_COUNT)
    await _send_invites(scene, f"{scene.place.network_prefix}.78", 2 * _INVITE_COUNT)
    await _send_invites(scene, scene.place.box_address, 2 * _INVITE_COUNT)


async def _send_invites(scene: Scene, address: str, count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((address, 0))
        host, port = sender.getsockname()
        for number in range(count):
            identifier = f"{time.time_ns()}{number}"
            text = (
                f"INVITE sip:1006@{scene.place.box_address} SIP/2.0\n"
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{identifier}\n"
                f"From: <sip:998901112233@{host}>;tag={identifier}\nTo: "
                f"<sip:1006@{scene.place.box_address}>\n"
                f"Call-ID: {identifier}@{host}\nCSeq: 1 INVITE\nContact: <sip:c@{host}:{port}>\n"
                "Max-Forwards: 70\nContent-Length: 0\n\n"
            )
            sender.sendto(text.replace("\n", "\r\n").encode(), (scene.place.box_address, SIP_PORT))
            await asyncio.sleep(0.05)


async def unregister_phone(scene: Scene) -> None:
    """Unregister the phone of a ready operator."""
    phone = scene.people.phones[0]
    await phone.agent.register(phone.extension, phone.password, 0)


async def register_phone(scene: Scene) -> None:
    """Register the phone again."""
    await scene.people.phones[0].register_phone()


def _logins_by_language(scene: Scene, language: str) -> list[str]:
    return [
        operator["login"]
        for operator in scene.facts["operators"]
        if language in operator["languages"]
    ]


def no_operator_ready(language: str) -> tuple[Deed, Deed]:
    """Set all operators who speak a language to off, and to ready again."""

    async def set_off(scene: Scene) -> None:
        await scene.run_appliance("operator", "off", *_logins_by_language(scene, language))

    async def set_ready(scene: Scene) -> None:
        await scene.run_appliance("operator", "ready", *_logins_by_language(scene, language))

    return set_off, set_ready


def certificate_maker(*options: str) -> Callable[[Scene], bytes]:
    """A maker of certificates for the site's own key with other options."""

    def make_certificate(scene: Scene) -> bytes:
        key = scene.place.folder / "tls" / "server.key"
        command = ["openssl", "req", "-x509", "-new", "-key", str(key), "-subj", "/CN=x", *options]
        return subprocess.run(command, check=True, capture_output=True).stdout

    return make_certificate


def make_foreign_key(_scene: Scene) -> bytes:
    """A key that belongs to no certificate of the site."""
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _run_sql(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite.connect(file, timeout=20)) as database, database:
        for statement in statements:
            database.execute(statement)


def change_rows(statements: str, undo_statements: str) -> tuple[Deed, Deed]:
    """Put invalid rows into the database and remove them; statements are separated by "; "."""
    return (
        in_thread(lambda s: _run_sql(s.settings.paths.database, *statements.split("; "))),
        in_thread(lambda s: _run_sql(s.settings.paths.database, *undo_statements.split("; "))),
    )


async def do_nothing(_scene: Scene) -> None:
    """Do nothing: the fault passes by itself."""


def do_and_undo(
    inject: Callable[[Scene], object], repair: Callable[[Scene], object]
) -> tuple[Deed, Deed]:
    """Run one function to inject the fault, and another to repair it."""
    return in_thread(inject), in_thread(repair)


def stop_front(scene: Scene) -> None:
    """Kill the TLS front in such a way that its supervisor process cannot start it again."""
    config = scene.place.run_folder / "nginx.conf"
    config.rename(config.with_suffix(".away"))
    os.kill(scene.process_id("front"), signal.SIGKILL)


def start_front(scene: Scene) -> None:
    """Let the TLS front start."""
    config = scene.place.run_folder / "nginx.conf"
    config.with_suffix(".away").rename(config)


def replace_log_by_folder(scene: Scene) -> None:
    """Put a folder in the place of the event log."""
    log = scene.settings.paths.event_log
    log.rename(log.with_name(f"{log.name}.1"))
    log.mkdir()


def remove_log_folder(scene: Scene) -> None:
    """Remove the folder; Asterisk creates the log itself."""
    scene.settings.paths.event_log.rmdir()


def resume_worker(scene: Scene) -> None:
    """Let the frozen worker continue; gunicorn may have ended it already."""
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(web_worker_pid(scene), signal.SIGCONT)


def start_replicate(scene: Scene) -> None:
    """Start the continuous replication."""
    (scene.place.folder / "second").mkdir(exist_ok=True)
    command = [str(site.APPLIANCE_PROGRAM), "--config", str(scene.place.config_file), "replicate"]
    log = (scene.place.log_folder / "replicate.log").open("ab")
    scene.processes.append(subprocess.Popen(command, stdout=log, stderr=log))


def end_processes(scene: Scene, name: str) -> None:
    """End the processes of that name that a fault started."""
    for process in scene.processes:
        arguments = process.args if isinstance(process.args, list) else []
        if arguments[-1:] == [name] and process.poll() is None:
            process.terminate()
            process.wait(30)


def set_internet(scene: Scene, is_up: bool) -> None:
    """The server that represents the internet answers, or does not."""
    server = scene.service.server
    if server and is_up:
        server.listen_again()
    elif server:
        server.stop_listening()


async def run_failing_drill(scene: Scene) -> None:
    """Run a drill without any snapshot."""
    with contextlib.suppress(site.SiteError):
        await scene.run_appliance("backup", "drill")


async def delete_drills(scene: Scene) -> None:
    """Delete the drill's row, as if it was never run."""
    _run_sql(scene.settings.paths.database, "DELETE FROM snapshot_run WHERE kind = 'drill'")


def end_all_processes(scene: Scene) -> None:
    """End every process that was started in addition to the site."""
    for process in scene.processes:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
