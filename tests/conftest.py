"""The fixtures of all tests: a site in its own folder, and the people who work there."""

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

from appliance.casework import catalogs, forms, hooks
from appliance.core import clock, db, schema
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.messaging.casework_hooks import connect_hooks
from appliance.models import User
from appliance.people import accounts
from appliance.telephony import prompts
from appliance.web import create_app
from provisioning.local import translations
from provisioning.local.settings_file import scratch_settings
from tests.rig import audited, database_files
from tests.rig.browser import Browser
from tests.rig.chromium import browser_program, chromium, playwright
from tests.rig.once import build_once, shared_folder
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD, PEOPLE, WEAK_HASHER

# One browser for the tests of all folders: two drivers cannot run in one process.
__all__ = ["browser_program", "chromium", "playwright"]


# The same examples each time, with no deadline however slow the machine is.
trying.register_profile(
    "calm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
trying.load_profile("calm")

REAL_TIME_MARKS = ("calls", "browser", "vm")  # marks of tests that wait for real time
# What one worker runs alone and in order: tests that share a whole site, that start an Asterisk,
# that save and restore a site at one address. So calls are not slowed down by other tests of their
# kind.
WORKER_SCOPES = {
    "site": (
        *(f"tests/calls/test_{name}.py" for name in ("calls", "road", "secrets", "desk_states")),
        "tests/calls/test_page_",
        "tests/pbx/test_transfers.py",  # has its own Asterisk: balances both scopes
    ),
    "exchanges": ("tests/calls/", "tests/pbx/"),
    "snapshots": ("tests/box/snapshots/",),
    "e1": ("tests/vm/e1/",),
    "box": ("tests/vm/",),
}
# In those folders these only read logs or query Asterisk without a talk, so any worker may run
# them.
UNSCOPED_TESTS = tuple(
    f"tests/pbx/test_{name}.py"
    for name in (
        *("busy", "carriers", "config", "config_context", "deputy", "eventlog", "gaps", "handed"),
        *("interpret", "ledger", "lines", "phone_events", "quarantine", "refusals", "rehearsal"),
        *("resuming", "witness"),
    )
)
# These run first, in this order, so that no worker has a long one left at the end.
SLOWEST_FOLDERS = (
    "tests/calls/",
    "tests/pbx/",
    "tests/provisioning/test_storm.py",
    "tests/browser/",
    "tests/box/snapshots/",
    "tests/provisioning/",
    "tests/web/",
    "tests/reports/",
)
# These depend on a call's timing, and get the processor before tests that count and draw.
URGENT_FOLDERS = ("tests/calls/", "tests/pbx/", "tests/provisioning/", "tests/vm/")
OTHER_TESTS_NICENESS = 10  # of all other tests
# Seconds that a test in these folders may take; the first test of a box includes building
# everything for it. setup.cfg has the limit of all other tests.
FOLDER_TIMEOUT_SECONDS = {
    "tests/vm/": 3_000,
    "tests/calls/": 1_200,
    "tests/provisioning/": 1_200,
    "tests/browser/": 120,
}


os.environ["SITE_NICE"] = "0"  # the sites of five workers take no processor time from running calls

# the niceness of the process that started the tests
_initial_niceness = os.getpriority(os.PRIO_PROCESS, 0)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --once-more, for the build machine.

    In a manual run, a test that fails once is investigated instead.
    """
    help_text = f"run a test of the marks {', '.join(REAL_TIME_MARKS)} once more when it failed"
    parser.addoption("--once-more", action="store_true", help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the pages' current translations once for all workers."""
    if not hasattr(config, "workerinput"):
        translations.compile_catalogues()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Exempt what is imported and collected from garbage collection: it stays until the end.

    Tests leave much garbage, and quickly: it is collected less often than where memory is short.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the slowest tests first, set each folder's time limit, and apply --once-more."""
    items.sort(key=_slowest_folder_rank)
    for item in items:
        for folder, seconds in FOLDER_TIMEOUT_SECONDS.items():
            if item.nodeid.startswith(folder):
                item.add_marker(pytest.mark.timeout(seconds))
    if config.getoption("--once-more"):
        for item in items:
            if any(item.get_closest_marker(mark) for mark in REAL_TIME_MARKS):
                item.add_marker(pytest.mark.flaky(reruns=1))


def _slowest_folder_rank(item: pytest.Item) -> int:
    """Return the index of the test's folder in SLOWEST_FOLDERS, or its length for other folders."""
    places = (n for n, begin in enumerate(SLOWEST_FOLDERS) if item.nodeid.startswith(begin))
    return next(places, len(SLOWEST_FOLDERS))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the process priority by folder.

    Five workers share two processors: calls with sound must not wait for pages to be drawn.
    """
    if os.geteuid() == 0:  # without root, a lowered priority could not be raised again
        urgent = item.nodeid.startswith(URGENT_FOLDERS)
        os.setpriority(
            os.PRIO_PROCESS,
            0,
            _initial_niceness if urgent else min(_initial_niceness + OTHER_TESTS_NICENESS, 19),
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the module's fixtures after a failure that is repeated.

    The second attempt gets an Asterisk and a site of its own: what the first one left, such as an
    unfinished call of the same number, does not decide it.
    """
    flaky = item.get_closest_marker("flaky")
    attempt = getattr(item, "execution_count", 0)
    failed_phases = getattr(item, "_test_failed_statuses", {})  # of pytest-rerunfailures
    module = item.getparent(pytest.Module)
    if flaky and module and attempt <= flaky.kwargs["reruns"] and any(failed_phases.values()):
        item.session._setupstate.teardown_exact(module.parent)  # type: ignore[arg-type]  # a node


class ScopeScheduling(LoadScopeScheduling):
    """Gives a module's tests to one worker, and each scope of WORKER_SCOPES to a single one.

    The box in its container is one scope; the E1 in its virtual machine is another, which has its
    own clock.
    """

    def _split_scope(self, nodeid: str) -> str:
        for scope, folders in WORKER_SCOPES.items():
            if nodeid.startswith(folders) and not nodeid.startswith(UNSCOPED_TESTS):
                return scope
        return nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ScopeScheduling:
    """Return the scheduler that distributes the tests among the workers."""
    return ScopeScheduling(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the measurements, the first failures of repeated tests, and coverage (`--cov`)."""
    nodes = {
        kind: {report.nodeid for report in terminalreporter.stats.get(kind, ())}
        for kind in ("rerun", "failed", "error")
    }
    if flaky := sorted(nodes["rerun"] - nodes["failed"] - nodes["error"]):
        terminalreporter.write_line(f"flaky: {len(flaky)}: {', '.join(flaky)}")
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.write_sep("_", f"first attempt: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    measurements = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    for label, value in dict(measurements).items():
        terminalreporter.write_line(f"{label}: {value}")
    if terminalreporter.config.getoption("cov_source", None):
        from tests.rig.coverage_table import coverage_lines  # loads coverage.py

        for line in coverage_lines(terminalreporter.config.rootpath / ".coverage"):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def weak_hashes() -> Iterator[None]:
    """Passwords are hashed with almost no memory, because thousands of tests sign in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", WEAK_HASHER)
        yield


@pytest.fixture(scope="session", autouse=True)
def watched_opens() -> None:
    """Opens of database files are watched from the first test on."""
    database_files.watch_opens()


@pytest.fixture(autouse=True)
def no_open_past_sqlite() -> Iterator[None]:
    """The product opens no database file that is in use except by SQLite."""
    yield
    violations, database_files.opened_files[:] = list(database_files.opened_files), []
    assert not violations


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, not for each test's pages or each worker."""
    folder = shared_folder(tmp_path_factory) / "templates"
    folder.mkdir(exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest schema, to be copied."""
    return build_once(tmp_path_factory, "migrated", _create_migrated_database) / "site.db"


def _create_migrated_database(folder: Path) -> None:
    with db.open_database(folder / "site.db").connection_context():
        schema.apply_migrations()
        db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory, migrated: Path, weak_hashes: None) -> Path:
    """A database with the lists and the people, to be copied."""
    fill = functools.partial(_create_people_database, migrated)
    return build_once(tmp_path_factory, "peopled", fill) / "site.db"


def _create_people_database(migrated: Path, folder: Path) -> None:
    shutil.copy(migrated, folder / "site.db")
    db.open_database(folder / "site.db")
    catalogs.seed_lists()
    forms.seed_product_forms()
    for number, (login, (name, role)) in enumerate(PEOPLE.items()):
        phone = {"extension": f"{1001 + number}", "speaks": ("uz", "ru")}
        accounts.create_account(
            login, name, role, PASSWORD, **(phone if role == "operator" else {})
        )
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()


@pytest.fixture(scope="session")
def synthesised_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts that the product comes with, synthesised, to be copied."""
    return build_once(tmp_path_factory, "spoken", prompts.synthesise_prompts)


@pytest.fixture(scope="session", autouse=True)
def silent_hooks() -> None:
    """Nothing follows a change of an appeal in fixtures that many tests share."""
    _silence_hooks()


@pytest.fixture(autouse=True)
def hooks_of_one_test() -> Iterator[None]:
    """Nothing follows a change of an appeal until a test connects the hooks of its site."""
    yield
    _silence_hooks()


def _silence_hooks() -> None:
    for hook in hooks.ALL_HOOKS:
        hook.connect()


@pytest.fixture
def settings(tmp_path: Path, peopled: Path) -> Iterator[Settings]:
    """The settings of a site whose database holds the lists and the people; the database
    is open.
    """
    file = tmp_path / "site.toml"
    file.write_text(scratch_settings())
    site = site_settings.load_settings(file)
    shutil.copy(peopled, site.paths.database)
    db.open_database(site.paths.database)
    connect_hooks(site)
    yield site
    db.database.close()


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """Freeze the site's clock at 12:00 in Tashkent on Wednesday, 18 November 2026."""
    noon = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    return noon


@pytest.fixture
def free_address() -> str:
    """An address on which nothing listens, on a host that only this worker's tests use."""
    host = f"127.9.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}.1"
    with socket.socket() as free:
        free.bind((host, 0))
        return f"{host}:{free.getsockname()[1]}"


@pytest.fixture(scope="session")
def loaded_templates(compiled_templates: FileSystemBytecodeCache) -> list[Environment]:
    """The template environment of the worker's first pages, which all later ones share."""
    return []


class Routes(Map):
    """The routes of all pages; once they are complete, an added route must already be there."""

    is_complete = False

    def add(self, rulefactory: Rule) -> None:
        """Compile the route, for the worker's first pages. Raises KeyError if those lacked it."""
        if self.is_complete:
            self.iter_rules(rulefactory.endpoint)
        else:
            super().add(rulefactory)


@pytest.fixture(scope="session")
def routes() -> Routes:
    """The routes that the worker's first pages compile and all later ones share."""
    return Routes()


@pytest.fixture
def app(
    settings: Settings,
    compiled_templates: FileSystemBytecodeCache,
    loaded_templates: list[Environment],
    routes: Routes,
) -> Iterator[Flask]:
    """The pages of the test's site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "url_map_class", staticmethod(lambda **_: routes))
        flask_app = create_app(settings)
    routes.is_complete = True
    if not loaded_templates:
        flask_app.jinja_env.bytecode_cache = compiled_templates
        loaded_templates.append(flask_app.jinja_env)
    flask_app.jinja_env = loaded_templates[0]
    flask_app.test_client_class = Browser
    audited.watch_requests(flask_app)
    db.keep_connections_open(1)  # as the server does: a new connection has an empty cache
    yield flask_app
    db.keep_connections_open(0)
    flask_app.extensions["live"].stop()


@pytest.fixture
def every_change_is_audited(app: Flask) -> Iterator[None]:
    """Fail if a change that the test makes through the pages leaves no audit row."""
    yield
    gaps = app.extensions["audit_gaps"]
    assert not gaps, f"changed without a row of the audit: {gaps}"


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def login_as(app: Flask) -> Callable[[str], Browser]:
    """Sign in by role or by login; returns the signed-in browser."""

    def sign_in(who: str) -> Browser:
        browser = app.test_client()
        answer = browser.sign_in(LOGIN_OF_ROLE.get(who, who), PASSWORD)
        assert answer.status_code == 302, answer.text
        return browser

    return sign_in


def _person_fixture(login: str) -> Callable[[Settings], User]:
    def person(settings: Settings) -> User:
        return User.get(User.login == login)

    person.__doc__ = f"{PEOPLE[login][0]}, {PEOPLE[login][1]}."
    return pytest.fixture(person, name=login)


nilufar, sardor, dilnoza, sherzod, bahodir, rustam, oybek = map(_person_fixture, PEOPLE)
