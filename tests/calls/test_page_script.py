"""A script that the manager writes in his browser and the ministry approves in its own drives the
operator's next real calls; a call that goes on keeps the version that it began with."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from appliance.box.links import hosts
from appliance.sip.call import Call
from tests.calls.hotline import Hotline
from tests.calls.test_page_phone import NUMBERS, VOICES, Scene, scene
from tests.calls.test_page_phone import alone as alone
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(not hosts.outward(), reason="only a loopback address: no ICE candidates"),
]
TITLE = {"uz": "Sinov suhbati", "ru": "Пробный разговор"}
HELLO = {"uz": "Assalomu alaykum! Men {operator}.", "ru": "Здравствуйте! Я {operator}."}
ASKED = {"uz": "Qanday masala?", "ru": "По какому вопросу?"}
ASKED_ANEW = {"uz": "Sizni qiynagan masala nima?", "ru": "Что вас беспокоит?"}
BYE = {"uz": "Rahmat, sogʻ boʻling!", "ru": "Спасибо, до свидания!"}
SPOKEN = {"uz": "1", "ru": "2"}  # language → the key of the menu


@dataclass
class Gone:
    """One call: who called, and seconds from the answer to the script, and of each step."""

    number: str
    language: str
    shown: float = 0.0
    steps: list[float] = field(default_factory=list)


async def entered(s: Scene, who: dict[str, Any]) -> Page:
    """A window of another person's in the same browser."""
    browser = s.window.browser
    assert browser
    window = await browser.new_context(base_url=s.page.url, ignore_https_errors=True)
    page = await window.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", who["login"])
    await page.fill("[name=password]", who["password"])
    await page.press("[name=password]", "Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


async def in_both(page: Page, name: str, words: dict[str, str]) -> None:
    for language, text in words.items():
        await page.fill(f"[name={name}-{language}]", text)


async def step(
    page: Page,
    code: str,
    said: dict[str, str],
    answers: Sequence[tuple[str, str, str]] = (),
    name: dict[str, str] | None = None,
    fields: Sequence[str] = (),
) -> None:
    """Fill in a step of the script that is open, "" for a new one; without answers it ends there.

    Answers: Uzbek, Russian, to which step. `fields` are filled in at it.
    """
    there = page.url.partition("#")[0]
    await page.goto(f"{there}/steps/{code or 'new'}")
    if name:
        await in_both(page, "name", name)
    await in_both(page, "said", said)
    for number, (uzbek, russian, to) in enumerate(answers):
        await page.locator("[name=answer-uz]").nth(number).fill(uzbek)
        await page.locator("[name=answer-ru]").nth(number).fill(russian)
        await page.locator("[name=answer-to]").nth(number).select_option(to)
    for one in fields:
        await page.locator(f"[name=fields][value={one}]").first.check()
    await page.set_checked("[name=ends]", not answers)
    await page.click(f"form[action$='/steps{code and '/' + code}'] [type=submit]")
    await page.wait_for_url("**/scripts/*#step-*")


async def write(page: Page) -> None:
    """A script of three steps, in the editor; each is written after those to which it leads."""
    await page.goto("/scripts")
    await in_both(page, "title", TITLE)
    await page.click("form[action='/scripts'] [type=submit]")
    await page.wait_for_url("**/scripts/*")
    await step(page, "", BYE, name={"uz": "Xayr", "ru": "Прощание"})
    asked = [("Tushundim", "Понятно", "xayr")]
    named = {"uz": "Savol", "ru": "Вопрос"}
    await step(page, "", ASKED, asked, named, fields=("surname", "gist"))
    await step(
        page, "1", HELLO, [("Gaplashaman", "Слушаю", "savol"), ("Vaqtim yoʻq", "Нет", "xayr")]
    )
    assert not await page.locator(".wrongs").count()


async def brought_in_force(manager: Page, ministry: Page) -> None:
    """The manager sends it, the ministry approves it in its own browser, he puts it in force."""
    await pressed(manager, "send")
    await ministry.goto(manager.url.partition("#")[0])
    await pressed(ministry, "approve")
    await manager.reload()
    await pressed(manager, "put")


async def pressed(page: Page, action: str) -> None:
    await page.click(f"form[action$='/{action}'] [type=submit]")
    await expect(page.locator("#toasts .toast").first).to_be_visible()


async def answered(s: Scene, language: str) -> tuple[Call, Gone]:
    """A citizen calls in his language, and is spoken with; the script has begun by itself."""
    gone = Gone(next(NUMBERS), language)
    citizen = s.people.call(gone.number, next(VOICES))
    await s.seen(lambda: citizen.state == "up")
    citizen.media.press(SPOKEN[language])
    await s.rings()
    await s.page.keyboard.press("F8")
    since = time.monotonic()
    await expect(s.page.locator(".script .answers button")).to_have_count(2)
    gone.shown = time.monotonic() - since
    await s.hear_each_other(citizen)
    script = s.page.locator(".script .spoken")
    await expect(script).to_contain_text(HELLO[language].partition("!")[0])
    await expect(s.page.locator("#form[data-ready]")).to_be_visible()
    if await s.page.locator("#form").get_attribute("data-form") != "2":
        await s.page.keyboard.press("F6")
        await expect(s.page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
        await expect(script).to_be_visible()
    return citizen, gone


async def pressing(s: Scene, gone: Gone, key: str, until_said: str) -> None:
    """A key of the script, and how long until the next words are there."""
    since = time.monotonic()
    await s.page.keyboard.press(key)
    await expect(s.page.locator(".script .spoken")).to_contain_text(until_said)
    gone.steps.append(time.monotonic() - since)


async def gone_through(s: Scene, citizen: Call, gone: Gone, asked: dict[str, str]) -> None:
    """By keys to the end of the script, its fields filled in on the way; then form №2."""
    await s.page.keyboard.press("Alt+KeyJ")
    await pressing(s, gone, "Digit1", asked[gone.language])
    await s.page.locator("[data-script-field=surname]").press("Enter")
    await expect(s.page.locator("#f-surname")).to_be_focused()
    await s.page.keyboard.type("Karimova")
    await s.page.locator("[data-script-field=gist]").press("Enter")
    await s.page.keyboard.type("Subsidiya")
    await s.page.keyboard.press("Alt+KeyJ")
    await pressing(s, gone, "Digit1", BYE[gone.language])
    await s.page.keyboard.press("KeyX")
    await expect(s.page.locator("[data-script-act=resume]")).to_be_visible()
    await s.page.locator("#f-gist").focus()
    await s.page.keyboard.press("Control+Enter")
    await expect(s.page.locator(".registered")).to_be_visible()
    citizen.hang_up()
    await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
    await s.page.keyboard.press("Escape")
    await s.page.keyboard.press("Alt+KeyR")


def registered(hotline: Hotline, numbers: list[str]) -> list[dict[str, Any]]:
    """What was registered on form №2 for these callers, in the order of the calls."""
    asked = ("--from", "2026-01-01", "--to", "2099-12-31")
    told = hotline.appliance("ledger", "export", *asked).splitlines()
    calls = {row["caller"]: row["id"] for row in map(json.loads, told)}
    told = hotline.appliance("registration", "export", "--form", "2", *asked).splitlines()
    forms = {row["call"]: row for row in map(json.loads, told)}
    return [forms[calls[one]] for one in numbers]


def test_a_script_of_the_page_drives_the_next_call_and_a_call_keeps_its_version(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    went: list[Gone] = []

    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            users = hotline.facts["users"]
            both = (entered(s, users[who]) for who in ("manager", "ministry"))
            manager, ministry = await asyncio.gather(*both)
            await write(manager)
            await brought_in_force(manager, ministry)

            citizen, gone = await answered(s, "uz")
            await manager.click("form[action$='/draft'] [type=submit]")
            await manager.goto(f"{manager.url.partition('#')[0]}/steps/savol")
            await in_both(manager, "said", ASKED_ANEW)
            await manager.click("form[action$='/steps/savol'] [type=submit]")
            await manager.wait_for_url("**/scripts/*#step-*")
            await brought_in_force(manager, ministry)
            await gone_through(s, citizen, gone, ASKED)
            went.append(gone)

            citizen, gone = await answered(s, "ru")
            await gone_through(s, citizen, gone, ASKED_ANEW)
            went.append(gone)

    asyncio.run(play())
    for gone in went:
        print(f"{gone.language}: script after {gone.shown:.2f} s, steps {gone.steps}")
    rows = until(lambda: len(found := registered(hotline, [g.number for g in went])) == 2 and found)
    assert [row["scripts"] for row in rows] == [
        [{"script": "sinov-suhbati", "version": version, "result": "finished", "step": "xayr"}]
        for version in (1, 2)
    ]
    assert [row["fields"]["surname"]["text"] for row in rows] == ["Karimova"] * 2
    assert [row["fields"]["gist"]["text"] for row in rows] == ["Subsidiya"] * 2
