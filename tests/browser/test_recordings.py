"""A recording in the real browser: seeking fetches what is heard, by byte ranges."""

import re
import wave
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Response, expect

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Recording, User
from tests.browser.conftest import sign_in
from tests.rig.citizen import Citizen

SECONDS = 1200
RATE = 16_000  # bytes a second


@pytest.fixture
def recorded(settings: Settings, nilufar: User) -> str:
    """A call whose recording is twenty minutes long: the id of the call."""
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    citizen.hang_up()
    settings.paths.recordings.mkdir(exist_ok=True)
    file: Path = settings.paths.recordings / "a.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x10" * 8000 * SECONDS)
    now = clock.now()
    Recording.create(
        file="a.wav", call_id="hotline-1.1", begun_at=now, written_at=now, seconds=SECONDS
    )
    return "hotline-1.1"


def test_seeking_fetches_the_place_that_is_heard(window: BrowserContext, recorded: str) -> None:
    page, parts = window.new_page(), list[str]()

    def note(answer: Response) -> None:
        if answer.url.endswith("/recordings/1") and answer.status == 206:
            parts.append(answer.headers.get("content-range", ""))

    page.on("response", note)
    sign_in(page, "dilnoza", f"/calls/{recorded}")
    assert page.request.get(f"/calls/{recorded}/recordings/1").status == 403
    page.locator("#reason").fill("Shikoyat 12")
    page.locator("#reason").press("Enter")
    slider = page.locator(".wave")
    audio = page.locator("audio")
    audio.evaluate("sound => { sound.muted = true; sound.preload = 'metadata'; sound.load(); }")
    expect(audio).not_to_have_js_property("readyState", 0)
    slider.focus()
    slider.press("End")
    for _step in range(12):
        slider.press("ArrowLeft")
    expect(audio).to_have_js_property("seeking", False)
    assert audio.evaluate("sound => sound.currentTime") == pytest.approx(SECONDS - 60, abs=1)
    expect(slider).to_have_attribute("aria-valuetext", "19:00")
    slider.press(" ")
    expect(slider).not_to_have_attribute("aria-valuetext", "19:00")
    begins = [int(found[1]) for part in parts if (found := re.match(r"bytes (\d+)-", part))]
    assert max(begins) > (SECONDS - 120) * RATE  # not from the beginning
    with page.expect_download() as taken:
        page.locator("figure.recording a[download]").click()
    assert taken.value.suggested_filename == "hotline-1.1-1.wav"
