"""A site in a folder of its own, and the people who work there."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import chromium, playwright
from flask import Flask
from people import OF_ROLE, PASSWORD, PEOPLE
from sites import SETTINGS
from web.browser import Browser

from appliance import catalogs, db, staff
from appliance import settings as site_settings
from appliance.models import User
from appliance.settings import Settings
from appliance.web import create_app
from provisioning.local import translations

# One browser for all folders: two drivers cannot run in one process.
__all__ = ["chromium", "playwright"]


SITES = ("calls", "provisioning")  # folders whose tests start whole sites; they take longest


def pytest_configure(config: pytest.Config) -> None:
    """Take the pages' texts as they stand now, once for all workers."""
    if not hasattr(config, "workerinput"):
        translations.compile_all()


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out: a module at a time, the real calls one after the other.

    The longest begin first. A site with real calls is never slowed down by a second one.
    """
    items.sort(key=lambda item: not _starts_sites(item))
    for item in items:
        group = "sites" if _starts_sites(item) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


def _starts_sites(item: pytest.Item) -> bool:
    return item.path.relative_to(Path(__file__).parent).parts[0] in SITES


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the lists and the people, to be copied."""
    file = tmp_path_factory.mktemp("peopled") / "site.db"
    db.open_database(file)
    db.migrate()
    catalogs.seed()
    for number, (login, (name, role)) in enumerate(PEOPLE.items()):
        phone = {"extension": f"{1001 + number}", "speaks": ("uz", "ru")}
        staff.add(login, name, role, PASSWORD, **(phone if role == "operator" else {}))
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()
    return file


@pytest.fixture
def settings(tmp_path: Path, peopled: Path) -> Iterator[Settings]:
    """The settings of a site whose database holds the lists and the people; it is open."""
    file = tmp_path / "site.toml"
    file.write_text(SETTINGS)
    made = site_settings.load(file)
    shutil.copy(peopled, made.paths.database)
    db.open_database(made.paths.database)
    yield made
    db.database.close()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The pages of that site."""
    made = create_app(settings)
    made.test_client_class = Browser
    yield made
    made.extensions["live"].stop()


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
