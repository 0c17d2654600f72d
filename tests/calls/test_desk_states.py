"""The operator's page in states that only real calls produce, and what their phone receives."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from appliance.box.links import hosts
from tests.calls.hotline import Hotline
from tests.calls.test_page_phone import Scene, open_scene
from tests.calls.test_page_phone import only_page_operator as only_page_operator
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import wait_until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(
        not hosts.outward_address(), reason="only a loopback address: no ICE candidates"
    ),
]
AXE_SCRIPT = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
POST_SCRIPT = """([path, values]) => fetch(path, {
    method: "POST",
    headers: {"X-CSRFToken": document.querySelector("[name=csrf-token]").content},
    body: new URLSearchParams(values),
}).then((answer) => answer.status)"""
# each state: the element that the page shows in it
HELD_ELEMENT, CONSULTED_ELEMENT = "#phone [data-held]", "#bar .callbar[data-stage=consulted]"
WRAP_UP_ELEMENT, PAUSED_ELEMENT = "#bar .callbar[data-stage=wrap_up]", "#state [data-state=pause]"


def test_axe_finds_no_violation_in_any_state(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    """A second tab is checked so that the talk goes on: each language, light and dark."""

    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            s.answer_outside_calls()
            citizen = await s.start_talk()
            tab = await s.window.new_page()
            await tab.goto("/operator")
            await s.page.keyboard.press("Alt+KeyH")
            violations = await find_violations(tab, HELD_ELEMENT)
            await s.page.keyboard.press("Alt+KeyH")
            await s.expect_talk(citizen)
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390101")
            await s.page.locator("#passing-found [data-how=consult]").first.click()
            violations += await find_violations(tab, CONSULTED_ELEMENT)
            await s.page.locator("#bar button[value=back]").click()
            await s.expect_talk(citizen)
            await s.end_call(citizen)
            violations += await find_violations(tab, WRAP_UP_ELEMENT)
            await s.page.keyboard.press("F10")
            await expect(s.page.locator("#state [data-pick='1']")).to_be_focused()
            await s.page.keyboard.press("1")
            violations += await find_violations(tab, PAUSED_ELEMENT)
            await tab.evaluate(POST_SCRIPT, ["/account/language", {"language": "uz_Latn"}])
            assert violations == []

    asyncio.run(play())


async def find_violations(tab: Page, state: str) -> list[tuple[str, ...]]:
    """Return axe's findings in the state: (state, language, colours, rule, element)."""
    violations = []
    for locale in LOCALES:
        await tab.evaluate(POST_SCRIPT, ["/account/language", {"language": locale}])
        await tab.reload()
        await expect(tab.locator(f"html[lang={locale.replace('_', '-')}]")).to_be_attached()
        await expect(tab.locator(state)).to_be_visible()
        await tab.evaluate(AXE_SCRIPT.read_text("utf-8"))
        for colours in ("light", "dark"):
            await tab.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
            results = await tab.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)
            violations += [
                (state, locale, colours, violation["id"], violation["nodes"][0]["html"])
                for violation in results["violations"]
            ]
    return violations


def test_a_phone_does_not_receive_a_hidden_number(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    frames: list[str] = []

    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            await set_numbers_hidden(hotline, s, True)
            try:
                s.page.on(
                    "websocket",
                    lambda socket: socket.on("framereceived", lambda f: frames.append(str(f))),
                )
                await s.page.reload()
                await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
                citizen = await s.start_call()
                await s.phone_button("answer").click()
                await s.expect_talk(citizen)
                await expect(s.page.locator("#bar")).to_contain_text(s.number[-2:])
                assert s.number[-7:] not in re.sub(r"\s", "", await s.page.content())
                await s.end_call(citizen)
                invitations = [text for text in frames if text.startswith("INVITE")]
                assert len(invitations) == 1
                assert not [text for text in frames if s.number[-7:] in text]
            finally:
                await set_numbers_hidden(hotline, s, False)

    asyncio.run(play())


async def set_numbers_hidden(hotline: Hotline, s: Scene, hidden: bool) -> None:
    """Let the supervisor hide or show numbers, and wait until the phones' configuration follows."""
    browser = s.window.browser
    assert browser
    window = await browser.new_context(
        base_url=hotline.description["web"], ignore_https_errors=True
    )
    page = await window.new_page()
    await page.goto("/login")
    account = hotline.description["users"]["supervisor"]
    await page.fill("[name=login]", account["login"])
    await page.fill("[name=password]", account["password"])
    await page.press("[name=password]", "Enter")
    await page.goto("/workday")
    await page.set_checked("[name=hidden]", hidden)
    await page.locator("form[action='/workday/numbers'] [type=submit]").click()
    await expect(page.locator("#toasts .toast")).to_be_visible()
    await window.close()
    rendered = hotline.place.folder / "asterisk" / "etc" / "pjsip.conf"
    visible_setting = f"from_user = {hotline.description['hotline_number']}\n"
    await asyncio.to_thread(
        wait_until, lambda: (visible_setting in rendered.read_text()) == hidden, 60
    )
