"""A whole site with the real Asterisk, and citizens who call it."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import site
from provisioning.local.place import Place
from tests.calls.hotline import Hotline


@pytest.fixture(scope="package")
def hotline(
    tmp_path_factory: pytest.TempPathFactory, spoken: Path, migrated: Path
) -> Iterator[Hotline]:
    """The site, all operators ready."""
    with running(tmp_path_factory.mktemp("site"), spoken, migrated) as begun:
        yield begun


@contextlib.contextmanager
def running(folder: Path, spoken: Path, migrated: Path) -> Iterator[Hotline]:
    """A site in a folder, all operators ready."""
    place = Place(folder)
    shutil.copytree(spoken, place.folder / "prompts")
    (place.folder / "data").mkdir()
    shutil.copy(migrated, place.folder / "data" / "appliance.db")
    site.start(place, tied=True)
    try:
        begun = Hotline(place)
        begun.appliance("operator", "ready", *(o["login"] for o in begun.facts["operators"]))
        yield begun
        begun.phones.stop()
    finally:
        site.stop(place)
