"""Actions that break the telephony of a running site, and repair it."""

import asyncio
import contextlib
import io
import os
import resource
import shutil
import signal
import wave
from collections.abc import Callable

from appliance.pbx.ami import ActionRefused
from appliance.sip.agent import Agent
from provisioning.local import site
from provisioning.local.place import SIP_PORT
from tests.rig.trials.fault_actions import Deed, Scene, do_and_undo, in_thread
from tests.rig.waiting import wait_within

_IDENTIFIER_MODULE = "res_pjsip_endpoint_identifier_ip.so"
_HIDDEN_CALL_COUNT = 10  # without a number
_MENU_SECONDS = 1.0  # that such a call stays
_SPARE_DESCRIPTORS = 4  # left to Asterisk
_STUDIO_RATE_HZ = 44_100


def console_commands(command: str, undo_command: str) -> tuple[Deed, Deed]:
    """Run a command on Asterisk's console, and another one to undo it."""
    return do_and_undo(
        lambda s: s.run_console_command(command), lambda s: s.run_console_command(undo_command)
    )


def break_identifier(scene: Scene) -> None:
    """Load the module that identifies carriers by address in such a way that it does not run."""
    scene.run_ami_action("ModuleLoad", Module=_IDENTIFIER_MODULE, LoadType="unload")
    with contextlib.suppress(ActionRefused):
        scene.run_ami_action("ModuleLoad", Module=_IDENTIFIER_MODULE, LoadType="load")


def restart_asterisk(scene: Scene) -> None:
    """Kill Asterisk; its supervisor process starts it."""
    os.kill(scene.process_id("asterisk"), signal.SIGKILL)


def unmount_recordings() -> tuple[Deed, Deed]:
    """Replace the recordings by an empty folder, and restore them."""

    def empty_folder(scene: Scene) -> None:
        folder = scene.settings.paths.recordings
        folder.rename(folder.with_name("recordings.away"))
        folder.mkdir(mode=0o750)

    def restore_folder(scene: Scene) -> None:
        folder = scene.settings.paths.recordings
        shutil.rmtree(folder)
        folder.with_name("recordings.away").rename(folder)

    return in_thread(empty_folder), in_thread(restore_folder)


def change_queue_strategy() -> tuple[Deed, Deed]:
    """Let Asterisk use another strategy than its files have, and then that of the files again."""

    def load_other_strategy(scene: Scene) -> None:
        file = scene.settings.paths.asterisk / "queues.conf"
        before = file.read_text("utf-8")
        changed = before.replace("strategy = leastrecent", "strategy = rrmemory")
        file.write_text(changed, "utf-8")
        scene.run_console_command("queue reload all")
        file.write_text(before, "utf-8")

    return do_and_undo(load_other_strategy, lambda s: s.run_console_command("queue reload all"))


def edit_configuration() -> tuple[Deed, Deed]:
    """Edit a file of Asterisk's configuration by hand, and restore it."""

    def replace_text(scene: Scene, before: str, after: str) -> None:
        file = scene.settings.paths.asterisk / "musiconhold.conf"
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")

    return do_and_undo(
        lambda s: replace_text(s, "mode = files", "mode = quietmp3"),
        lambda s: replace_text(s, "mode = quietmp3", "mode = files"),
    )


def set_carrier_mood(mood: str) -> tuple[Deed, Deed]:
    """The carrier mishandles calls; then a test call over its trunk is due."""

    def mood_action(new_mood: str) -> Deed:
        async def set_and_test(scene: Scene) -> None:
            if scene.loop:
                scene.loop.behaviour = new_mood
            with contextlib.suppress(site.SiteError):  # the command reports a failing test
                await scene.run_appliance("selftest", "carrier", "carrier")

        return set_and_test

    return mood_action(mood), mood_action("ok")


def set_registrar_status(status: int) -> tuple[Deed, Deed]:
    """The carrier at which the box registers answers with a status, and with 200 again."""

    def status_action(new_status: int) -> Deed:
        async def set_status(scene: Scene) -> None:
            if scene.registrar:
                scene.registrar.status = new_status

        return set_status

    return status_action(status), status_action(200)


async def register_second_phone(scene: Scene) -> None:
    """Register an operator's extension from a second place.

    The operator's own phone still answers.
    """
    phone = scene.people.phones[-1]
    agent = Agent(f"{scene.place.network_prefix}.12", 0, (scene.place.box_address, SIP_PORT))
    await scene.second_places.enter_async_context(agent)
    await agent.register(phone.extension, phone.password)


async def restore_single_phone(scene: Scene) -> None:
    """Remove the second phone; the operator's phone registers again."""
    await scene.second_places.aclose()
    await scene.people.phones[-1].register_phone()


async def call_without_number(scene: Scene) -> None:
    """Citizens call, and the carrier transmits no number."""
    for _ in range(_HIDDEN_CALL_COUNT):
        await _make_short_call(scene, "")


async def call_with_number(scene: Scene) -> None:
    """One citizen calls whose number is transmitted."""
    await _make_short_call(scene, "+998901112244")


async def _make_short_call(scene: Scene, number: str) -> None:
    call = scene.people.call_hotline(number, 305)
    await wait_within(lambda: call.up_at, limit=10)
    await asyncio.sleep(_MENU_SECONDS)
    call.hang_up()


def limit_descriptors() -> tuple[Deed, Deed]:
    """Let Asterisk open only a few more files, and then as many as before."""
    former_limits: list[tuple[int, int]] = []

    def lower_limit(scene: Scene) -> None:
        pid = scene.process_id("asterisk")
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        former_limits.append(limits)
        used_count = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used_count + _SPARE_DESCRIPTORS, limits[1]))

    def restore_limit(scene: Scene) -> None:
        resource.prlimit(scene.process_id("asterisk"), resource.RLIMIT_NOFILE, former_limits.pop())

    return in_thread(lower_limit), in_thread(restore_limit)


def change_ami_password() -> tuple[Deed, Deed]:
    """Let Asterisk require another AMI password than the settings have, and then the same."""

    def replace_secret(scene: Scene, old: str, new: str) -> None:
        file = scene.settings.paths.asterisk / "manager.conf"
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        scene.run_console_command("manager reload")

    def set_other_secret(scene: Scene) -> None:
        secret = scene.settings.asterisk.ami_secret
        replace_secret(scene, secret, f"not-{secret}")
        # its supervisor process starts it, and it has to sign in again
        os.kill(scene.process_id("pbx"), signal.SIGKILL)

    def restore_secret(scene: Scene) -> None:
        secret = scene.settings.asterisk.ami_secret
        replace_secret(scene, f"not-{secret}", secret)

    return in_thread(set_other_secret), in_thread(restore_secret)


def garbage_bytes(_scene: Scene) -> bytes:
    """Bytes that are no sound."""
    return bytes(range(256)) * 100


def noise_maker() -> Callable[[Scene], bytes]:
    """A maker of random bytes in the form of a telephone's sound."""

    def make_noise(_scene: Scene) -> bytes:
        return _make_wav(8000, os.urandom(32_000))

    return make_noise


def studio_sound(_scene: Scene) -> bytes:
    """A sound in the form that a studio delivers."""
    return _make_wav(_STUDIO_RATE_HZ, bytes(2 * _STUDIO_RATE_HZ))


def _make_wav(rate: int, samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(samples)
    return file.getvalue()
