"""The real Chromium, driven by Playwright."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

PROGRAM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"  # the same without a window, for half of the processor
# Without these it looks for hosts of its maker at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000  # ms for what a page shall show, on a machine that does other things too
WINDOW = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver of the browsers. It keeps an event loop running, so it ends with the module."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser_program() -> str:
    """Which program the browser is."""
    return PROGRAM


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, browser_program: str) -> Iterator[Browser]:
    """One browser; each test opens windows of its own."""
    browser = playwright.chromium.launch(executable_path=browser_program, args=FLAGS)
    yield browser
    browser.close()
