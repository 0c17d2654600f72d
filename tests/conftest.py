"""A site in a folder of its own, and the people who work there."""

import datetime as dt
import functools
import gc
import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as trying
from jinja2 import Environment, FileSystemBytecodeCache
from werkzeug.routing import Map, Rule
from xdist.scheduler import LoadScopeScheduling

from appliance.casework import catalogs, forms
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import User
from appliance.people import accounts
from appliance.telephony import prompts
from appliance.web import create_app
from provisioning.local import translations
from provisioning.local.settings_file import scratch
from tests.rig import audited
from tests.rig.browser import Browser
from tests.rig.chromium import browser_program, chromium, playwright
from tests.rig.once import made_once, shared_folder
from tests.rig.people import OF_ROLE, PASSWORD, PEOPLE, WEAK

# One browser for all folders: two drivers cannot run in one process.
__all__ = ["browser_program", "chromium", "playwright"]


# The same examples each time, however slow the machine is.
trying.register_profile(
    "calm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
trying.load_profile("calm")

REAL = ("calls", "browser", "vm")  # marks of tests that wait for real time
# What one worker does whole, in order: tests that share a whole site, that start an Asterisk, that
# save and restore a site at one address. So no calls are slowed down by others of their kind.
SHARED = {
    "site": (
        *(f"tests/calls/test_{name}.py" for name in ("calls", "road", "secrets", "desk_states")),
        "tests/calls/test_page_",
        "tests/pbx/test_transfers.py",  # with an Asterisk of its own: so both take as long
    ),
    "exchanges": ("tests/calls/", "tests/pbx/"),
    "snapshots": ("tests/box/snapshots/",),
    "e1": ("tests/vm/e1/",),
    "box": ("tests/vm/",),
}
# In those folders: read logs, or ask Asterisk without a talk, so that any worker takes them.
PLAIN = tuple(
    f"tests/pbx/test_{name}.py"
    for name in (
        *("busy", "carriers", "config", "config_context", "deputy", "eventlog", "gaps", "handed"),
        *("interpret", "ledger", "lines", "phone_events", "quarantine", "refusals", "rehearsal"),
        *("resuming", "witness"),
    )
)
# These begin, in this order, so that no worker has a long one left at the end.
LONGEST = (
    "tests/calls/",
    "tests/pbx/",
    "tests/provisioning/test_storm.py",
    "tests/browser/",
    "tests/box/snapshots/",
    "tests/provisioning/",
    "tests/web/",
    "tests/reports/",
)
# These go by the clock of a call, and get the processor before what counts and draws.
URGENT = ("tests/calls/", "tests/pbx/", "tests/provisioning/", "tests/vm/")
NICE = 10  # of all others
# Seconds that a test in these folders may take, the first of a box with all that is built for it;
# setup.cfg has the limit of all others.
PATIENCE = {
    "tests/vm/": 3_000,
    "tests/calls/": 1_200,
    "tests/provisioning/": 1_200,
    "tests/browser/": 120,
}


os.environ["SITE_NICE"] = "0"  # those of five workers take no processor from who calls

_nice = os.getpriority(os.PRIO_PROCESS, 0)  # of whoever started the tests


def pytest_addoption(parser: pytest.Parser) -> None:
    """For the build machine: by hand a test that fails once has a cause that is looked for."""
    what = f"run a test of the marks {', '.join(REAL)} once more when it failed"
    parser.addoption("--once-more", action="store_true", help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Take the pages' texts as they stand now, once for all workers."""
    if not hasattr(config, "workerinput"):
        translations.compile_all()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: the search for garbage need not go through it.

    Tests leave much of it, and at once: it is searched for less often than where memory is short.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with those that take longest."""
    items.sort(key=_turn)
    for item in items:
        for folder, seconds in PATIENCE.items():
            if item.nodeid.startswith(folder):
                item.add_marker(pytest.mark.timeout(seconds))
    if config.getoption("--once-more"):
        for item in items:
            if any(item.get_closest_marker(mark) for mark in REAL):
                item.add_marker(pytest.mark.flaky(reruns=1))


def _turn(item: pytest.Item) -> int:
    """The place of its folder among those that take longest."""
    places = (n for n, begin in enumerate(LONGEST) if item.nodeid.startswith(begin))
    return next(places, len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Five workers share two processors: calls with sound must not wait for pages to be drawn."""
    if os.geteuid() == 0:  # nobody else may come back to the front
        urgent = item.nodeid.startswith(URGENT)
        os.setpriority(os.PRIO_PROCESS, 0, _nice if urgent else min(_nice + NICE, 19))


class Shares(LoadScopeScheduling):
    """A module's tests go to one worker; those of SHARED all to the same one.

    The box in its container is one scope, the E1 in its virtual machine another, which goes by a
    clock of its own.
    """

    def _split_scope(self, nodeid: str) -> str:
        for scope, folders in SHARED.items():
            if nodeid.startswith(folders) and not nodeid.startswith(PLAIN):
                return scope
        return nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    """How the tests are shared out among the workers."""
    return Shares(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what tests have measured (record_property), and which passed only the second time."""
    nodes = {
        kind: {report.nodeid for report in terminalreporter.stats.get(kind, ())}
        for kind in ("rerun", "failed", "error")
    }
    if flaky := sorted(nodes["rerun"] - nodes["failed"] - nodes["error"]):
        terminalreporter.write_line(f"flaky: {len(flaky)}: {', '.join(flaky)}")
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    told = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    for what, value in dict(told).items():
        terminalreporter.write_line(f"{what}: {value}")


@pytest.fixture(scope="session", autouse=True)
def weak_hashes() -> Iterator[None]:
    """Passwords are hashed with next to no memory: thousands of tests sign in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", WEAK)
        yield


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, not for each test's pages or each worker."""
    folder = shared_folder(tmp_path_factory) / "templates"
    folder.mkdir(exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema with nothing in it, to be copied."""
    return made_once(tmp_path_factory, "migrated", _migrated) / "site.db"


def _migrated(folder: Path) -> None:
    with db.open_database(folder / "site.db").connection_context():
        db.migrate()
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory, migrated: Path, weak_hashes: None) -> Path:
    """A database with the lists and the people, to be copied."""
    fill = functools.partial(_people, migrated)
    return made_once(tmp_path_factory, "peopled", fill) / "site.db"


def _people(migrated: Path, folder: Path) -> None:
    shutil.copy(migrated, folder / "site.db")
    db.open_database(folder / "site.db")
    catalogs.seed()
    forms.seed()
    for number, (login, (name, role)) in enumerate(PEOPLE.items()):
        phone = {"extension": f"{1001 + number}", "speaks": ("uz", "ru")}
        accounts.add(login, name, role, PASSWORD, **(phone if role == "operator" else {}))
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts as they come along, to be copied."""
    return made_once(tmp_path_factory, "spoken", prompts.synthesise)


@pytest.fixture
def settings(tmp_path: Path, peopled: Path) -> Iterator[Settings]:
    """The settings of a site whose database holds the lists and the people; it is open."""
    file = tmp_path / "site.toml"
    file.write_text(scratch())
    made = site_settings.load(file)
    shutil.copy(peopled, made.paths.database)
    db.open_database(made.paths.database)
    yield made
    db.database.close()


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """The site's clock stands: 12:00 in Tashkent, Wednesday, 18 November 2026."""
    noon = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    return noon


@pytest.fixture
def free_address() -> str:
    """An address that nobody listens at, on a host that only this worker's tests take."""
    host = f"127.9.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}.1"
    with socket.socket() as free:
        free.bind((host, 0))
        return f"{host}:{free.getsockname()[1]}"


@pytest.fixture(scope="session")
def loaded_templates(compiled_templates: FileSystemBytecodeCache) -> list[Environment]:
    """Where templates are loaded: that of the worker's first pages, which all others share."""
    return []


class Routes(Map):
    """The routes of all pages; once they are whole, what is added is there already."""

    whole = False

    def add(self, rulefactory: Rule) -> None:
        """Compile it, for the worker's first pages. Raises KeyError when they lacked it."""
        if self.whole:
            self.iter_rules(rulefactory.endpoint)
        else:
            super().add(rulefactory)


@pytest.fixture(scope="session")
def routes() -> Routes:
    """What the worker's first pages compile and all others share."""
    return Routes()


@pytest.fixture
def app(
    settings: Settings,
    compiled_templates: FileSystemBytecodeCache,
    loaded_templates: list[Environment],
    routes: Routes,
) -> Iterator[Flask]:
    """The pages of that site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "url_map_class", staticmethod(lambda **_: routes))
        made = create_app(settings)
    routes.whole = True
    if not loaded_templates:
        made.jinja_env.bytecode_cache = compiled_templates
        loaded_templates.append(made.jinja_env)
    made.jinja_env = loaded_templates[0]
    made.test_client_class = Browser
    audited.watch(made)
    db.keep_open(1)  # as the server does: a new connection has read nothing yet
    yield made
    db.keep_open(0)
    made.extensions["live"].stop()


@pytest.fixture
def every_change_is_audited(app: Flask) -> Iterator[None]:
    """What a test changes through the pages leaves a row of the audit."""
    yield
    gaps = app.extensions["audit_gaps"]
    assert not gaps, f"changed without a row of the audit: {gaps}"


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser that has not signed in."""
    return app.test_client()


@pytest.fixture
def login_as(app: Flask) -> Callable[[str], Browser]:
    """Sign in as the person of a role, or by login; gives the browser that did."""

    def sign_in(who: str) -> Browser:
        browser = app.test_client()
        answer = browser.sign_in(OF_ROLE.get(who, who), PASSWORD)
        assert answer.status_code == 302, answer.text
        return browser

    return sign_in


def _person(login: str) -> Callable[[Settings], User]:
    def person(settings: Settings) -> User:
        return User.get(User.login == login)

    person.__doc__ = f"{PEOPLE[login][0]}, {PEOPLE[login][1]}."
    return pytest.fixture(person, name=login)


nilufar, sardor, dilnoza, sherzod, bahodir, rustam, oybek = map(_person, PEOPLE)
