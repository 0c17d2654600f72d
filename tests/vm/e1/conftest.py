"""The hotline with an E1, for the tests of this folder."""

import shutil
from collections.abc import Iterator

import pytest

from tests.vm.e1 import e1world, vmachine, vmimage


@pytest.fixture(scope="session")
def e1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[e1world.World]:
    """The running hotline with an E1; the measured times are printed at the end."""
    if not shutil.which(vmachine.QEMU_PROGRAM):
        pytest.skip(f"{vmachine.QEMU_PROGRAM} is not installed")
    try:
        image = vmimage.ensure_image()
    except vmimage.CannotBuild as error:
        pytest.skip(f"no image of a machine: {error}")
    with e1world.running_world(tmp_path_factory.mktemp("e1"), image) as world:
        yield world
