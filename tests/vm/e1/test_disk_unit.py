"""Units that wait for the encrypted disk, on a plain Debian 13 that boots.

The units are those of the roles; an empty file system replaces the volume, which a container cannot
have.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.rendering import ROLES, render_template
from tests.rig.waiting import wait_until
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import Network

pytestmark = pytest.mark.vm

UNITS = ("asterisk", "appliance-pbx", "appliance-web", "appliance-jobs")
SITE_HOME = "/var/lib/appliance"
FAKE_DISK_COMMAND = f"""#!/bin/sh
[ -e /root/stick ] || {{ echo the stick is not plugged in >&2; exit 1; }}
mkdir -p {SITE_HOME}
mountpoint -q {SITE_HOME} || mount -t tmpfs volume {SITE_HOME}
"""
SLEEPING_SERVICE = (
    "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
)


@pytest.fixture
def box(tmp_path: Path, network: Network) -> Iterator[Machine]:
    """A box that has started without its stick."""
    disk_network = Network("disk")
    machine = Machine(disk_network, "disk")
    try:
        disk_network.create_namespaces()
        machine.prepare()
        write_units(machine.root, tmp_path)
        try:
            machine.boot()
        except CannotBoot as error:
            pytest.skip(f"this computer boots no container: {error}")
        yield machine
    finally:
        machine.end()
        disk_network.remove_namespaces()


def write_units(root: Path, work: Path) -> None:
    """Write the units; a sleeping process replaces each service."""
    facts = {"site_home": SITE_HOME, "backup_folders": [], "disk_device": "/dev/disk/by-id/one"}
    limits = {"services_memory": {"pbx": "1G", "web": "1G", "jobs": "1G"}}
    units = root / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    texts = {"hotline-disk": render_template(work, "disk", "hotline-disk.service.j2")}
    texts["asterisk"] = render_template(work, "asterisk", "asterisk.service.j2", **facts)
    for name in ("pbx", "web", "jobs"):
        item = {"name": name, "text": name}
        variables = facts | limits | {"item": item, "services_processors": {}}
        texts[f"appliance-{name}"] = render_template(
            work, "services", "appliance.service.j2", **variables
        )
    for name, text in texts.items():
        unit_text = (
            text if name == "hotline-disk" else text.partition("[Service]")[0] + SLEEPING_SERVICE
        )
        (units / f"{name}.service").write_text(unit_text)
        enabled_link = units / "multi-user.target.wants" / f"{name}.service"
        enabled_link.symlink_to(f"/etc/systemd/system/{name}.service")
    (root / "etc/appliance").mkdir()
    closed_page = (ROLES / "disk/files/closed.html").read_text("utf-8")
    (root / "etc/appliance/closed.html").write_text(closed_page, "utf-8")
    command = root / "usr/local/sbin/appliance-disk"
    command.write_text(FAKE_DISK_COMMAND)
    command.chmod(0o755)


def running_units(box: Machine) -> list[str]:
    """Return the units that are active."""
    states = box.run("systemctl", "is-active", *UNITS).stdout.split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state == "active"]


def test_services_start_only_after_the_volume_is_open(box: Machine) -> None:
    assert running_units(box) == []
    wait_until(lambda: "Диск" in box.run("cat", "/run/appliance-closed.html").stdout, 30)
    assert "not plugged in" in box.run_checked("journalctl -u hotline-disk")
    box.run_checked("touch /root/stick")
    wait_until(lambda: running_units(box) == list(UNITS), 60)
    assert box.run("test", "-e", "/run/appliance-closed.html").returncode
    # as an upgrade does: they remain stopped
    box.run_checked("systemctl stop asterisk appliance-web")
    box.run_checked("systemctl restart appliance-pbx")
    assert running_units(box) == ["appliance-pbx", "appliance-jobs"]
    box.run_checked("systemctl start asterisk")
    box.run_checked("systemctl stop 'appliance-*'")  # as before a restore: Asterisk goes on
    assert running_units(box) == ["asterisk"]
    assert box.run("systemctl", "stop", "hotline-disk").returncode
    box.reboot()
    wait_until(lambda: running_units(box) == list(UNITS), 60)
