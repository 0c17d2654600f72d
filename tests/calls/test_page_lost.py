"""A talk outlives its page: loaded anew, cut off from the network, in a second tab, with our own
processes killed under it. What the citizen missed is printed."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from appliance.box.links import hosts
from appliance.sip import tones
from appliance.sip.call import Call
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


class Lost(Scene):
    """A talk that goes on whatever happens."""

    async def talks(self) -> Call:
        citizen = await self.calls()
        await self.rings()
        await self.button("answer").click()
        await self.hear_each_other(citizen)
        return citizen

    async def goes_on(self, citizen: Call, since: float, what: str) -> float:
        """The citizen hears the operator again; the longest time that he heard nobody."""
        await self.seen(lambda: time.time() > since + 1 and citizen.media.hears(OPERATOR, 0.6), 60)
        await expect(self.button("hold")).to_be_visible()
        assert citizen.state == "up"
        heard = [at for at, who in citizen.media.flow.heard if at > since - 1 and who & HELD]
        silence = max(b - a for a, b in zip(heard, [*heard[1:], time.time()], strict=True))
        back = next(
            at for at, who in citizen.media.flow.heard if at > since + 0.5 and OPERATOR in who
        )
        print(f"{what}: silence {silence:.1f} s, operator heard again after {back - since:.1f} s")
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
        gist = s.page.locator("[name=gist]").first
        await gist.fill("Ish haqi ")
        for number in range(RELOADS):
            await gist.press_sequentially(str(number))
            since = time.time()
            await s.page.reload()
            assert await s.goes_on(citizen, since, f"reload {number + 1}") < SILENCE
            await expect(gist).to_have_value("Ish haqi " + "01234"[: number + 1])
        told.update(number=s.number)
        await s.over(citizen)

    asyncio.run(lost(hotline, alone, voice, play))
    row = until(lambda: _measured(hotline, told["number"]), 40, every=0.5)
    [talk], [visit] = row["talks"], row["queue_visits"]
    assert (row["outcome"], row["ended_by"], len(row["gaps"])) == ("answered", "caller", RELOADS)
    assert len(visit["rings"]) == 1
    assert all(talk["from"] < gap["from"] < gap["to"] < talk["to"] for gap in row["gaps"])
    recorded = sum(one["seconds"] for one in row["recordings"])
    assert recorded == pytest.approx(row["talk_seconds"], abs=RELOADS)
    print("gaps:", [f"{_seconds(gap):.1f}" for gap in row["gaps"]])


def _measured(hotline: Hotline, number: str) -> dict[str, Any] | None:
    rows = told_of(hotline, number)
    return next((row for row in rows if row["ended_at"] and row["recordings"]), None)


def _seconds(gap: dict[str, str]) -> float:
    import datetime as dt

    begin, end = (dt.datetime.fromisoformat(gap[key]) for key in ("from", "to"))
    return (end - begin).total_seconds()
