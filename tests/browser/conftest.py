"""The pages served by their real process, and the real Chromium that opens them."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import WINDOW
from people import PASSWORD
from playwright.sync_api import Browser, BrowserContext, Page
from waiting import until

from appliance import settings as site_settings
from appliance.settings import Settings

APPLIANCE = str(Path(sys.executable).parent / "appliance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Pages:
    """`appliance web` on a loopback address, to be stopped and started again.

    Browsers take secure cookies over plain HTTP from loopback addresses, so no TLS is needed.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = f"http://{settings.web.bind}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the pages answer."""
        command = [APPLIANCE, "--config", str(self.settings.file), "web"]
        with (self.settings.file.parent / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        until(self._answers, 60)

    def kill(self) -> None:
        """Without a warning, all of it."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A while in which they take every request and answer none."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.settings.web.bind, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@pytest.fixture
def pages(settings: Settings, free_address: str) -> Iterator[Pages]:
    """The running pages of the test's site."""
    text = settings.file.read_text().replace(settings.web.bind, free_address)
    settings.file.write_text(text)
    served = Pages(site_settings.load(settings.file))
    served.start()
    yield served
    served.kill()


@pytest.fixture
def window(chromium: Browser, pages: Pages) -> Iterator[BrowserContext]:
    """A fresh window on the site, with cookies and storage of its own."""
    context = chromium.new_context(viewport=WINDOW, base_url=pages.url)
    context.set_default_timeout(60_000)
    yield context
    context.close()


def sign_in(page: Page, login: str) -> None:
    """Through the login form, as people do."""
    page.goto("/login")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
