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
from playwright.async_api import BrowserContext, Locator, Page, Route, async_playwright, expect

from appliance.box.links import hosts
from appliance.sip import listening, tones
from appliance.sip.call import Call
from tests.calls.hotline import Hotline
from tests.rig.chromium import FLAGS, PATIENCE, PROGRAM, WINDOW
from tests.rig.parties import People, people
from tests.rig.waiting import until

pytestmark = [
    pytest.mark.calls,
    pytest.mark.skipif(not hosts.outward(), reason="only a loopback address: no ICE candidates"),
]
OPERATOR, EMPLOYEE = tones.OPERATORS[0], tones.OUTSIDE[0]
TAKEN = "/operator/phone/taken"
BOTH = 2  # seconds in which both are heard in a recording
VOICES = itertools.cycle(tones.CALLERS)
NUMBERS = (f"+99893555{number:04}" for number in range(9000, 9999))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator's microphone hears: a tone, for ever."""
    file = tmp_path_factory.mktemp("voice") / "operator.wav"
    wave_of = (tones.LEVEL * sin(2 * pi * OPERATOR * n / 48000) for n in range(48000))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48000)
        sound.writeframes(array("h", map(int, wave_of)).tobytes())
    return file


@pytest.fixture
def alone(hotline: Hotline) -> Iterator[dict[str, Any]]:
    """Of all operators only the one whose phone is in the page is at work."""
    others = [one["login"] for one in hotline.facts["operators"]]
    one = hotline.facts["page_operator"]
    hotline.appliance("operator", "off", *others)
    hotline.appliance("operator", "ready", one["login"])
    yield one
    hotline.appliance("operator", "off", one["login"])
    hotline.appliance("operator", "ready", *others)


class Scene:
    """An operator's browser, and the citizens who call him."""

    def __init__(self, window: BrowserContext, page: Page, folk: People) -> None:
        self.window, self.page, self.people = window, page, folk

    async def calls(self) -> Call:
        """A citizen calls and chooses Uzbek."""
        self.number = next(NUMBERS)
        citizen = self.people.call(self.number, next(VOICES))
        await self.seen(lambda: citizen.state == "up")
        citizen.media.press("1")
        return citizen

    async def talks(self) -> Call:
        """A citizen calls, and the operator speaks with him."""
        citizen = await self.calls()
        await self.rings()
        await self.button("answer").click()
        await self.hear_each_other(citizen)
        return citizen

    def employees(self) -> list[Call]:
        """The calls to numbers outside, where everybody picks up; it grows."""
        reached: list[Call] = []

        def picks_up(call: Call) -> None:
            call.media.pitch = EMPLOYEE
            reached.append(call)
            call.pick_up()

        self.people.dialled = picks_up
        return reached

    async def rings(self) -> None:
        await expect(self.button("answer")).to_be_visible()

    async def hear_each_other(self, citizen: Call) -> None:
        """The citizen hears the operator; the page says that it talks."""
        await expect(self.button("hold")).to_be_visible()
        await self.seen(lambda: citizen.media.hears(OPERATOR, 0.6))

    async def form_of_call(self) -> Locator:
        """The form of the call at hand; it takes another one's place when he answers."""
        await expect(self.page.locator("#bar[data-stage=talk]")).to_be_attached()
        token = await self.page.locator("#bar").get_attribute("data-form")
        form = self.page.locator(f'#form[data-ready][data-token="{token}"]')
        await expect(form).to_be_visible()
        return form

    def button(self, order: str) -> Any:
        return self.page.locator(f"#phone [data-order={order}]")

    async def answers_by_itself(self, wanted: bool) -> None:
        """He chooses so, and his phone is there again."""
        await self.page.goto("/operator/phone")
        await self.page.set_checked("[name=auto_answer]", wanted)
        await self.page.locator("form[action='/operator/phone'] [type=submit]").click()
        await expect(self.page.locator("#toasts .toast")).to_be_visible()
        await expect(self.page.locator("#phone-sign[data-state=here]")).to_be_visible()

    async def over(self, citizen: Call) -> None:
        """The citizen hangs up, and the page is free again."""
        citizen.hang_up()
        await expect(self.page.locator("#phone [data-bar]")).to_be_hidden()

    @staticmethod
    async def seen(condition: Any, limit: float = 30.0) -> None:
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, "never seen"
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def scene(hotline: Hotline, one: dict[str, Any], voice: Path) -> AsyncIterator[Scene]:
    """The operator has signed in, his phone is registered, and nothing cleans his voice."""
    expect.set_options(timeout=PATIENCE)
    heard = f"--use-file-for-fake-audio-capture={voice}"
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with async_playwright() as driver, people(hotline.place, []) as folk:
        browser = await driver.chromium.launch(
            executable_path=PROGRAM,
            args=[*FLAGS, *fake, heard, "--autoplay-policy=no-user-gesture-required"],
        )
        window = await browser.new_context(
            viewport=WINDOW, base_url=hotline.facts["web"], ignore_https_errors=True
        )
        window.set_default_timeout(PATIENCE)
        await window.add_init_script(
            "localStorage['phone-devices'] ??= JSON.stringify({ clean: false })"
        )
        page = await signed_in(window, one)
        try:
            yield Scene(window, page, folk)
        finally:
            for call in [*folk.carrier.calls.values()]:
                call.hang_up()
            await browser.close()


async def signed_in(window: BrowserContext, one: dict[str, Any], state: str = "here") -> Page:
    """His page, and the phone in it."""
    page = await window.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", one["login"])
    await page.fill("[name=password]", one["password"])
    await page.press("[name=password]", "Enter")
    await expect(page.locator(f"#phone-sign[data-state={state}]")).to_be_visible()
    return page


def told_of(hotline: Hotline, number: str) -> list[dict[str, Any]]:
    """The ledger's rows that name a number."""
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    between = ("--from", (now - day).isoformat(), "--to", (now + day).isoformat())
    rows = hotline.appliance("ledger", "export", *between).splitlines()
    return [json.loads(row) for row in rows if f'"{number}"' in row]


def test_a_talk_by_the_phone_in_the_page(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    told: dict[str, Any] = {}

    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            citizen = await s.calls()
            told.update(number=s.number, pitch=citizen.media.pitch)
            await s.rings()
            rang = time.monotonic()
            await expect(s.page.locator("#bar .callbar[data-stage=ringing]")).to_be_visible()
            card = time.monotonic()
            await s.page.keyboard.press("F8")
            await expect(s.button("hold")).to_be_visible()
            print(f"ring to card {card - rang:.3f} s, answered in {time.monotonic() - card:.3f} s")
            await s.hear_each_other(citizen)

            await s.page.keyboard.press("Alt+KeyQ")
            await expect(s.page.locator("[data-muted]")).to_be_visible()
            await s.seen(lambda: not citizen.media.hears(OPERATOR, 1.0))
            await s.page.keyboard.press("Alt+KeyQ")
            await s.hear_each_other(citizen)

            await s.page.keyboard.press("Alt+KeyH")
            await expect(s.page.locator("[data-held]")).to_be_visible()
            await s.seen(lambda: citizen.media.hears(tones.MUSIC, 0.6))
            second = await s.window.new_page()  # shows the talk, and its keys end the hold
            await second.goto("/operator")
            await expect(second.locator("#phone-sign[data-state=elsewhere]")).to_be_visible()
            await expect(second.locator("[data-held]")).to_be_visible()
            await second.keyboard.press("Alt+KeyH")
            await s.hear_each_other(citizen)
            await expect(s.page.locator("[data-figure=delay]")).not_to_have_text("–")
            await second.close()
            async with s.window.expect_page() as opened:  # a link leaves the page alone
                await s.page.locator(".nav a").nth(1).click()
            await (await opened.value).close()
            since = time.time()
            await s.seen(
                lambda: time.time() > since + BOTH + 1 and citizen.media.hears(OPERATOR, 0.6)
            )
            async with s.page.expect_response("**/operator/phone/quality") as kept:
                await s.over(citizen)
            assert (await kept.value).status == 200

    asyncio.run(play())
    row = until(
        lambda: next((r for r in told_of(hotline, told["number"]) if r["recordings"]), None), 30
    )
    file = hotline.recordings / row["recordings"][0]["file"]
    both = frozenset({OPERATOR, told["pitch"]})
    assert listening.by_second(file).count(both) >= BOTH


def test_a_caller_is_passed_on_and_keys_are_sent(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            employee = s.employees()
            citizen = await s.talks()
            await expect(s.page.locator("#bar [data-does=pass_on]")).to_be_visible()
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390101")
            await s.page.locator("#passing-found [data-how=blind]").first.click()
            await s.seen(lambda: employee and citizen.media.hears(EMPLOYEE, 0.6))
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await s.over(citizen)
            await s.seen(lambda: employee[0].state == "over")

            # A call out: his own phone takes it by itself, and the number's end hears the keys.
            await expect(s.page.locator("#bar [data-does=call_out]")).to_be_attached()
            await s.page.keyboard.press("F9")
            await s.page.fill("#passing-q", "712390102")
            await s.page.locator("#passing-found button").first.click()
            await s.seen(lambda: len(employee) == 2 and employee[1].media.hears(OPERATOR, 0.6))
            await s.page.keyboard.press("Alt+KeyK")
            await s.page.locator("#phone-keys [value='5']").click()
            await s.seen(lambda: employee[1].media.pressed == "5")
            employee[1].hang_up()
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()

    asyncio.run(play())


def test_an_employee_is_asked_first_then_all_three_speak(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            employee = s.employees()

            async def ask() -> Call:
                await expect(s.page.locator("#bar [data-does=pass_on]")).to_be_visible()
                await s.page.keyboard.press("F9")
                await s.page.fill("#passing-q", "712390101")
                await expect(
                    s.page.locator("#passing-found [data-how=consult]").first
                ).to_be_visible()
                await s.page.keyboard.press("Enter")
                await expect(s.page.locator("#bar [data-stage=consulted]")).to_be_visible()
                await s.seen(lambda: employee[-1].media.hears(OPERATOR, 0.6))
                await s.seen(lambda: citizen.media.hears(tones.MUSIC, 0.6))
                return employee[-1]

            citizen = await s.talks()
            first = await ask()
            await s.page.keyboard.press("F8")
            await s.hear_each_other(citizen)
            await s.seen(lambda: first.state == "over")

            second = await ask()
            await s.page.keyboard.press("F7")
            await expect(s.page.locator("#bar [data-stage=conference]")).to_be_visible()
            for who, pitch in ((citizen, OPERATOR), (citizen, EMPLOYEE), (second, OPERATOR)):
                await s.seen(lambda who=who, pitch=pitch: who.media.hears(pitch, 0.6))
            await s.page.keyboard.press("F4")  # leaves the two alone
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await s.seen(lambda: citizen.media.hears(EMPLOYEE, 0.6))
            await s.over(citizen)

            citizen = await s.talks()
            third = await ask()
            await s.page.keyboard.press("F9")
            await s.seen(lambda: citizen.media.hears(EMPLOYEE, 0.6))
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            await s.over(citizen)
            await s.seen(lambda: third.state == "over")

    asyncio.run(play())


def test_answered_by_itself_and_the_echo(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            await s.answers_by_itself(True)
            await s.page.locator("[data-try=echo]").click()
            await expect(s.button("hold")).to_be_visible()
            await s.page.keyboard.press("F4")
            await expect(s.page.locator("#phone [data-bar]")).to_be_hidden()
            citizen = await s.calls()
            await s.hear_each_other(citizen)
            await s.over(citizen)
            await s.answers_by_itself(False)

    asyncio.run(play())
    assert not told_of(hotline, "*43")


def test_the_computer_where_he_signed_in_last_rings(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            browser = s.window.browser
            assert browser
            elsewhere = await browser.new_context(
                base_url=hotline.facts["web"], ignore_https_errors=True
            )
            other = await signed_in(elsewhere, alone)
            await expect(s.page.locator("#phone-sign[data-state=taken]")).to_be_visible()
            citizen = await s.calls()
            await expect(other.locator("#phone [data-order=answer]")).to_be_visible()
            await expect(s.button("answer")).to_be_hidden()
            await other.keyboard.press("F8")
            await s.seen(lambda: citizen.media.hears(OPERATOR, 0.6))
            citizen.hang_up()
            await expect(other.locator("#phone [data-bar]")).to_be_hidden()
            await s.page.locator("[data-phone-trouble=taken] button").click()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            await expect(other.locator("#phone-sign[data-state=taken]")).to_be_visible()

    asyncio.run(play())


def test_what_was_told_of_the_page_before_takes_no_phone_away(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    """Loaded anew, a page may still be told of itself as it was."""

    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            late: list[str] = []
            taken: list[str] = []
            before = await s.page.locator("#phone-taken").evaluate("piece => piece.outerHTML")

            async def answers(route: Route) -> None:
                asked = parse_qs(urlsplit(route.request.url).query).get("at", [])
                if late or not taken or TAKEN not in asked:
                    await route.continue_()
                    return
                pieces = await (await route.fetch()).json()
                pieces[asked.index(TAKEN)] = before
                late.append(before)
                await route.fulfill(json=pieces)

            await s.page.route("**/pieces?**", answers)
            s.page.on("response", lambda r: taken.append(r.url) if "account" in r.url else None)
            await s.page.reload()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            citizen = await s.calls()
            await s.rings()
            assert late
            await s.button("answer").click()
            await s.hear_each_other(citizen)
            await s.over(citizen)

    asyncio.run(play())


def test_a_second_computer_takes_no_talk(
    hotline: Hotline, alone: dict[str, Any], voice: Path
) -> None:
    async def play() -> None:
        async with scene(hotline, alone, voice) as s:
            citizen = await s.calls()
            await s.button("answer").click()
            await s.hear_each_other(citizen)
            browser = s.window.browser
            assert browser
            elsewhere = await browser.new_context(
                base_url=hotline.facts["web"], ignore_https_errors=True
            )
            other = await signed_in(elsewhere, alone, state="talking")
            await expect(other.locator("[data-phone-trouble=talking]")).to_be_visible()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            await s.hear_each_other(citizen)
            await s.over(citizen)  # from now on it rings there
            await expect(other.locator("#phone-sign[data-state=here]")).to_be_visible()
            await expect(s.page.locator("#phone-sign[data-state=taken]")).to_be_visible()

            citizen = await s.calls()
            await other.locator("#phone [data-order=answer]").click()
            await expect(other.locator("#phone [data-order=hold]")).to_be_visible()
            await s.seen(lambda: citizen.media.hears(OPERATOR, 0.6))  # the exchange knows it, too
            await s.page.locator("[data-phone-trouble=taken] button").click()
            await s.page.locator("[data-phone-trouble=talking] button").click()
            await expect(s.page.locator("#phone-sign[data-state=here]")).to_be_visible()
            await s.seen(lambda: citizen.media.hears(OPERATOR, 0.6))  # at the other one still
            await expect(other.locator("#phone [data-order=hold]")).to_be_visible()
            citizen.hang_up()

    asyncio.run(play())
