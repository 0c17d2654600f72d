"""The whole playbook with an encrypted disk whose key lies on a stick, on a real kernel; then such
a box comes back on a bare machine by the printed sheet. Run by ./run test-encrypted."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups import paper_keys
from tests.rig.waiting import until
from tests.vm.encrypted import computer
from tests.vm.encrypted.computer import DATA, Computer
from tests.vm.network import Network
from tests.vm.site_of_test import Site, keys_on_paper

pytestmark = pytest.mark.vm

ENCRYPTED = f"""
disk_device={DATA}
disk_key=LABEL=HOTLINEKEY
"""
UNITS = ("asterisk", "appliance-pbx", "appliance-web", "appliance-jobs", "appliance-replicate")
SECRET = "Karimova Dilnoza Encrypted"
OPENS = "cryptsetup open --test-passphrase --key-file -"


@pytest.fixture
def site(network: Network, drive: Path) -> Iterator[Site]:
    """A plain Debian 13 with a blank disk and a blank stick."""
    if not computer.PROGRAM.exists():
        pytest.skip(f"{computer.PROGRAM} is not installed; ./run test-encrypted installs it")
    apart = Network("disk")
    box = Computer(apart, drive, "disk")
    made = None
    try:
        apart.make()
        box.prepare()
        shutil.copytree(drive, box.media / "bundle")
        box.boot()
        made = Site(box, apart, ENCRYPTED)
        yield made
    finally:
        if made:
            made.end()
        box.end()
        apart.remove()


def test_an_encrypted_box_from_the_first_run_to_the_last_sheet(site: Site) -> None:
    box = site.machine
    assert isinstance(box, Computer)
    play(site, "site")
    until(lambda: running(box) == list(UNITS), 120)
    keys = lies_encrypted(site)
    opens_only_with_its_stick(box)
    box.replace()
    comes_back_by_the_sheet(site, keys)


def play(site: Site, book: str, *options: str) -> None:
    """All of it but the firewall: this kernel has no tables of both families (inet)."""
    done = site.play(book, "--skip-tags", "firewall", *options)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    print(f"{book}.yml: {site.times[f'{book} {len(site.times) - 1}']:.0f} s")


def lies_encrypted(site: Site) -> dict[str, str]:
    """All of it is on the volume, its key on the stick; returns what stands on the sheet."""
    box = site.machine
    assert on_volume(box)
    assert box.run("test -e /etc/cryptsetup-keys.d/hotline.key").returncode
    box.told(
        f"echo secret-12345 | appliance user add dilnoza --name '{SECRET}' --role manager "
        "--password-stdin"
    )
    box.told("appliance backup create")
    checks = json.loads(box.run("appliance", "doctor", "--json").stdout)
    assert [one["state"] for one in checks if one["check"] == "disk.encrypted"] == ["ok"]
    assert not in_the_clear(box)
    keys = keys_on_paper(site.sheet())
    both = {paper_keys.read_key(typed, "repository") for typed in keys["plain"]}
    disk = box.told("cat /etc/appliance/keys/disk.paper").strip()
    [repository] = both - {disk}
    assert disk in both
    [recovery] = (paper_keys.read_key(typed, "recovery") for typed in keys["sealed"])
    return {"disk": disk, "repository": repository, "recovery": recovery}


def opens_only_with_its_stick(box: Computer) -> None:
    """It starts without: the pages say why; with the stick everything comes by itself."""
    box.switch_off()
    box.pull_out()
    box.boot()
    assert running(box) == []
    until(lambda: "Диск" in box.run("curl -sk https://127.0.0.1/").stdout, 60)
    assert "not plugged in" in box.told("journalctl -b -u hotline-disk")
    box.plug_in()
    until(lambda: running(box) == list(UNITS), 120)
    assert box.run("test", "-e", "/run/appliance-closed.html").returncode
    assert on_volume(box)
    until(lambda: box.run("curl -sfk https://127.0.0.1/healthz").stdout == "ok\n", 60)
    assert SECRET in box.told("appliance user list")
    box.told("systemctl stop asterisk appliance-web")  # as an upgrade does: they stay so
    box.told("systemctl restart appliance-pbx")
    assert running(box) == ["appliance-pbx", "appliance-jobs", "appliance-replicate"]
    box.told("systemctl start asterisk")
    box.told("systemctl stop 'appliance-*'")  # as before a restore: Asterisk goes on
    assert running(box) == ["asterisk"]
    assert box.run("systemctl", "stop", "hotline-disk").returncode


def comes_back_by_the_sheet(site: Site, keys: dict[str, str]) -> None:
    """On a bare machine, with the second disk and the paper; then it starts anew by itself."""
    box = site.machine
    typed = {f"restore_{name}_key": keys[name] for name in ("repository", "recovery")}
    play(site, "restore", *(w for pair in typed.items() for w in ("-e", "=".join(pair))))
    until(lambda: running(box) == list(UNITS), 120)
    assert on_volume(box)
    assert SECRET in box.told("appliance user list")
    assert not in_the_clear(box)
    # New keys: those of before open the old disk, not this one.
    assert box.run(f"{OPENS} {DATA}", text=keys["disk"]).returncode
    paper = box.told("cat /etc/appliance/keys/disk.paper").strip()
    assert " ".join(paper_keys.groups(paper)) in keys_on_paper(site.sheet())["plain"]
    box.told(f"{OPENS} {DATA}", text=paper)
    old = DATA[:-1] + "e"
    box.told(f"cryptsetup open {old} old --key-file -", text=keys["disk"])
    box.told("mount -o ro /dev/mapper/old /srv")
    assert box.run(f"grep -qaF '{SECRET}' /srv/data/appliance.db*").returncode == 0
    box.told("umount /srv && cryptsetup close old")
    box.told("appliance backup create")
    box.switch_off()
    box.boot()
    until(lambda: running(box) == list(UNITS), 120)


def running(box: Computer) -> list[str]:
    """Which of the units run."""
    states = box.run("systemctl", "is-active", *UNITS).stdout.split()
    return [unit for unit, state in zip(UNITS, states, strict=True) if state == "active"]


def on_volume(box: Computer) -> bool:
    """Whether the site's folder is the opened volume."""
    where = box.told("findmnt -no SOURCE /var/lib/appliance").strip()
    return where == "/dev/mapper/hotline" and "LUKS2" in box.told("cryptsetup status hotline")


def in_the_clear(box: Computer) -> bool:
    """Whether the secret, which is on the volume, is anywhere on the disk itself."""
    box.told("sync")
    assert box.run(f"grep -qaF '{SECRET}' /var/lib/appliance/data/appliance.db*").returncode == 0
    data = box.folder / "data.img"
    return not subprocess.run(["grep", "-qaF", SECRET, data], check=False).returncode
