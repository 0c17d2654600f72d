"""A script written by a manager and approved by the ministry drives the next calls.

A call that is open keeps the version with which it began.
"""

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
from tests.calls.test_page_phone import CALLER_NUMBERS, CALLER_PITCHES, Scene, open_scene
from tests.calls.test_page_phone import only_page_operator as only_page_operator
from tests.calls.test_page_phone import voice as voice
from tests.rig.waiting import wait_for, wait_until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(
        not hosts.outward_address(), reason="only a loopback address: no ICE candidates"
    ),
]
TITLE_TEXT = {"uz": "Sinov suhbati", "ru": "Пробный разговор"}
GREETING_TEXT = {"uz": "Assalomu alaykum! Men {operator}.", "ru": "Здравствуйте! Я {operator}."}
QUESTION_TEXT = {"uz": "Qanday masala?", "ru": "По какому вопросу?"}
NEW_QUESTION_TEXT = {"uz": "Sizni qiynagan masala nima?", "ru": "Что вас беспокоит?"}
FAREWELL_TEXT = {"uz": "Rahmat, sogʻ boʻling!", "ru": "Спасибо, до свидания!"}
MENU_KEYS = {"uz": "1", "ru": "2"}  # language → key of the menu


@dataclass
class ScriptedCall:
    """One call: its caller, and the seconds until the script and each of its steps appeared."""

    number: str
    language: str
    script_delay: float = 0.0
    step_delays: list[float] = field(default_factory=list)


async def sign_in(s: Scene, account: dict[str, Any]) -> Page:
    """Sign another user in, in a new window of the same browser; return the page."""
    browser = s.window.browser
    assert browser
    window = await browser.new_context(base_url=s.page.url, ignore_https_errors=True)
    page = await window.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", account["login"])
    await page.fill("[name=password]", account["password"])
    await page.press("[name=password]", "Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


async def fill_both_languages(page: Page, name: str, texts: dict[str, str]) -> None:
    """Fill in a field's text in each language."""
    for language, text in texts.items():
        await page.fill(f"[name={name}-{language}]", text)


async def save_step(
    page: Page,
    code: str,
    texts: dict[str, str],
    answers: Sequence[tuple[str, str, str]] = (),
    name: dict[str, str] | None = None,
    fields: Sequence[str] = (),
) -> None:
    """Fill in a step of the open script, "" for a new one; without answers the script ends there.

    Each answer is (Uzbek, Russian, code of the next step). `fields` are filled in at the step.
    """
    script_url = page.url.partition("#")[0]
    await page.goto(f"{script_url}/steps/{code or 'new'}")
    if name:
        await fill_both_languages(page, "name", name)
    await fill_both_languages(page, "said", texts)
    for number, (uzbek, russian, target) in enumerate(answers):
        await page.locator("[name=answer-uz]").nth(number).fill(uzbek)
        await page.locator("[name=answer-ru]").nth(number).fill(russian)
        await page.locator("[name=answer-to]").nth(number).select_option(target)
    for field_code in fields:
        await page.locator(f"[name=fields][value={field_code}]").first.check()
    await page.set_checked("[name=ends]", not answers)
    await page.click(f"form[action$='/steps{code and '/' + code}'] [type=submit]")
    await page.wait_for_url("**/scripts/*#step-*")


async def write_script(page: Page) -> None:
    """Write a script of three steps in the editor; each step follows those to which it leads."""
    await page.goto("/scripts")
    await fill_both_languages(page, "title", TITLE_TEXT)
    await page.click("form[action='/scripts'] [type=submit]")
    await page.wait_for_url("**/scripts/*")
    await save_step(page, "", FAREWELL_TEXT, name={"uz": "Xayr", "ru": "Прощание"})
    answers = [("Tushundim", "Понятно", "xayr")]
    step_name = {"uz": "Savol", "ru": "Вопрос"}
    await save_step(page, "", QUESTION_TEXT, answers, step_name, fields=("surname", "gist"))
    await save_step(
        page,
        "1",
        GREETING_TEXT,
        [("Gaplashaman", "Слушаю", "savol"), ("Vaqtim yoʻq", "Нет", "xayr")],
    )
    assert not await page.locator(".wrongs").count()


async def publish_script(manager: Page, ministry: Page) -> None:
    """Let the manager send the script, the ministry approve it, and the manager put it in force."""
    await submit_form(manager, "send")
    await ministry.goto(manager.url.partition("#")[0])
    await submit_form(ministry, "approve")
    await manager.reload()
    await submit_form(manager, "put")


async def submit_form(page: Page, action: str) -> None:
    """Submit the form of an action and wait for the confirmation."""
    await page.click(f"form[action$='/{action}'] [type=submit]")
    await expect(page.locator("#toasts .toast").first).to_be_visible()


async def answer_call(s: Scene, language: str) -> tuple[Call, ScriptedCall]:
    """Let a citizen call in their language and be answered; the script has started by itself."""
    scripted_call = ScriptedCall(next(CALLER_NUMBERS), language)
    citizen = s.parties.call_hotline(scripted_call.number, next(CALLER_PITCHES))
    await wait_for(lambda: citizen.state == "up")
    citizen.media.press_keys(MENU_KEYS[language])
    await s.expect_ringing()
    await s.page.keyboard.press("F8")
    since = time.monotonic()
    await expect(s.page.locator(".script .answers button")).to_have_count(2)
    scripted_call.script_delay = time.monotonic() - since
    await s.expect_talk(citizen)
    script = s.page.locator(".script .spoken")
    await expect(script).to_contain_text(GREETING_TEXT[language].partition("!")[0])
    await expect(s.page.locator("#form[data-ready]")).to_be_visible()
    if await s.page.locator("#form").get_attribute("data-form") != "2":
        await s.page.keyboard.press("F6")
        await expect(s.page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
        await expect(script).to_be_visible()
    return citizen, scripted_call


async def press_script_key(s: Scene, scripted_call: ScriptedCall, key: str, next_text: str) -> None:
    """Press a key of the script and measure how long the next text takes to appear."""
    since = time.monotonic()
    await s.page.keyboard.press(key)
    await expect(s.page.locator(".script .spoken")).to_contain_text(next_text)
    scripted_call.step_delays.append(time.monotonic() - since)


async def finish_script(
    s: Scene, citizen: Call, scripted_call: ScriptedCall, question: dict[str, str]
) -> None:
    """Go to the end of the script by keys, fill in its fields on the way, then register form №2."""
    await s.page.keyboard.press("Alt+KeyJ")
    await press_script_key(s, scripted_call, "Digit1", question[scripted_call.language])
    await s.page.locator("[data-script-field=surname]").press("Enter")
    await expect(s.page.locator("#f-surname")).to_be_focused()
    await s.page.keyboard.type("Karimova")
    await s.page.locator("[data-script-field=gist]").press("Enter")
    await s.page.keyboard.type("Subsidiya")
    await s.page.keyboard.press("Alt+KeyJ")
    await press_script_key(s, scripted_call, "Digit1", FAREWELL_TEXT[scripted_call.language])
    await s.page.keyboard.press("KeyX")
    await expect(s.page.locator("[data-script-act=resume]")).to_be_visible()
    await s.page.locator("#f-gist").focus()
    await s.page.keyboard.press("Control+Enter")
    await expect(s.page.locator(".registered")).to_be_visible()
    citizen.hang_up()
    await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
    await s.page.keyboard.press("Escape")
    await s.page.keyboard.press("Alt+KeyR")


def form_rows(hotline: Hotline, numbers: list[str]) -> list[dict[str, Any]]:
    """Return the exported registrations of form №2 of these callers, in the order of the calls."""
    period = ("--from", "2026-01-01", "--to", "2099-12-31")
    lines = hotline.appliance("ledger", "export", *period).splitlines()
    calls = {row["caller"]: row["id"] for row in map(json.loads, lines)}
    lines = hotline.appliance("registration", "export", "--form", "2", *period).splitlines()
    forms = {row["call"]: row for row in map(json.loads, lines)}
    return [forms[calls[number]] for number in numbers]


def test_an_approved_script_drives_the_next_call_and_a_call_keeps_its_version(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    scripted_calls: list[ScriptedCall] = []

    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            users = hotline.description["users"]
            sign_ins = (sign_in(s, users[role]) for role in ("manager", "ministry"))
            manager, ministry = await asyncio.gather(*sign_ins)
            await write_script(manager)
            await publish_script(manager, ministry)

            citizen, scripted_call = await answer_call(s, "uz")
            await manager.click("form[action$='/draft'] [type=submit]")
            await manager.goto(f"{manager.url.partition('#')[0]}/steps/savol")
            await fill_both_languages(manager, "said", NEW_QUESTION_TEXT)
            await manager.click("form[action$='/steps/savol'] [type=submit]")
            await manager.wait_for_url("**/scripts/*#step-*")
            await publish_script(manager, ministry)
            await finish_script(s, citizen, scripted_call, QUESTION_TEXT)
            scripted_calls.append(scripted_call)

            citizen, scripted_call = await answer_call(s, "ru")
            await finish_script(s, citizen, scripted_call, NEW_QUESTION_TEXT)
            scripted_calls.append(scripted_call)

    asyncio.run(play())
    for scripted_call in scripted_calls:
        print(
            f"{scripted_call.language}: script after {scripted_call.script_delay:.2f} s, "
            f"steps {scripted_call.step_delays}"
        )
    rows = wait_until(
        lambda: (
            len(exported := form_rows(hotline, [g.number for g in scripted_calls])) == 2
            and exported
        )
    )
    assert [row["scripts"] for row in rows] == [
        [{"script": "sinov-suhbati", "version": version, "result": "finished", "step": "xayr"}]
        for version in (1, 2)
    ]
    assert [row["fields"]["surname"]["text"] for row in rows] == ["Karimova"] * 2
    assert [row["fields"]["gist"]["text"] for row in rows] == ["Subsidiya"] * 2
