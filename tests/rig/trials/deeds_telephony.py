"""How the telephony of a running site is broken, and repaired again."""

import asyncio
import contextlib
import io
import os
import resource
import shutil
import signal
import wave
from collections.abc import Callable

from appliance.pbx.ami import Refused
from appliance.sip.agent import Agent
from provisioning.local import site
from provisioning.local.place import SIP
from tests.rig.trials.deeds import Deed, Scene, deed_of, outside

_IDENTIFIER = "res_pjsip_endpoint_identifier_ip.so"
_HIDDEN = 10  # calls without a number
_MENU = 1.0  # seconds that such a call stays
_SPARE = 4  # file descriptors left to Asterisk
_RATE = 44_100


def console(put: str, undo: str) -> tuple[Deed, Deed]:
    """A command on Asterisk's console, and another one."""
    return outside(lambda s: s.console(put), lambda s: s.console(undo))


def identifier_stops(scene: Scene) -> None:
    """The module that identifies carriers by address is loaded, and does not run."""
    scene.act("ModuleLoad", Module=_IDENTIFIER, LoadType="unload")
    with contextlib.suppress(Refused):
        scene.act("ModuleLoad", Module=_IDENTIFIER, LoadType="load")


def start_asterisk_again(scene: Scene) -> None:
    """Asterisk ends, and its keeper starts it."""
    os.kill(scene.pid("asterisk"), signal.SIGKILL)


def recordings_not_mounted() -> tuple[Deed, Deed]:
    """An empty folder is in the place of the recordings; they come back."""

    def put(scene: Scene) -> None:
        folder = scene.settings.paths.recordings
        folder.rename(folder.with_name("recordings.away"))
        folder.mkdir(mode=0o750)

    def undo(scene: Scene) -> None:
        folder = scene.settings.paths.recordings
        shutil.rmtree(folder)
        folder.with_name("recordings.away").rename(folder)

    return deed_of(put), deed_of(undo)


def other_queue_strategy() -> tuple[Deed, Deed]:
    """Asterisk works with another strategy than its files say; then with that one again."""

    def put(scene: Scene) -> None:
        file = scene.settings.paths.asterisk / "queues.conf"
        before = file.read_text("utf-8")
        other = before.replace("strategy = leastrecent", "strategy = rrmemory")
        file.write_text(other, "utf-8")
        scene.console("queue reload all")
        file.write_text(before, "utf-8")

    return outside(put, lambda s: s.console("queue reload all"))


def changed_by_hand() -> tuple[Deed, Deed]:
    """Somebody writes into a file of Asterisk's configuration; then it is as it was."""

    def change(scene: Scene, before: str, after: str) -> None:
        file = scene.settings.paths.asterisk / "musiconhold.conf"
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")

    return outside(
        lambda s: change(s, "mode = files", "mode = quietmp3"),
        lambda s: change(s, "mode = quietmp3", "mode = files"),
    )


def carrier_is(mood: str) -> tuple[Deed, Deed]:
    """The carrier does something wrong with calls; a test call over its trunk comes due."""

    def deed(to: str) -> Deed:
        async def do(scene: Scene) -> None:
            if scene.loop:
                scene.loop.mood = to
            with contextlib.suppress(site.SiteError):  # it reports a test that fails
                await scene.appliance("selftest", "carrier", "carrier")

        return do

    return deed(mood), deed("ok")


def registrar_answers(status: int) -> tuple[Deed, Deed]:
    """The carrier at which the box registers answers with a status, and with 200 again."""

    def deed(answer: int) -> Deed:
        async def do(scene: Scene) -> None:
            if scene.registrar:
                scene.registrar.status = answer

        return do

    return deed(status), deed(200)


async def second_phone(scene: Scene) -> None:
    """Somebody else registers an operator's extension; the operator's own phone still answers."""
    phone = scene.people.phones[-1]
    agent = Agent(f"{scene.place.network}.12", 0, (scene.place.box, SIP))
    await scene.second.enter_async_context(agent)
    await agent.register(phone.extension, phone.password)


async def one_phone(scene: Scene) -> None:
    """That one is gone, and the operator's phone registers again."""
    await scene.second.aclose()
    await scene.people.phones[-1].register()


async def hidden_callers(scene: Scene) -> None:
    """Citizens call, and the carrier hands on no number."""
    for _ in range(_HIDDEN):
        await _short_call(scene, "")


async def shown_caller(scene: Scene) -> None:
    """One calls whose number is handed on."""
    await _short_call(scene, "+998901112244")


async def _short_call(scene: Scene, number: str) -> None:
    call = scene.people.call(number, 305)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while not call.up_at:
                await asyncio.sleep(0.05)
    await asyncio.sleep(_MENU)
    call.hang_up()


def few_descriptors() -> tuple[Deed, Deed]:
    """Asterisk may open only a few files more; then as many as before."""
    before: list[tuple[int, int]] = []

    def put(scene: Scene) -> None:
        pid = scene.pid("asterisk")
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        before.append(limits)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + _SPARE, limits[1]))

    def undo(scene: Scene) -> None:
        resource.prlimit(scene.pid("asterisk"), resource.RLIMIT_NOFILE, before.pop())

    return deed_of(put), deed_of(undo)


def other_ami_password() -> tuple[Deed, Deed]:
    """Asterisk requires another AMI password than the settings have; then the same."""

    def change(scene: Scene, old: str, new: str) -> None:
        file = scene.settings.paths.asterisk / "manager.conf"
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        scene.console("manager reload")

    def put(scene: Scene) -> None:
        secret = scene.settings.asterisk.ami_secret
        change(scene, secret, f"not-{secret}")
        os.kill(scene.pid("pbx"), signal.SIGKILL)  # its keeper starts it: it has to sign in again

    def undo(scene: Scene) -> None:
        secret = scene.settings.asterisk.ami_secret
        change(scene, f"not-{secret}", secret)

    return deed_of(put), deed_of(undo)


def garbage(_scene: Scene) -> bytes:
    """Bytes that are not a sound."""
    return bytes(range(256)) * 100


def noise() -> Callable[[Scene], bytes]:
    """Random bytes in the form of a telephone's sound."""

    def made(_scene: Scene) -> bytes:
        return _wav(8000, os.urandom(32_000))

    return made


def wrong_rate(_scene: Scene) -> bytes:
    """A sound as a studio delivers it."""
    return _wav(_RATE, bytes(2 * _RATE))


def _wav(rate: int, samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(samples)
    return file.getvalue()
