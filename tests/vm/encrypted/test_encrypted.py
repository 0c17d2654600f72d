"""The playbook with an encrypted disk whose key is on a stick, on a real kernel.

Then such a box is restored on a bare machine from the printed sheet. Run by ./run test-encrypted.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups import paper_keys
from tests.rig.waiting import wait_until
from tests.vm.encrypted import computer
from tests.vm.encrypted.computer import DATA_DEVICE, Computer
from tests.vm.network import Network
from tests.vm.site_of_test import Site, keys_on_paper

pytestmark = pytest.mark.vm

ENCRYPTED_INVENTORY = f"""
disk_device={DATA_DEVICE}
disk_key=LABEL=HOTLINEKEY
"""
UNITS = ("asterisk", "appliance-pbx", "appliance-web", "appliance-jobs", "appliance-replicate")
SECRET_NAME = "Karimova Dilnoza Encrypted"
TEST_KEY_COMMAND = "cryptsetup open --test-passphrase --key-file -"


@pytest.fixture
def site(network: Network, drive: Path) -> Iterator[Site]:
    """A plain Debian 13 with a blank disk and a blank stick."""
    if not computer.UML_PROGRAM.exists():
        pytest.skip(f"{computer.UML_PROGRAM} is not installed; ./run test-encrypted installs it")
    disk_network = Network("disk")
    box = Computer(disk_network, drive, "disk")
    box_site = None
    try:
        disk_network.create_namespaces()
        box.prepare()
        shutil.copytree(drive, box.media / "bundle")
        box.boot()
        box_site = Site(box, disk_network, ENCRYPTED_INVENTORY)
        yield box_site
    finally:
        if box_site:
            box_site.end_site()
        box.end()
        disk_network.remove_namespaces()


def test_an_encrypted_box_is_installed_locked_and_restored_from_the_sheet(site: Site) -> None:
    box = site.machine
    assert isinstance(box, Computer)
    run_playbook(site, "site")
    wait_until(lambda: running_units(box) == list(UNITS), 120)
    keys = check_encryption(site)
    check_stick_is_needed(box)
    box.replace()
    restore_from_sheet(site, keys)


def run_playbook(site: Site, book: str, *options: str) -> None:
    """Run a playbook without the firewall: this kernel has no tables of both families (inet)."""
    process = site.run_playbook(book, "--skip-tags", "firewall", *options)
    assert process.returncode == 0, process.stdout[-6000:] + process.stderr
    print(f"{book}.yml: {site.run_seconds[f'{book} {len(site.run_seconds) - 1}']:.0f} s")


def check_encryption(site: Site) -> dict[str, str]:
    """Check that data are on the volume and its key on the stick; return the sheet's keys."""
    box = site.machine
    assert is_on_volume(box)
    assert box.run("test -e /etc/cryptsetup-keys.d/hotline.key").returncode
    box.run_checked(
        f"echo secret-12345 | appliance user add dilnoza --name '{SECRET_NAME}' --role manager "
        "--password-stdin"
    )
    box.run_checked("appliance backup create")
    checks = json.loads(box.run("appliance", "doctor", "--json").stdout)
    assert [check["state"] for check in checks if check["check"] == "disk.encrypted"] == ["ok"]
    assert not is_unencrypted(box)
    keys = keys_on_paper(site.sheet_text())
    paper_texts = {paper_keys.read_key(typed, "repository") for typed in keys["plain"]}
    disk = box.run_checked("cat /etc/appliance/keys/disk.paper").strip()
    [repository] = paper_texts - {disk}
    assert disk in paper_texts
    [recovery] = (paper_keys.read_key(typed, "recovery") for typed in keys["sealed"])
    return {"disk": disk, "repository": repository, "recovery": recovery}


def check_stick_is_needed(box: Computer) -> None:
    """Without the stick the pages say why; with it every service starts by itself."""
    box.switch_off()
    box.remove_stick()
    box.boot()
    assert running_units(box) == []
    wait_until(lambda: "Диск" in box.run("curl -sk https://127.0.0.1/").stdout, 60)
    assert "not plugged in" in box.run_checked("journalctl -b -u hotline-disk")
    box.insert_stick()
    wait_until(lambda: running_units(box) == list(UNITS), 120)
    assert box.run("test", "-e", "/run/appliance-closed.html").returncode
    assert is_on_volume(box)
    wait_until(lambda: box.run("curl -sfk https://127.0.0.1/healthz").stdout == "ok\n", 60)
    assert SECRET_NAME in box.run_checked("appliance user list")
    # as an upgrade does: they remain stopped
    box.run_checked("systemctl stop asterisk appliance-web")
    box.run_checked("systemctl restart appliance-pbx")
    assert running_units(box) == ["appliance-pbx", "appliance-jobs", "appliance-replicate"]
    box.run_checked("systemctl start asterisk")
    box.run_checked("systemctl stop 'appliance-*'")  # as before a restore: Asterisk goes on
    assert running_units(box) == ["asterisk"]
    assert box.run("systemctl", "stop", "hotline-disk").returncode


def restore_from_sheet(site: Site, keys: dict[str, str]) -> None:
    """Restore on a bare machine with the second disk and the paper; then restart it."""
    box = site.machine
    variables = {f"restore_{name}_key": keys[name] for name in ("repository", "recovery")}
    run_playbook(
        site, "restore", *(w for pair in variables.items() for w in ("-e", "=".join(pair)))
    )
    wait_until(lambda: running_units(box) == list(UNITS), 120)
    assert is_on_volume(box)
    assert SECRET_NAME in box.run_checked("appliance user list")
    assert not is_unencrypted(box)
    # New keys: the former ones open the old disk, not this one.
    assert box.run(f"{TEST_KEY_COMMAND} {DATA_DEVICE}", text=keys["disk"]).returncode
    paper = box.run_checked("cat /etc/appliance/keys/disk.paper").strip()
    assert " ".join(paper_keys.groups(paper)) in keys_on_paper(site.sheet_text())["plain"]
    box.run_checked(f"{TEST_KEY_COMMAND} {DATA_DEVICE}", text=paper)
    old_device = DATA_DEVICE[:-1] + "e"
    box.run_checked(f"cryptsetup open {old_device} old --key-file -", text=keys["disk"])
    box.run_checked("mount -o ro /dev/mapper/old /srv")
    assert box.run(f"grep -qaF '{SECRET_NAME}' /srv/data/appliance.db*").returncode == 0
    box.run_checked("umount /srv && cryptsetup close old")
    box.run_checked("appliance backup create")
    box.switch_off()
    box.boot()
    wait_until(lambda: running_units(box) == list(UNITS), 120)


def running_units(box: Computer) -> list[str]:
    """Return the units that are active."""
    states = box.run("systemctl", "is-active", *UNITS).stdout.split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state == "active"]


def is_on_volume(box: Computer) -> bool:
    """Return True if the site's folder is the opened volume."""
    source = box.run_checked("findmnt -no SOURCE /var/lib/appliance").strip()
    return source == "/dev/mapper/hotline" and "LUKS2" in box.run_checked(
        "cryptsetup status hotline"
    )


def is_unencrypted(box: Computer) -> bool:
    """Return True if the secret, which is on the volume, is readable on the disk itself."""
    box.run_checked("sync")
    assert (
        box.run(f"grep -qaF '{SECRET_NAME}' /var/lib/appliance/data/appliance.db*").returncode == 0
    )
    data = box.folder / "data.img"
    return not subprocess.run(["grep", "-qaF", SECRET_NAME, data], check=False).returncode
