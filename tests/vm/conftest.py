"""A box provisioned by the real playbook: booted in a container, in a network of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.box import bundle, debian
from tests.rig.once import made_once
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import Network
from tests.vm.site_of_test import Site


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """The namespaces."""
    if os.getuid():
        pytest.skip("only root can boot a box")
    for program in ("systemd-nspawn", "ip", "mmdebstrap", "sipp", "ssh"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed; ./run test-vm installs it")
    made = Network()
    try:
        made.make()
    except (OSError, ValueError) as error:
        made.remove()
        pytest.skip(f"this computer gives no network namespaces: {error}")
    yield made
    made.remove()


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, as it is brought on a disk; made where it is not of these sources."""
    kept = debian.CACHE / "bundle"
    made_once(tmp_path_factory, "drive", lambda _: bundle.up_to_date(kept) or bundle.make(kept))
    return kept


@pytest.fixture(scope="session")
def machine(network: Network, drive: Path) -> Iterator[Machine]:
    """A plain Debian 13, up, with the bundle in its drive and no internet."""
    made = Machine(network)
    try:
        made.prepare()
        shutil.copytree(drive, made.media / "bundle", copy_function=os.link)
        try:
            made.boot()
        except CannotBoot as error:
            pytest.skip(f"this computer boots no container: {error}")
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def site(machine: Machine, network: Network) -> Iterator[Site]:
    """The box after the first run of the playbook, with an operator whose phone is on."""
    made = Site(machine, network)
    try:
        made.provision()
        made.staff()
        yield made
    finally:
        made.end()
