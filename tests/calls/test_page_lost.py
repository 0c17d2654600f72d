"""A talk outlives its page: loaded anew, cut off from the network, in a second tab, with our own
processes killed under it. What the citizen missed is printed."""

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
from tests.calls.test_page_phone import OPERATOR, Scene, scene, told_of
from tests.calls.test_page_phone import alone as alone
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(not hosts.outward(), reason="only a loopback address: no ICE candidates"),
]
RELOADS = 5
SILENCE = 5.0  # seconds that a citizen may hear nothing
HELD = {OPERATOR, tones.MUSIC}
# As in a browser that has much to do: the first way to it that it finds leads by TCP.
TCP_FIRST = """
const listens = RTCPeerConnection.prototype.addEventListener;
RTCPeerConnection.prototype.addEventListener = function (kind, hears, ...more) {
    const candidate = "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active";
    if (kind === "icecandidate") hears({candidate: new RTCIceCandidate({candidate, sdpMid: "0"})});
    return listens.call(this, kind, hears, ...more);
};
"""


class Lost(Scene):
    """A talk that goes on whatever happens."""

    async def goes_on(self, citizen: Call, since: float, what: str) -> float:
        """The citizen hears the operator again; the longest time that he heard nobody."""
        flow = citizen.media.flow

        def again() -> list[float]:
            return [at for at, who in flow.heard if at > since + 0.5 and OPERATOR in who]

        await self.seen(
            lambda: time.time() > since + 1 and again() and citizen.media.hears(OPERATOR, 0.6), 60
        )
        await expect(self.button("hold")).to_be_visible()
        assert citizen.state == "up"
        heard = [at for at, who in citizen.media.flow.heard if at > since - 1 and who & HELD]
        silence = max(b - a for a, b in zip(heard, [*heard[1:], time.time()], strict=True))
        back = again()[0] - since
        print(f"{what}: silence {silence:.1f} s, operator heard again after {back:.1f} s")
        return silence


async def lost(hotline: Hotline, one: dict[str, Any], voice: Path, play: Any) -> None:
    async with scene(hotline, one, voice) as s:
        s.page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await play(Lost(s.window, s.page, s.people))


def test_loaded_anew_the_page_has_its_caller_and_every_letter(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    told: dict[str, Any] = {}

    async def play(s: Lost) -> None:
        citizen = await s.talks()
        gist = (await s.form_of_call()).locator("[name=gist]")
        await gist.fill("Ish haqi ")
        for number in range(RELOADS):
            await expect(s.page.locator("#form[data-ready]")).to_be_visible()
            await gist.press_sequentially(str(number))
            since = time.time()
            await s.page.reload()
            assert await s.goes_on(citizen, since, f"reload {number + 1}") < SILENCE
            await expect(gist).to_have_value("Ish haqi " + "01234"[: number + 1])
        told.update(number=s.number)
        await s.over(citizen)

    asyncio.run(lost(hotline, alone, voice, play))
    row = until(lambda: _measured(hotline, told["number"]), 40, every=0.5)
    assert row
    [talk], [visit] = row["talks"], row["queue_visits"]
    assert (row["outcome"], row["ended_by"], len(row["gaps"])) == ("answered", "caller", RELOADS)
    assert len(visit["rings"]) == 1
    assert all(talk["from"] < gap["from"] < gap["to"] < talk["to"] for gap in row["gaps"])
    recorded = sum(one["seconds"] for one in row["recordings"])
    assert recorded == pytest.approx(row["talk_seconds"], abs=RELOADS)
    print("gaps:", [f"{_seconds(gap):.1f}" for gap in row["gaps"]])


def test_a_way_that_the_exchange_cannot_go_is_not_the_only_one_told(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play(s: Lost) -> None:
        await s.window.add_init_script(TCP_FIRST)
        await s.page.reload()
        await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
        await s.over(await s.talks())

    asyncio.run(lost(hotline, alone, voice, play))


def test_other_tabs_and_our_own_processes_end_no_talk(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play(s: Lost) -> None:
        citizen = await s.talks()
        since = time.time()
        second = await s.window.new_page()
        await second.goto("/operator")
        await second.reload()
        await s.goes_on(citizen, since, "a second tab")
        await second.close()
        for name in ("web", "front", "pbx"):
            since = time.time()
            await asyncio.to_thread(hotline.kill, name)
            await s.goes_on(citizen, since, f"kill -9 of {name}")
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
        await s.over(citizen)  # which the page is told over its new connection
        citizen = await s.talks()
        await s.over(citizen)

    asyncio.run(lost(hotline, alone, voice, play))


def test_a_browser_that_sleeps_and_an_exchange_that_dies(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play(s: Lost) -> None:
        citizen = await s.talks()
        with frozen(voice):
            since = time.time()
            await s.seen(lambda: music_after(citizen, since))
            silence = music_after(citizen, since)[0] - since
            print(f"the browser sleeps: music after {silence:.1f} s")
            await s.seen(lambda: time.time() > since + 20)
        await s.goes_on(citizen, time.time(), "the browser slept for 20 s")
        assert silence < SILENCE
        await s.over(citizen)

        citizen = await s.talks()
        await asyncio.to_thread(hotline.kill, "asterisk")
        await s.seen(lambda: site.sip_answers(hotline.place))
        since = time.time()
        await s.seen(lambda: _is_registered(hotline, alone["extension"]), 60)
        print(f"Asterisk killed: registered {time.time() - since:.1f} s after it is back")
        citizen.hang_up()
        await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
        await s.over(await s.talks())

    asyncio.run(lost(hotline, alone, voice, play))


def music_after(citizen: Call, since: float) -> list[float]:
    """When music reached the citizen, by the kernel's stamps: a test that is late changes none."""
    return [at for at, who in citizen.media.flow.heard if at > since and tones.MUSIC in who]


@contextlib.contextmanager
def frozen(voice: Path) -> Iterator[None]:
    """A while in which the browser that this voice speaks to stands still, all of it."""
    stopped = _tree(next(pid for pid, (_, line) in _processes().items() if str(voice) in line))
    _signal(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(stopped, signal.SIGCONT)


def _signal(processes: list[int], what: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):  # a helper that has ended since
            os.kill(pid, what)


def _tree(root: int) -> list[int]:
    """A process and all that it has started, the oldest first."""
    found, parents = [root], _processes()
    for pid in found:
        found += [child for child, (parent, _) in parents.items() if parent == pid]
    return found


def _processes() -> dict[int, tuple[int, str]]:
    """Process → (its parent, its command line)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            found[int(folder.name)] = int(parent), (folder / "cmdline").read_text(errors="replace")
    return dict(sorted(found.items()))


def _is_registered(hotline: Hotline, extension: str) -> bool:
    """False, too, while an exchange that has just begun does not take orders yet."""
    try:
        with ami.Connection(settings.load(hotline.place.config)) as asterisk:
            found = asterisk.listed("DeviceStateList", "DeviceStateListComplete")
    except (ami.Unreachable, ami.Refused):
        return False
    known = {one["Device"]: one["State"] for one in found}
    return known.get(f"PJSIP/{extension}") == "NOT_INUSE"


def _measured(hotline: Hotline, number: str) -> dict[str, Any] | None:
    rows = told_of(hotline, number)
    return next((row for row in rows if row["ended_at"] and row["recordings"]), None)


def _seconds(gap: dict[str, str]) -> float:
    begin, end = (dt.datetime.fromisoformat(gap[key]) for key in ("from", "to"))
    return (end - begin).total_seconds()
