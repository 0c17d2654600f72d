"""The pages as their real process serves them, and the real Chromium that opens them."""

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

from appliance.cli import gunicorn_app
from appliance.core import settings as site_settings
from appliance.core import sqlite
from appliance.core.settings import Settings
from appliance.people import accounts
from appliance.web import create_app
from appliance.web.shell import server
from tests.rig.chromium import HEADLESS_PROGRAM, WINDOW_SIZE
from tests.rig.forked import FORKSERVER
from tests.rig.people import PASSWORD, WEAK_HASHER
from tests.rig.waiting import wait_until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Chromium."""
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


def _serve_pages(file: Path, templates: str) -> None:
    """Run what `appliance web` runs, in a process session of its own.

    Work that every test would repeat is avoided: strong hashes, and compiling the templates.
    """
    os.setsid()
    accounts._hasher = WEAK_HASHER
    server.create_app = functools.partial(_app_with_compiled_templates, templates)
    log = os.open(file.parent / "web.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    gunicorn_app.serve_pages(site_settings.load_settings(file))


def _app_with_compiled_templates(templates: str, settings: Settings) -> Flask:
    app = create_app(settings)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(templates)
    return app


class Pages:
    """`appliance web` on a loopback address; tests stop and start it.

    Browsers accept secure cookies over plain HTTP from loopback addresses, so no TLS is needed.
    """

    def __init__(self, settings: Settings, templates: str) -> None:
        self.settings = settings
        self._templates = templates  # the folder of the compiled ones
        self.url = f"http://{settings.web.bind}"

    def start(self) -> None:
        """Start the process and wait until the pages answer."""
        self._process = FORKSERVER.Process(
            target=_serve_pages, args=(self.settings.file, self._templates)
        )
        self._process.start()
        assert self._process.pid
        self._group = self._process.pid  # _serve_pages makes this group
        wait_until(self._is_answering, 60)

    def kill(self) -> None:
        """Kill the whole process group without a warning."""
        os.killpg(self._group, signal.SIGKILL)
        self._process.join()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Make the pages accept every request and answer nothing while the block runs.

        They stop between two writes: a lock that they held would block everybody.
        """
        wait_until(self._stop_between_writes)
        try:
            yield
        finally:
            os.killpg(self._group, signal.SIGCONT)

    def _stop_between_writes(self) -> bool:
        os.killpg(self._group, signal.SIGSTOP)
        with contextlib.closing(
            sqlite.connect(self.settings.paths.database, timeout=1)
        ) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite.OperationalError:
                os.killpg(self._group, signal.SIGCONT)
                return False
        return True

    def _is_answering(self) -> bool:
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
    site_pages = Pages(site_settings.load_settings(settings.file), compiled_templates.directory)
    site_pages.start()
    yield site_pages
    site_pages.kill()


@pytest.fixture(scope="module")
def browser_program() -> str:
    """A Chromium without a window: it draws for screenshots and clicks nevertheless."""
    return HEADLESS_PROGRAM


@pytest.fixture
def window(chromium: Browser, pages: Pages) -> Iterator[BrowserContext]:
    """A fresh window on the site, with cookies and storage of its own."""
    context = chromium.new_context(viewport=WINDOW_SIZE, base_url=pages.url)
    context.set_default_timeout(60_000)
    yield context
    context.close()


def sign_in(page: Page, login: str, path: str = "/") -> None:
    """Sign in without drawing the login page, and open the page at `path`."""
    form = page.request.get("/login")
    token = re.search(r'name="csrf-token" content="([^"]+)"', form.text())
    assert token
    form_data = {"csrf_token": token[1], "login": login, "password": PASSWORD}
    response = page.request.post(
        "/login", form=form_data, headers={"Referer": form.url}, max_redirects=0
    )
    assert response.status == 302, response.status
    page.goto(path)


def sign_in_by_form(page: Page, login: str) -> None:
    """Sign in through the login page, as people do."""
    page.goto("/login")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
