"""A box provisioned by the real playbook: booted in a container, in a network of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.box import bundle, debian
from tests.rig.once import build_once
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import Network
from tests.vm.site_of_test import Site


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """The network namespaces of the box and of the places around it."""
    if os.getuid():
        pytest.skip("only root can boot a box")
    for program in ("systemd-nspawn", "ip", "mmdebstrap", "sipp", "ssh"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed; ./run test-vm installs it")
    namespaces = Network()
    try:
        namespaces.create_namespaces()
    except (OSError, ValueError) as error:
        namespaces.remove_namespaces()
        pytest.skip(f"this computer gives no network namespaces: {error}")
    yield namespaces
    namespaces.remove_namespaces()


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle in its form on a disk; made if the stored one is not of these sources."""
    folder = debian.CACHE_FOLDER / "bundle"
    build_once(
        tmp_path_factory,
        "drive",
        lambda _: bundle.is_up_to_date(folder) or bundle.make_bundle(folder),
    )
    return folder


@pytest.fixture(scope="session")
def machine(network: Network, drive: Path) -> Iterator[Machine]:
    """A running plain Debian 13 with the bundle in its drive and without internet."""
    box = Machine(network)
    try:
        box.prepare()
        shutil.copytree(drive, box.media / "bundle", copy_function=os.link)
        try:
            box.boot()
        except CannotBoot as error:
            pytest.skip(f"this computer boots no container: {error}")
        yield box
    finally:
        box.end()


@pytest.fixture(scope="session")
def site(machine: Machine, network: Network) -> Iterator[Site]:
    """The box after the first run of the playbook, with an operator whose phone is registered."""
    box_site = Site(machine, network)
    try:
        box_site.provision_box()
        box_site.add_ready_operator()
        yield box_site
    finally:
        box_site.end_site()
