"""What waits for the encrypted disk, on a plain Debian 13 that boots: the units as the roles write
them, and in the place of the volume, which a container cannot have, an empty file system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.rendering import ROLES, rendered
from tests.rig.waiting import until
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import Network

pytestmark = pytest.mark.vm

UNITS = ("asterisk", "appliance-pbx", "appliance-web", "appliance-jobs")
HOME = "/var/lib/appliance"
OPENS = f"""#!/bin/sh
[ -e /root/stick ] || {{ echo the stick is not plugged in >&2; exit 1; }}
mkdir -p {HOME}
mountpoint -q {HOME} || mount -t tmpfs volume {HOME}
"""
RUNS = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def box(tmp_path: Path, network: Network) -> Iterator[Machine]:
    """It has started without its stick."""
    apart = Network("disk")
    made = Machine(apart, "disk")
    try:
        apart.make()
        made.prepare()
        lay_down(made.root, tmp_path)
        try:
            made.boot()
        except CannotBoot as error:
            pytest.skip(f"this computer boots no container: {error}")
        yield made
    finally:
        made.end()
        apart.remove()


def lay_down(root: Path, work: Path) -> None:
    """The units, with something that only runs in the place of each process."""
    facts = {"site_home": HOME, "backup_folders": [], "disk_device": "/dev/disk/by-id/one"}
    limits = {"services_memory": {"pbx": "1G", "web": "1G", "jobs": "1G"}}
    units = root / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    texts = {"hotline-disk": rendered(work, "disk", "hotline-disk.service.j2")}
    texts["asterisk"] = rendered(work, "asterisk", "asterisk.service.j2", **facts)
    for name in ("pbx", "web", "jobs"):
        item = {"name": name, "text": name}
        given = facts | limits | {"item": item, "services_processors": {}}
        texts[f"appliance-{name}"] = rendered(work, "services", "appliance.service.j2", **given)
    for name, text in texts.items():
        own = text if name == "hotline-disk" else text.partition("[Service]")[0] + RUNS
        (units / f"{name}.service").write_text(own)
        wanted = units / "multi-user.target.wants" / f"{name}.service"
        wanted.symlink_to(f"/etc/systemd/system/{name}.service")
    (root / "etc/appliance").mkdir()
    closed = (ROLES / "disk/files/closed.html").read_text("utf-8")
    (root / "etc/appliance/closed.html").write_text(closed, "utf-8")
    command = root / "usr/local/sbin/appliance-disk"
    command.write_text(OPENS)
    command.chmod(0o755)


def running(box: Machine) -> list[str]:
    """Which of the units run."""
    states = box.run("systemctl", "is-active", *UNITS).stdout.split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state == "active"]


def test_nothing_starts_before_it_is_open_and_everything_then(box: Machine) -> None:
    assert running(box) == []
    until(lambda: "Диск" in box.run("cat", "/run/appliance-closed.html").stdout, 30)
    assert "not plugged in" in box.told("journalctl -u hotline-disk")
    box.told("touch /root/stick")
    until(lambda: running(box) == list(UNITS), 60)
    assert box.run("test", "-e", "/run/appliance-closed.html").returncode
    box.told("systemctl stop asterisk appliance-web")  # as an upgrade does: they stay so
    box.told("systemctl restart appliance-pbx")
    assert running(box) == ["appliance-pbx", "appliance-jobs"]
    box.told("systemctl start asterisk")
    box.told("systemctl stop 'appliance-*'")  # as before a restore: Asterisk goes on
    assert running(box) == ["asterisk"]
    assert box.run("systemctl", "stop", "hotline-disk").returncode
    box.reboot()
    until(lambda: running(box) == list(UNITS), 60)
