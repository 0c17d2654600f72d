"""The pages served by their real process, and the real Chromium that opens them."""

import contextlib
import functools
import http.client
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, BrowserContext, Page

from appliance.cli import keeper
from appliance.core import settings as site_settings
from appliance.core import sqlite
from appliance.core.settings import Settings
from appliance.people import accounts
from appliance.web import create_app
from appliance.web.shell import server
from tests.rig.chromium import SHELL, WINDOW
from tests.rig.forked import FORKED
from tests.rig.people import PASSWORD, WEAK
from tests.rig.waiting import until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Chromium."""
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


def _serve(file: Path, templates: str) -> None:
    """What `appliance web` does, in a session of its own.

    What all tests would pay for anew is spared: strong hashes, and templates compiled before.
    """
    os.setsid()
    accounts._hasher = WEAK
    server.create_app = functools.partial(_with_compiled, templates)
    log = os.open(file.parent / "web.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    keeper.serve(site_settings.load(file))


def _with_compiled(templates: str, settings: Settings) -> Flask:
    made = create_app(settings)
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(templates)
    return made


class Pages:
    """`appliance web` on a loopback address, to be stopped and started again.

    Browsers take secure cookies over plain HTTP from loopback addresses, so no TLS is needed.
    """

    def __init__(self, settings: Settings, templates: str) -> None:
        self.settings = settings
        self._templates = templates  # where the compiled ones lie
        self.url = f"http://{settings.web.bind}"

    def start(self) -> None:
        """Returns when the pages answer."""
        self._process = FORKED.Process(target=_serve, args=(self.settings.file, self._templates))
        self._process.start()
        assert self._process.pid
        self._group = self._process.pid  # as _serve makes it
        until(self._answers, 60)

    def kill(self) -> None:
        """Without a warning, all of it."""
        os.killpg(self._group, signal.SIGKILL)
        self._process.join()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A while in which they take every request and answer none.

        They stop between two writes: a lock that they held would stop everybody.
        """
        until(self._stop_between_writes)
        try:
            yield
        finally:
            os.killpg(self._group, signal.SIGCONT)

    def _stop_between_writes(self) -> bool:
        os.killpg(self._group, signal.SIGSTOP)
        with contextlib.closing(sqlite.connect(self.settings.paths.database, timeout=1)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite.OperationalError:
                os.killpg(self._group, signal.SIGCONT)
                return False
        return True

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
def pages(
    settings: Settings, free_address: str, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Pages]:
    """The running pages of the test's site."""
    text = settings.file.read_text().replace(settings.web.bind, free_address)
    settings.file.write_text(text)
    served = Pages(site_settings.load(settings.file), compiled_templates.directory)
    served.start()
    yield served
    served.kill()


@pytest.fixture(scope="module")
def browser_program() -> str:
    """One without a window of its own: it draws for pictures and clicks all the same."""
    return SHELL


@pytest.fixture
def window(chromium: Browser, pages: Pages) -> Iterator[BrowserContext]:
    """A fresh window on the site, with cookies and storage of its own."""
    context = chromium.new_context(viewport=WINDOW, base_url=pages.url)
    context.set_default_timeout(60_000)
    yield context
    context.close()


def sign_in(page: Page, login: str, at: str = "/") -> None:
    """Sign in without drawing the login page, and open the page `at`."""
    form = page.request.get("/login")
    token = re.search(r'name="csrf-token" content="([^"]+)"', form.text())
    assert token
    sent = {"csrf_token": token[1], "login": login, "password": PASSWORD}
    answer = page.request.post("/login", form=sent, headers={"Referer": form.url}, max_redirects=0)
    assert answer.status == 302, answer.status
    page.goto(at)


def sign_in_by_form(page: Page, login: str) -> None:
    """Through the login page, as people do."""
    page.goto("/login")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
