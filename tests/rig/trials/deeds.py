"""How a running site is broken, and mended again."""

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
from provisioning.local.carrier import Loop
from provisioning.local.place import SIP, Place
from tests.rig.fakes import sms, telegram
from tests.rig.fakes.registrar import Registrar
from tests.rig.parties import People
from tests.rig.trials.eyes import WAYS

_PITCH = 440
_TALK = 3.0  # seconds
_NOBODY = 65534
_INVITES = 20


@dataclass
class Scene:
    """The site, the people around it, and the parties outside."""

    place: Place
    facts: dict[str, Any]
    settings: Settings
    people: People
    bot: telegram.Chats
    service: sms.Service
    loop: Loop | None = None  # puts test calls over the trunk through
    registrar: Registrar | None = None
    second: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def pid(self, name: str) -> int:
        """The process of that name that the site's keeper started."""
        return int((self.place.run / f"{name}.pid").read_text("ascii"))

    def act(self, action: str, **fields: str) -> None:
        """Have Asterisk do something."""
        with Connection(self.settings) as asterisk:
            asterisk.act(action, **fields)

    def console(self, words: str) -> None:
        """Have Asterisk's console do something."""
        conf = str(self.settings.paths.asterisk / "asterisk.conf")
        command = [*self.settings.asterisk.command, "-C", conf, "-rx", words]
        subprocess.run(command, check=True, capture_output=True)

    async def appliance(self, *words: str) -> None:
        """A command of the appliance."""
        await asyncio.to_thread(site.appliance, self.place, *words)

    async def call(self, talks: bool = True) -> None:
        """A citizen calls, is answered by whoever is ready, and speaks."""
        call: Call = self.people.call("+998901112233", _PITCH)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(40):
                while not (call.up_at or call.over_at):
                    await asyncio.sleep(0.1)
                if talks:
                    await asyncio.sleep(1)
                    call.media.press("1")
                    phones = self.people.phones
                    while not any(p.call and p.call.state == "up" for p in phones):
                        await asyncio.sleep(0.1)
                await asyncio.sleep(_TALK)
        call.hang_up()
        for phone in self.people.phones:
            for leg in phone.calls:
                if leg.state != "over":
                    leg.hang_up()
            phone.calls = []


type Deed = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What is broken, how it is mended, and which check has to tell."""

    name: str
    code: str
    put: Deed
    undo: Deed
    text: str = ""  # that has to be among the words
    ways: tuple[str, ...] = WAYS
    group: int = 0  # those of one group are put in at once


def deed_of(do: Callable[[Scene], object]) -> Deed:
    """What blocks, done in a thread: the telephones go on."""

    async def deed(scene: Scene) -> None:
        await asyncio.to_thread(do, scene)

    return deed


def freeze(name: str) -> tuple[Deed, Deed]:
    """A process stands still, and goes on."""
    return (
        deed_of(lambda s: os.kill(s.pid(name), signal.SIGSTOP)),
        deed_of(lambda s: os.kill(s.pid(name), signal.SIGCONT)),
    )


def worker(scene: Scene) -> int:
    """The one worker of the pages' process."""
    children = Path(f"/proc/{scene.pid('web')}/task/{scene.pid('web')}/children")
    return int(children.read_text().split()[0])


def twice(name: str) -> tuple[Deed, Deed]:
    """A second process of a kind, and its end."""

    def put(scene: Scene) -> None:
        command = [str(site.PROGRAM), "--config", str(scene.place.config), name]
        log = (scene.place.logs / f"second-{name}.log").open("ab")
        scene.started.append(subprocess.Popen(command, stdout=log, stderr=log))

    def undo(scene: Scene) -> None:
        end(scene, name)

    return deed_of(put), deed_of(undo)


def other_sqlite() -> tuple[Deed, Deed]:
    """A program with Debian's SQLite has the database open, and ends."""
    name = "other-sqlite"
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
    code += "c.execute('SELECT 1 FROM user').fetchall(); input()"

    def put(scene: Scene) -> None:
        command = ["/usr/bin/python3", "-c", code, str(scene.settings.paths.database), name]
        scene.started.append(subprocess.Popen(command, stdin=subprocess.PIPE))

    return deed_of(put), deed_of(lambda scene: end(scene, name))


def unload(*modules: str) -> tuple[Deed, Deed]:
    """Modules of Asterisk are not there, and are again."""

    def do(kind: str) -> Deed:
        def acts(scene: Scene) -> None:
            for one in modules:
                scene.act("ModuleLoad", Module=one, LoadType=kind)

        return deed_of(acts)

    return do("unload"), do("load")


def mode(where: Callable[[Scene], Path], rights: int) -> tuple[Deed, Deed]:
    """A file is open to everybody, and shut again."""
    before: dict[Path, int] = {}

    def put(scene: Scene) -> None:
        path = where(scene)
        before[path] = path.stat().st_mode
        path.chmod(rights)

    return deed_of(put), deed_of(lambda s: where(s).chmod(before[where(s)]))


def owner(where: Callable[[Scene], Path]) -> tuple[Deed, Deed]:
    """A file belongs to nobody, and to us again."""
    return (
        deed_of(lambda s: os.chown(where(s), _NOBODY, -1)),
        deed_of(lambda s: os.chown(where(s), os.geteuid(), -1)),
    )


def away(where: Callable[[Scene], Path], instead: bool = False) -> tuple[Deed, Deed]:
    """A file or folder is moved away (a file stands there instead), and back."""

    def put(scene: Scene) -> None:
        path = where(scene)
        path.rename(path.with_name(f"{path.name}.away"))
        if instead:
            path.touch()

    def undo(scene: Scene) -> None:
        path = where(scene)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.away").rename(path)

    return deed_of(put), deed_of(undo)


def other(where: Callable[[Scene], Path], what: Callable[[Scene], bytes]) -> tuple[Deed, Deed]:
    """A file holds something else, and what it held again."""
    before: dict[Path, bytes] = {}

    def put(scene: Scene) -> None:
        path = where(scene)
        before[path] = path.read_bytes()
        path.write_bytes(what(scene))

    return deed_of(put), deed_of(lambda s: where(s).write_bytes(before[where(s)]))


def with_call(pair: tuple[Deed, Deed], talks: bool = False) -> tuple[Deed, Deed]:
    """The fault, and a call while it is there; mended, and a call again."""

    async def put(scene: Scene) -> None:
        await pair[0](scene)
        await scene.call(talks)

    async def undo(scene: Scene) -> None:
        await pair[1](scene)
        await scene.call(talks)

    return put, undo


async def stray(scene: Scene) -> None:
    """A carrier calls from a new address; a scanner and the box itself send far more."""
    await _send_invites(scene, f"{scene.place.network}.77", _INVITES)
    await _send_invites(scene, f"{scene.place.network}.78", 2 * _INVITES)
    await _send_invites(scene, scene.place.box, 2 * _INVITES)


async def _send_invites(scene: Scene, address: str, count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((address, 0))
        host, port = line.getsockname()
        for number in range(count):
            one = f"{time.time_ns()}{number}"
            text = (
                f"INVITE sip:1006@{scene.place.box} SIP/2.0\n"
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{one}\n"
                f"From: <sip:998901112233@{host}>;tag={one}\nTo: <sip:1006@{scene.place.box}>\n"
                f"Call-ID: {one}@{host}\nCSeq: 1 INVITE\nContact: <sip:c@{host}:{port}>\n"
                "Max-Forwards: 70\nContent-Length: 0\n\n"
            )
            line.sendto(text.replace("\n", "\r\n").encode(), (scene.place.box, SIP))
            await asyncio.sleep(0.05)


async def phone_gone(scene: Scene) -> None:
    """A ready operator's phone is no more registered."""
    phone = scene.people.phones[0]
    await phone.agent.register(phone.extension, phone.password, 0)


async def phone_back(scene: Scene) -> None:
    """It registers again."""
    await scene.people.phones[0].register()


def _speakers(scene: Scene, language: str) -> list[str]:
    return [one["login"] for one in scene.facts["operators"] if language in one["languages"]]


def nobody(language: str) -> tuple[Deed, Deed]:
    """Whoever speaks a language is off, and ready again."""

    async def put(scene: Scene) -> None:
        await scene.appliance("operator", "off", *_speakers(scene, language))

    async def undo(scene: Scene) -> None:
        await scene.appliance("operator", "ready", *_speakers(scene, language))

    return put, undo


def certificate(*words: str) -> Callable[[Scene], bytes]:
    """A certificate of the site's own key that is made with other words."""

    def made(scene: Scene) -> bytes:
        key = scene.place.folder / "tls" / "server.key"
        command = ["openssl", "req", "-x509", "-new", "-key", str(key), "-subj", "/CN=x", *words]
        return subprocess.run(command, check=True, capture_output=True).stdout

    return made


def another_key(_scene: Scene) -> bytes:
    """A key that belongs to no certificate here."""
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _sql(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite.connect(file, timeout=20)) as database, database:
        for statement in statements:
            database.execute(statement)


def sql(put: str, undo: str) -> tuple[Deed, Deed]:
    """Rows of the database as they must not be; statements are parted by "; "."""
    return (
        deed_of(lambda s: _sql(s.settings.paths.database, *put.split("; "))),
        deed_of(lambda s: _sql(s.settings.paths.database, *undo.split("; "))),
    )


async def nothing(_scene: Scene) -> None:
    """It passes by itself."""


def outside(do: Callable[[Scene], object], undo: Callable[[Scene], object]) -> tuple[Deed, Deed]:
    """Something is done, and undone."""
    return deed_of(do), deed_of(undo)


def stop_front(scene: Scene) -> None:
    """The TLS front is dead, and its keeper cannot start it anew."""
    config = scene.place.run / "nginx.conf"
    config.rename(config.with_suffix(".away"))
    os.kill(scene.pid("front"), signal.SIGKILL)


def start_front(scene: Scene) -> None:
    """It can start."""
    config = scene.place.run / "nginx.conf"
    config.with_suffix(".away").rename(config)


def log_as_folder(scene: Scene) -> None:
    """Where the event log was is a folder."""
    log = scene.settings.paths.event_log
    log.rename(log.with_name(f"{log.name}.1"))
    log.mkdir()


def log_as_file(scene: Scene) -> None:
    """The folder is gone; Asterisk makes the log itself."""
    scene.settings.paths.event_log.rmdir()


def let_on(scene: Scene) -> None:
    """The frozen worker goes on; gunicorn may have ended it already."""
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(worker(scene), signal.SIGCONT)


def start_replicate(scene: Scene) -> None:
    """The continuous copy goes on."""
    (scene.place.folder / "second").mkdir(exist_ok=True)
    command = [str(site.PROGRAM), "--config", str(scene.place.config), "replicate"]
    log = (scene.place.logs / "replicate.log").open("ab")
    scene.started.append(subprocess.Popen(command, stdout=log, stderr=log))


def end(scene: Scene, name: str) -> None:
    """What we started by that name ends."""
    for process in scene.started:
        words = process.args if isinstance(process.args, list) else []
        if words[-1:] == [name] and process.poll() is None:
            process.terminate()
            process.wait(30)


def internet(scene: Scene, up: bool) -> None:
    """What stands for the internet at large answers, or does not."""
    line = scene.service.line
    if line and up:
        line.rise()
    elif line:
        line.die()


async def failed_drill(scene: Scene) -> None:
    """A drill without any snapshot."""
    with contextlib.suppress(site.SiteError):
        await scene.appliance("backup", "drill")


async def no_drill(scene: Scene) -> None:
    """It never was."""
    _sql(scene.settings.paths.database, "DELETE FROM snapshot_run WHERE kind = 'drill'")


def end_all(scene: Scene) -> None:
    """Everything that we started beside the site ends."""
    for process in scene.started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
