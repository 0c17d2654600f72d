"""A whole site with the real Asterisk, and citizens who call it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import site
from provisioning.local.place import Place
from tests.calls.hotline import Hotline


@pytest.fixture(scope="package")
def hotline(tmp_path_factory: pytest.TempPathFactory, spoken: Path) -> Iterator[Hotline]:
    """The site, all operators ready."""
    place = Place(tmp_path_factory.mktemp("site"))
    shutil.copytree(spoken, place.folder / "prompts")
    site.start(place, tied=True)
    try:
        running = Hotline(place)
        running.appliance("operator", "ready", *(o["login"] for o in running.facts["operators"]))
        yield running
        running.phones.stop()
    finally:
        site.stop(place)
