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
    tmp_path_factory: pytest.TempPathFactory, synthesised_prompts: Path, migrated: Path
) -> Iterator[Hotline]:
    """A site with all operators ready."""
    with running_hotline(
        tmp_path_factory.mktemp("site"), synthesised_prompts, migrated
    ) as site_hotline:
        yield site_hotline


@contextlib.contextmanager
def running_hotline(folder: Path, synthesised_prompts: Path, migrated: Path) -> Iterator[Hotline]:
    """Run a site in a folder, with all operators ready."""
    place = Place(folder)
    shutil.copytree(synthesised_prompts, place.folder / "prompts")
    (place.folder / "data").mkdir()
    shutil.copy(migrated, place.folder / "data" / "appliance.db")
    site.start_site(place, tied=True)
    try:
        hotline = Hotline(place)
        hotline.appliance(
            "operator", "ready", *(o["login"] for o in hotline.description["operators"])
        )
        yield hotline
        hotline.phones.stop_phones()
    finally:
        site.stop_site(place)
