"""A talk survives reloads, a frozen browser, a second tab, and the loss of our processes.

The time that the citizen missed is printed.
"""

import asyncio
import contextlib
import datetime as dt
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from appliance.box.links import hosts
from appliance.core import settings
from appliance.pbx import ami
from appliance.sip import tones
from appliance.sip.call import Call
from provisioning.local import site
from tests.calls.hotline import Hotline
from tests.calls.test_page_phone import OPERATOR_PITCH, Scene, ledger_rows_with, open_scene
from tests.calls.test_page_phone import only_page_operator as only_page_operator
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import wait_for, wait_until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(
        not hosts.outward_address(), reason="only a loopback address: no ICE candidates"
    ),
]
RELOAD_COUNT = 5
MAX_SILENCE_SECONDS = 5.0  # for how long a citizen may receive no sound
EXPECTED_PITCHES = {OPERATOR_PITCH, tones.MUSIC}
# As in a busy browser: the first route to it that it finds is by TCP.
TCP_FIRST = """
const listens = RTCPeerConnection.prototype.addEventListener;
RTCPeerConnection.prototype.addEventListener = function (kind, hears, ...more) {
    const candidate = "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active";
    if (kind === "icecandidate") hears({candidate: new RTCIceCandidate({candidate, sdpMid: "0"})});
    return listens.call(this, kind, hears, ...more);
};
"""


class LostPageScene(Scene):
    """A scene whose talk continues although the page or a process is lost."""

    async def longest_silence(self, citizen: Call, since: float, event: str) -> float:
        """Wait until the citizen receives the operator; return the longest silence in seconds."""
        flow = citizen.media.received

        def operator_times() -> list[float]:
            return [at for at, who in flow.voices if at > since + 0.5 and OPERATOR_PITCH in who]

        await wait_for(
            lambda: (
                time.time() > since + 1
                and operator_times()
                and citizen.media.has_voice(OPERATOR_PITCH, 0.6)
            ),
            limit=60,
        )
        await expect(self.phone_button("hold")).to_be_visible()
        assert citizen.state == "up"
        sound_times = [
            at
            for at, who in citizen.media.received.voices
            if at > since - 1 and who & EXPECTED_PITCHES
        ]
        silence = max(
            b - a for a, b in zip(sound_times, [*sound_times[1:], time.time()], strict=True)
        )
        delay = operator_times()[0] - since
        print(f"{event}: silence {silence:.1f} s, operator heard again after {delay:.1f} s")
        return silence


async def play_lost_page(hotline: Hotline, account: dict[str, Any], voice: Path, play: Any) -> None:
    """Play a scene in which the page accepts every dialog."""
    async with open_scene(hotline, account, voice) as s:
        s.page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await play(LostPageScene(s.window, s.page, s.parties))


def test_a_reloaded_page_keeps_its_caller_and_every_typed_letter(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    caller: dict[str, Any] = {}

    async def play(s: LostPageScene) -> None:
        citizen = await s.start_talk()
        gist = (await s.current_call_form()).locator("[name=gist]")
        await gist.fill("Ish haqi ")
        for number in range(RELOAD_COUNT):
            await expect(s.page.locator("#form[data-ready]")).to_be_visible()
            await gist.press_sequentially(str(number))
            since = time.time()
            await s.page.reload()
            assert (
                await s.longest_silence(citizen, since, f"reload {number + 1}")
                < MAX_SILENCE_SECONDS
            )
            await expect(gist).to_have_value("Ish haqi " + "01234"[: number + 1])
        caller.update(number=s.number)
        await s.end_call(citizen)

    asyncio.run(play_lost_page(hotline, only_page_operator, voice, play))
    row = wait_until(lambda: _measured_row(hotline, caller["number"]), 40, every=0.5)
    assert row
    [talk], [visit] = row["talks"], row["queue_visits"]
    assert (row["outcome"], row["ended_by"], len(row["gaps"])) == (
        "answered",
        "caller",
        RELOAD_COUNT,
    )
    assert len(visit["rings"]) == 1
    assert all(talk["from"] < gap["from"] < gap["to"] < talk["to"] for gap in row["gaps"])
    recorded = sum(recording["seconds"] for recording in row["recordings"])
    assert recorded == pytest.approx(row["talk_seconds"], abs=RELOAD_COUNT)
    print("gaps:", [f"{_gap_seconds(gap):.1f}" for gap in row["gaps"]])


def test_a_route_that_asterisk_cannot_use_is_not_the_only_candidate(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play(s: LostPageScene) -> None:
        await s.window.add_init_script(TCP_FIRST)
        await s.page.reload()
        await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
        await s.end_call(await s.start_talk())

    asyncio.run(play_lost_page(hotline, only_page_operator, voice, play))


def test_closed_tabs_and_killed_processes_do_not_end_a_talk(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play(s: LostPageScene) -> None:
        citizen = await s.start_talk()
        since = time.time()
        second = await s.window.new_page()
        await second.goto("/operator")
        await second.reload()
        await s.longest_silence(citizen, since, "a second tab")
        await second.close()
        for name in ("web", "front", "pbx"):
            since = time.time()
            await asyncio.to_thread(hotline.kill_service, name)
            await s.longest_silence(citizen, since, f"kill -9 of {name}")
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
        await s.end_call(citizen)  # the page is notified over its new connection
        citizen = await s.start_talk()
        await s.end_call(citizen)

    asyncio.run(play_lost_page(hotline, only_page_operator, voice, play))


def test_a_frozen_browser_and_a_killed_asterisk_recover(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play(s: LostPageScene) -> None:
        citizen = await s.start_talk()
        with frozen_browser(voice):
            since = time.time()
            await wait_for(lambda: music_times(citizen, since))
            silence = music_times(citizen, since)[0] - since
            print(f"the browser sleeps: music after {silence:.1f} s")
            await wait_for(lambda: time.time() > since + 20)
        await s.longest_silence(citizen, time.time(), "the browser slept for 20 s")
        assert silence < MAX_SILENCE_SECONDS
        await s.end_call(citizen)

        citizen = await s.start_talk()
        await asyncio.to_thread(hotline.kill_service, "asterisk")
        await wait_for(lambda: site.is_sip_answering(hotline.place))
        since = time.time()
        await wait_for(lambda: _is_registered(hotline, only_page_operator["extension"]), limit=60)
        print(f"Asterisk killed: registered {time.time() - since:.1f} s after it is back")
        citizen.hang_up()
        await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
        await s.end_call(await s.start_talk())

    asyncio.run(play_lost_page(hotline, only_page_operator, voice, play))


def music_times(citizen: Call, since: float) -> list[float]:
    """Return when music reached the citizen.

    The times are the kernel's, so a late test does not change them.
    """
    return [at for at, who in citizen.media.received.voices if at > since and tones.MUSIC in who]


@contextlib.contextmanager
def frozen_browser(voice: Path) -> Iterator[None]:
    """Stop all processes of the browser that uses this voice file while the block runs."""
    process_ids = _process_tree(
        next(pid for pid, (_, line) in _running_processes().items() if str(voice) in line)
    )
    _send_signal(process_ids, signal.SIGSTOP)
    try:
        yield
    finally:
        _send_signal(process_ids, signal.SIGCONT)


def _send_signal(processes: list[int], signal_number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):  # a helper process that has since ended
            os.kill(pid, signal_number)


def _process_tree(root: int) -> list[int]:
    """Return a process and all its descendants, the oldest first."""
    process_ids, parents = [root], _running_processes()
    for pid in process_ids:
        process_ids += [child for child, (parent, _) in parents.items() if parent == pid]
    return process_ids


def _running_processes() -> dict[int, tuple[int, str]]:
    """Return process id → (parent's id, command line)."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            processes[int(folder.name)] = (
                int(parent),
                (folder / "cmdline").read_text(errors="replace"),
            )
    return dict(sorted(processes.items()))


def _is_registered(hotline: Hotline, extension: str) -> bool:
    """Return True if the phone is registered.

    Returns False also while a new Asterisk accepts no commands yet.
    """
    try:
        with ami.Connection(settings.load_settings(hotline.place.config_file)) as asterisk:
            devices = asterisk.list_events("DeviceStateList", "DeviceStateListComplete")
    except (ami.Unreachable, ami.ActionRefused):
        return False
    states = {device["Device"]: device["State"] for device in devices}
    return states.get(f"PJSIP/{extension}") == "NOT_INUSE"


def _measured_row(hotline: Hotline, number: str) -> dict[str, Any] | None:
    rows = ledger_rows_with(hotline, number)
    return next((row for row in rows if row["ended_at"] and row["recordings"]), None)


def _gap_seconds(gap: dict[str, str]) -> float:
    begin, end = (dt.datetime.fromisoformat(gap[key]) for key in ("from", "to"))
    return (end - begin).total_seconds()
