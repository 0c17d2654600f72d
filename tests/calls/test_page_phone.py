"""The phone in the operator's page: a real browser, the real Asterisk, a citizen with a voice."""

import asyncio
import contextlib
import datetime as dt
import itertools
import json
import time
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from math import pi, sin
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    async_playwright,
    expect,
)

from appliance.box.links import hosts
from appliance.sip import listening, tones
from appliance.sip.call import Call
from tests.calls.hotline import Hotline
from tests.rig.chromium import CHROMIUM_FLAGS, CHROMIUM_PROGRAM, EXPECT_TIMEOUT_MS, WINDOW_SIZE
from tests.rig.parties import CallParties, connect_parties
from tests.rig.waiting import wait_for, wait_until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(
        not hosts.outward_address(), reason="only a loopback address: no ICE candidates"
    ),
]
OPERATOR_PITCH, EMPLOYEE_PITCH = tones.OPERATORS[0], tones.OUTSIDE_PARTIES[0]
TAKEN_PATH = "/operator/phone/taken"
MIN_COMMON_SECONDS = 2  # seconds of a recording in which both parties are audible
CALLER_PITCHES = itertools.cycle(tones.CALLERS)
CALLER_NUMBERS = (f"+99893555{number:04}" for number in range(9000, 9999))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for the operator's microphone: an endless tone."""
    file = tmp_path_factory.mktemp("voice") / "operator.wav"
    samples = (tones.VOICE_LEVEL * sin(2 * pi * OPERATOR_PITCH * n / 48000) for n in range(48000))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48000)
        sound.writeframes(array("h", map(int, samples)).tobytes())
    return file


@pytest.fixture
def only_page_operator(hotline: Hotline) -> Iterator[dict[str, Any]]:
    """Only the operator whose phone is in the page is at work; all others are off."""
    other_logins = [operator["login"] for operator in hotline.description["operators"]]
    operator = hotline.description["page_operator"]
    hotline.appliance("operator", "off", *other_logins)
    hotline.appliance("operator", "ready", operator["login"])
    yield operator
    hotline.appliance("operator", "off", operator["login"])
    hotline.appliance("operator", "ready", *other_logins)


class Scene:
    """An operator's browser, and the citizens who call that operator."""

    def __init__(self, window: BrowserContext, page: Page, parties: CallParties) -> None:
        self.window, self.page, self.parties = window, page, parties

    async def start_call(self) -> Call:
        """Let a citizen call and choose Uzbek."""
        self.number = next(CALLER_NUMBERS)
        citizen = self.parties.call_hotline(self.number, next(CALLER_PITCHES))
        await wait_for(lambda: citizen.state == "up")
        citizen.media.press_keys("1")
        return citizen

    async def start_talk(self) -> Call:
        """Let a citizen call and talk with the operator."""
        citizen = await self.start_call()
        await self.expect_ringing()
        await self.phone_button("answer").click()
        await self.expect_talk(citizen)
        return citizen

    def answer_outside_calls(self) -> list[Call]:
        """Pick up every call to a number outside; return the list of these calls, which grows."""
        employee_calls: list[Call] = []

        def pick_up_as_employee(call: Call) -> None:
            call.media.pitch = EMPLOYEE_PITCH
            employee_calls.append(call)
            call.pick_up()

        self.parties.on_outgoing_call = pick_up_as_employee
        return employee_calls

    async def expect_ringing(self) -> None:
        await expect(self.phone_button("answer")).to_be_visible()

    async def expect_talk(self, citizen: Call) -> None:
        """Wait until the page shows a talk and the citizen receives the operator's tone."""
        await expect(self.phone_button("hold")).to_be_visible()
        await wait_for(lambda: citizen.media.has_voice(OPERATOR_PITCH, 0.6))

    async def current_call_form(self) -> Locator:
        """Return the form of the current call; it replaces another call's form on answering."""
        await expect(self.page.locator("#bar[data-stage=talk]")).to_be_attached()
        token = await self.page.locator("#bar").get_attribute("data-form")
        form = self.page.locator(f'#form[data-ready][data-token="{token}"]')
        await expect(form).to_be_visible()
        return form

    def phone_button(self, action: str) -> Any:
        return self.page.locator(f"#phone [data-order={action}]")

    async def set_auto_answer(self, enabled: bool) -> None:
        """Set automatic answering and wait until the operator's phone is ready again."""
        await self.page.goto("/operator/phone")
        await self.page.set_checked("[name=auto_answer]", enabled)
        await self.page.locator("form[action='/operator/phone'] [type=submit]").click()
        await expect(self.page.locator("#toasts .toast")).to_be_visible()
        await expect(self.page.locator("#phone-sign[data-state=here]")).to_be_visible()

    async def end_call(self, citizen: Call) -> None:
        """Let the citizen hang up and wait until the page is free again."""
        citizen.hang_up()
        await expect(self.page.locator("#phone [data-bar]")).to_be_hidden()


@contextlib.asynccontextmanager
async def open_scene(
    hotline: Hotline, account: dict[str, Any], voice: Path
) -> AsyncIterator[Scene]:
    """Sign in the operator, register their phone, and switch off the cleaning of their voice."""
    expect.set_options(timeout=EXPECT_TIMEOUT_MS)
    microphone = f"--use-file-for-fake-audio-capture={voice}"
    fake_media = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with async_playwright() as driver, connect_parties(hotline.place, []) as parties:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM_PROGRAM,
            args=[
                *CHROMIUM_FLAGS,
                *fake_media,
                microphone,
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        window = await open_computer(browser, hotline)
        page = await sign_in(window, account)
        try:
            yield Scene(window, page, parties)
        finally:
            for call in [*parties.carrier.calls.values()]:
                call.hang_up()
            await browser.close()


async def open_computer(browser: Browser, hotline: Hotline) -> BrowserContext:
    """Return a window that sends the operator's tone: the cleaning of voices takes it for noise."""
    window = await browser.new_context(
        viewport=WINDOW_SIZE, base_url=hotline.description["web"], ignore_https_errors=True
    )
    window.set_default_timeout(EXPECT_TIMEOUT_MS)
    await window.add_init_script(
        "localStorage['phone-devices'] ??= JSON.stringify({ clean: false })"
    )
    return window


async def sign_in(window: BrowserContext, account: dict[str, Any], state: str = "here") -> Page:
    """Sign in and return the page once its phone has this state."""
    page = await window.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", account["login"])
    await page.fill("[name=password]", account["password"])
    await page.press("[name=password]", "Enter")
    await expect(page.locator(f"#phone-sign[data-state={state}]")).to_be_visible()
    return page


def ledger_rows_with(hotline: Hotline, number: str) -> list[dict[str, Any]]:
    """Return the ledger's rows that name a number."""
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    period = ("--from", (now - day).isoformat(), "--to", (now + day).isoformat())
    rows = hotline.appliance("ledger", "export", *period).splitlines()
    return [json.loads(row) for row in rows if f'"{number}"' in row]


def test_a_talk_on_the_page_phone_is_held_muted_and_recorded(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    caller: dict[str, Any] = {}

    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            citizen = await s.start_call()
            caller.update(number=s.number, pitch=citizen.media.pitch)
            await s.expect_ringing()
            rang = time.monotonic()
            await expect(s.page.locator("#bar .callbar[data-stage=ringing]")).to_be_visible()
            card = time.monotonic()
            await s.page.keyboard.press("F8")
            await expect(s.phone_button("hold")).to_be_visible()
            print(f"ring to card {card - rang:.3f} s, answered in {time.monotonic() - card:.3f} s")
            await s.expect_talk(citizen)

            await s.page.keyboard.press("Alt+KeyQ")
            await expect(s.page.locator("[data-muted]")).to_be_visible()
            await wait_for(lambda: not citizen.media.has_voice(OPERATOR_PITCH, 1.0))
            await s.page.keyboard.press("Alt+KeyQ")
            await s.expect_talk(citizen)

            await s.page.keyboard.press("Alt+KeyH")
            await expect(s.page.locator("[data-held]")).to_be_visible()
            await wait_for(lambda: citizen.media.has_voice(tones.MUSIC, 0.6))
            second = await s.window.new_page()  # shows the talk, and its keys end the hold
            await second.goto("/operator")
            await expect(second.locator("#phone-sign[data-state=elsewhere]")).to_be_visible()
            await expect(second.locator("[data-held]")).to_be_visible()
            await second.keyboard.press("Alt+KeyH")
            await s.expect_talk(citizen)
            await expect(s.page.locator("[data-figure=delay]")).not_to_have_text("–")
            await second.close()
            async with s.window.expect_page() as opened_page:  # a link does not replace the page
                await s.page.locator(".nav a").nth(1).click()
            await (await opened_page.value).close()
            since = time.time()
            await wait_for(
                lambda: (
                    time.time() > since + MIN_COMMON_SECONDS + 1
                    and citizen.media.has_voice(OPERATOR_PITCH, 0.6)
                )
            )
            async with s.page.expect_response("**/operator/phone/quality") as quality_response:
                await s.end_call(citizen)
            assert (await quality_response.value).status == 200

    asyncio.run(play())
    row = wait_until(
        lambda: next(
            (r for r in ledger_rows_with(hotline, caller["number"]) if r["recordings"]), None
        ),
        30,
    )
    file = hotline.recordings / row["recordings"][0]["file"]
    both_pitches = frozenset({OPERATOR_PITCH, caller["pitch"]})
    assert listening.voices_by_second(file).count(both_pitches) >= MIN_COMMON_SECONDS


def test_a_caller_is_transferred_and_key_tones_are_sent(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            employee = s.answer_outside_calls()
            citizen = await s.start_talk()
            await expect(s.page.locator("#bar [data-does=pass_on]")).to_be_visible()
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390101")
            await s.page.locator("#passing-found [data-how=blind]").first.click()
            await wait_for(lambda: employee and citizen.media.has_voice(EMPLOYEE_PITCH, 0.6))
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await s.end_call(citizen)
            await wait_for(lambda: employee[0].state == "over")

            # An outgoing call: the operator's phone answers by itself, and the called party
            # receives the keys.
            await expect(s.page.locator("#bar [data-does=call_out]")).to_be_attached()
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390102")
            await s.page.locator("#passing-found button").first.click()
            await wait_for(
                lambda: len(employee) == 2 and employee[1].media.has_voice(OPERATOR_PITCH, 0.6)
            )
            await s.page.keyboard.press("Alt+KeyK")
            await s.page.locator("#phone-keys [value='5']").click()
            await wait_for(lambda: employee[1].media.received_keys == "5")
            employee[1].hang_up()
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()

    asyncio.run(play())


def test_an_operator_consults_an_employee_then_all_three_talk(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            employee = s.answer_outside_calls()

            async def consult_employee() -> Call:
                await expect(s.page.locator("#bar [data-does=pass_on]")).to_be_visible()
                await s.page.keyboard.press("F9")
                await s.page.fill("#passing-q", "712390101")
                await expect(
                    s.page.locator("#passing-found [data-how=consult]").first
                ).to_be_visible()
                await s.page.keyboard.press("Enter")
                await expect(s.page.locator("#bar [data-stage=consulted]")).to_be_visible()
                await wait_for(lambda: employee[-1].media.has_voice(OPERATOR_PITCH, 0.6))
                await wait_for(lambda: citizen.media.has_voice(tones.MUSIC, 0.6))
                return employee[-1]

            citizen = await s.start_talk()
            first = await consult_employee()
            await s.page.keyboard.press("F8")
            await s.expect_talk(citizen)
            await wait_for(lambda: first.state == "over")

            second = await consult_employee()
            await s.page.keyboard.press("F7")
            await expect(s.page.locator("#bar [data-stage=conference]")).to_be_visible()
            for who, pitch in (
                (citizen, OPERATOR_PITCH),
                (citizen, EMPLOYEE_PITCH),
                (second, OPERATOR_PITCH),
            ):
                await wait_for(lambda who=who, pitch=pitch: who.media.has_voice(pitch, 0.6))
            await s.page.keyboard.press("F4")  # the operator leaves; caller and employee go on
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await wait_for(lambda: citizen.media.has_voice(EMPLOYEE_PITCH, 0.6))
            await s.end_call(citizen)

            citizen = await s.start_talk()
            third = await consult_employee()
            await s.page.keyboard.press("F9")
            await wait_for(lambda: citizen.media.has_voice(EMPLOYEE_PITCH, 0.6))
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await s.end_call(citizen)
            await wait_for(lambda: third.state == "over")

    asyncio.run(play())


def test_calls_and_the_echo_test_are_answered_automatically(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            await s.set_auto_answer(True)
            await s.page.locator("[data-try=echo]").click()
            await expect(s.phone_button("hold")).to_be_visible()
            await s.page.keyboard.press("F4")
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            citizen = await s.start_call()
            await s.expect_talk(citizen)
            await s.end_call(citizen)
            await s.set_auto_answer(False)

    asyncio.run(play())
    assert not ledger_rows_with(hotline, "*43")


def test_the_computer_with_the_latest_sign_in_rings(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            browser = s.window.browser
            assert browser
            elsewhere = await open_computer(browser, hotline)
            other = await sign_in(elsewhere, only_page_operator)
            await expect(s.page.locator("#phone-sign[data-state=taken]")).to_be_visible()
            citizen = await s.start_call()
            await expect(other.locator("#phone [data-order=answer]")).to_be_visible()
            await expect(s.phone_button("answer")).to_be_hidden()
            await other.keyboard.press("F8")
            await wait_for(lambda: citizen.media.has_voice(OPERATOR_PITCH, 0.6))
            citizen.hang_up()
            await expect(other.locator("#phone [data-bar]")).to_be_hidden()
            await s.page.locator("[data-phone-trouble=taken] button").click()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            await expect(other.locator("#phone-sign[data-state=taken]")).to_be_visible()

    asyncio.run(play())


def test_a_late_fragment_of_the_former_page_does_not_end_the_phone(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    """After a reload, a page may still receive a fragment that describes it before the reload."""

    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            late_fragments: list[str] = []
            account_urls: list[str] = []
            former_fragment = await s.page.locator("#phone-taken").evaluate(
                "piece => piece.outerHTML"
            )

            async def replace_fragment(route: Route) -> None:
                requested_paths = parse_qs(urlsplit(route.request.url).query).get("at", [])
                if late_fragments or not account_urls or TAKEN_PATH not in requested_paths:
                    await route.continue_()
                    return
                pieces = await (await route.fetch()).json()
                pieces[requested_paths.index(TAKEN_PATH)] = former_fragment
                late_fragments.append(former_fragment)
                await route.fulfill(json=pieces)

            await s.page.route("**/pieces?**", replace_fragment)
            s.page.on(
                "response", lambda r: account_urls.append(r.url) if "account" in r.url else None
            )
            await s.page.reload()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            citizen = await s.start_call()
            await s.expect_ringing()
            await wait_for(lambda: late_fragments)
            await s.phone_button("answer").click()
            await s.expect_talk(citizen)
            await s.end_call(citizen)

    asyncio.run(play())


def test_a_second_computer_does_not_take_over_a_talk(
    hotline: Hotline, only_page_operator: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with open_scene(hotline, only_page_operator, voice) as s:
            citizen = await s.start_call()
            await s.phone_button("answer").click()
            await s.expect_talk(citizen)
            browser = s.window.browser
            assert browser
            elsewhere = await open_computer(browser, hotline)
            other = await sign_in(elsewhere, only_page_operator, state="talking")
            await expect(other.locator("[data-phone-trouble=talking]")).to_be_visible()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            await s.expect_talk(citizen)
            await s.end_call(citizen)  # from now on calls ring on the second computer
            await expect(other.locator("#phone-sign[data-state=here]")).to_be_visible()
            await expect(s.page.locator("#phone-sign[data-state=taken]")).to_be_visible()

            citizen = await s.start_call()
            await other.locator("#phone [data-order=answer]").click()
            await expect(other.locator("#phone [data-order=hold]")).to_be_visible()
            # Asterisk sees this talk, too
            await wait_for(lambda: citizen.media.has_voice(OPERATOR_PITCH, 0.6))
            await s.page.locator("[data-phone-trouble=taken] button").click()
            await s.page.locator("[data-phone-trouble=talking] button").click()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            # still on the second computer
            await wait_for(lambda: citizen.media.has_voice(OPERATOR_PITCH, 0.6))
            await expect(other.locator("#phone [data-order=hold]")).to_be_visible()
            citizen.hang_up()

    asyncio.run(play())
