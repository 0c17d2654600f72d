"""A recording in the real browser: seeking fetches the audible part only, by byte ranges."""

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

RECORDING_SECONDS = 1200
BYTES_PER_SECOND = 16_000


@pytest.fixture
def recorded_call(settings: Settings, nilufar: User) -> str:
    """The id of a call whose recording is twenty minutes long."""
    citizen = Citizen("hotline-1.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    citizen.hang_up()
    settings.paths.recordings.mkdir(exist_ok=True)
    file: Path = settings.paths.recordings / "a.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x10" * 8000 * RECORDING_SECONDS)
    now = clock.now()
    Recording.create(
        file="a.wav", call_id="hotline-1.1", begun_at=now, written_at=now, seconds=RECORDING_SECONDS
    )
    return "hotline-1.1"


def test_seeking_fetches_the_part_that_is_played(
    window: BrowserContext, recorded_call: str
) -> None:
    page, content_ranges = window.new_page(), list[str]()

    def note_range(answer: Response) -> None:
        if answer.url.endswith("/recordings/1") and answer.status == 206:
            content_ranges.append(answer.headers.get("content-range", ""))

    page.on("response", note_range)
    sign_in(page, "dilnoza", f"/calls/{recorded_call}")
    assert page.request.get(f"/calls/{recorded_call}/recordings/1").status == 403
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
    assert audio.evaluate("sound => sound.currentTime") == pytest.approx(
        RECORDING_SECONDS - 60, abs=1
    )
    expect(slider).to_have_attribute("aria-valuetext", "19:00")
    slider.press(" ")
    expect(slider).not_to_have_attribute("aria-valuetext", "19:00")
    begins = [
        int(match[1]) for part in content_ranges if (match := re.match(r"bytes (\d+)-", part))
    ]
    assert max(begins) > (RECORDING_SECONDS - 120) * BYTES_PER_SECOND  # not from the beginning
    with page.expect_download() as download:
        page.locator("figure.recording a[download]").click()
    assert download.value.suggested_filename == "hotline-1.1-1.wav"
