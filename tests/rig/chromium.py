"""Fixtures of the real Chromium, driven by Playwright."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

CHROMIUM_PROGRAM = "/usr/bin/chromium"
HEADLESS_PROGRAM = (
    "/usr/bin/chromium-headless-shell"  # Chromium without a window: half of the processor time
)
# Without these flags it contacts its maker's hosts at every start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EXPECT_TIMEOUT_MS = (
    20_000  # for a page to show something, on a machine that is busy with other things too
)
WINDOW_SIZE = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver of the browsers. It keeps an event loop running, so it ends with the module."""
    expect.set_options(timeout=EXPECT_TIMEOUT_MS)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser_program() -> str:
    """The path of the browser's program."""
    return CHROMIUM_PROGRAM


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, browser_program: str) -> Iterator[Browser]:
    """One browser; each test opens its own windows."""
    browser = playwright.chromium.launch(executable_path=browser_program, args=CHROMIUM_FLAGS)
    yield browser
    browser.close()
