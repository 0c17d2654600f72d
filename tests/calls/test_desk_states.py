"""The operator's page in states that only real calls bring about, and what his phone is told."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from appliance.box.links import hosts
from tests.calls.hotline import Hotline
from tests.calls.test_page_phone import Scene, scene
from tests.calls.test_page_phone import alone as alone
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(not hosts.outward(), reason="only a loopback address: no ICE candidates"),
]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
POST = """([path, values]) => fetch(path, {
    method: "POST",
    headers: {"X-CSRFToken": document.querySelector("[name=csrf-token]").content},
    body: new URLSearchParams(values),
}).then((answer) => answer.status)"""
# of each state: what the page shows in it
HELD, CONSULTED = "#phone [data-held]", "#bar .callbar[data-stage=consulted]"
WRAP_UP, PAUSED = "#bar .callbar[data-stage=wrap_up]", "#state [data-state=pause]"


def test_axe_finds_nothing_in_any_state(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    """Looked at in a second tab, so that the talk goes on: each language, light and dark."""

    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            s.employees()
            citizen = await s.talks()
            tab = await s.window.new_page()
            await tab.goto("/operator")
            await s.page.keyboard.press("Alt+KeyH")
            found = await looked_at(tab, HELD)
            await s.page.keyboard.press("Alt+KeyH")
            await s.hear_each_other(citizen)
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390101")
            await s.page.locator("#passing-found [data-how=consult]").first.click()
            found += await looked_at(tab, CONSULTED)
            await s.page.locator("#bar button[value=back]").click()
            await s.hear_each_other(citizen)
            await s.over(citizen)
            found += await looked_at(tab, WRAP_UP)
            await s.page.keyboard.press("F10")
            await expect(s.page.locator("#state [data-pick='1']")).to_be_focused()
            await s.page.keyboard.press("1")
            found += await looked_at(tab, PAUSED)
            await tab.evaluate(POST, ["/account/language", {"language": "uz_Latn"}])
            assert found == []

    asyncio.run(play())


async def looked_at(tab: Page, state: str) -> list[tuple[str, ...]]:
    """What axe finds in the state: (state, language, colours, rule, element)."""
    found = []
    for locale in LOCALES:
        await tab.evaluate(POST, ["/account/language", {"language": locale}])
        await tab.reload()
        await expect(tab.locator(f"html[lang={locale.replace('_', '-')}]")).to_be_attached()
        await expect(tab.locator(state)).to_be_visible()
        await tab.evaluate(AXE.read_text("utf-8"))
        for colours in ("light", "dark"):
            await tab.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
            said = await tab.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            found += [
                (state, locale, colours, one["id"], one["nodes"][0]["html"])
                for one in said["violations"]
            ]
    return found


def test_a_phone_is_told_no_number_that_is_hidden(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    told: list[str] = []

    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            await hides(hotline, s, True)
            try:
                s.page.on(
                    "websocket", lambda one: one.on("framereceived", lambda f: told.append(str(f)))
                )
                await s.page.reload()
                await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
                citizen = await s.calls()
                await s.button("answer").click()
                await s.hear_each_other(citizen)
                await expect(s.page.locator("#bar")).to_contain_text(s.number[-2:])
                assert s.number[-7:] not in re.sub(r"\s", "", await s.page.content())
                await s.over(citizen)
                invited = [text for text in told if text.startswith("INVITE")]
                assert len(invited) == 1
                assert not [text for text in told if s.number[-7:] in text]
            finally:
                await hides(hotline, s, False)

    asyncio.run(play())


async def hides(hotline: Hotline, s: Scene, hidden: bool) -> None:
    """The supervisor hides numbers or shows them, and phones are rung so."""
    browser = s.window.browser
    assert browser
    window = await browser.new_context(base_url=hotline.facts["web"], ignore_https_errors=True)
    page = await window.new_page()
    await page.goto("/login")
    one = hotline.facts["users"]["supervisor"]
    await page.fill("[name=login]", one["login"])
    await page.fill("[name=password]", one["password"])
    await page.press("[name=password]", "Enter")
    await page.goto("/workday")
    await page.set_checked("[name=hidden]", hidden)
    await page.locator("form[action='/workday/numbers'] [type=submit]").click()
    await expect(page.locator("#toasts .toast")).to_be_visible()
    await window.close()
    rendered = hotline.place.folder / "asterisk" / "etc" / "pjsip.conf"
    shown = f"from_user = {hotline.facts['hotline_number']}\n"
    await asyncio.to_thread(until, lambda: (shown in rendered.read_text()) == hidden, 60)
