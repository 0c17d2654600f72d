"""What the role disk makes: units that wait for the volume, settings and pages that know of it."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from appliance.core import settings as site_settings
from backups import paper_keys
from tests.rig.rendering import ROLES, rendered

DISK = "/dev/disk/by-id/ata-one"
COMMAND = ROLES / "disk" / "files" / "appliance-disk"


@pytest.mark.parametrize("given", ["", DISK])
def test_what_keeps_data_waits_for_the_volume(tmp_path: Path, given: str) -> None:
    """Asterisk and every process of ours; nothing of it on a box without."""
    item = {"name": "pbx", "text": "x"}
    facts = {"site_home": "/var/lib/appliance", "backup_folders": [], "disk_device": given}
    memory = {"services_memory": {"pbx": "512M"}, "services_processors": {}}
    asterisk = rendered(tmp_path, "asterisk", "asterisk.service.j2", **facts)
    ours = rendered(tmp_path, "services", "appliance.service.j2", item=item, **facts, **memory)
    for unit in (asterisk, ours):
        assert ("Requires=hotline-disk.service\n" in unit) == bool(given)
        assert ("After=hotline-disk.service\n" in unit) == bool(given)


def test_a_stick_that_comes_late_starts_everything(tmp_path: Path) -> None:
    unit = rendered(tmp_path, "disk", "hotline-disk.service.j2", backup_replica="/mnt/second")
    assert "Restart=on-failure\nRestartSec=10\n" in unit
    assert "StartLimitIntervalSec=0" in unit
    [start] = re.findall(r"^ExecStartPost=-(\S+systemctl --no-block start .*)$", unit, re.MULTILINE)
    assert start.split()[-5:] == [
        "asterisk",
        *(f"appliance-{name}" for name in ("pbx", "web", "jobs", "replicate")),
    ]


def test_the_role_comes_before_whatever_keeps_data() -> None:
    [play] = yaml.safe_load((ROLES.parent / "site.yml").read_text())
    order = [role["role"] for role in play["roles"]]
    assert order.index("base") < order.index("disk") < order.index("asterisk")
    [disk] = [role for role in play["roles"] if role["role"] == "disk"]
    assert disk["when"] == "disk_device | default('') != ''"


def test_no_key_of_the_disk_goes_into_a_snapshot() -> None:
    """A restored box gets a volume and keys of its own."""
    seal = (ROLES / "backup" / "files" / "seal.sh").read_text()
    assert "--exclude='etc/appliance/disk.*'" in seal
    assert "keys=/etc/cryptsetup-keys.d" in COMMAND.read_text()


def test_the_settings_say_that_the_disk_is_encrypted(tmp_path: Path) -> None:
    secret = {"content": "c2VjcmV0"}
    facts = {
        "site_home": "/var/lib/appliance",
        "site_timezone": "Asia/Tashkent",
        "site_name": "hotline.example.uz",
        "site_address": "192.0.2.10",
        "site_sip_port": 5060,
        "site_rtp_ports": "10000-19999",
        "site_browser_phones": False,
        "site_hotline_number": "1006",
        "site_carriers": [],
        "site_operators": [],
        "backup_places": [],
        "backup_replica": "",
        "app_secrets": {"results": [secret] * 4},
        "ansible_facts": {"machine": "x86_64"},
    }
    for given in ("", DISK):
        file = tmp_path / "appliance.toml"
        file.write_text(
            rendered(tmp_path, "app", "appliance.toml.j2", **facts, disk_device=given), "utf-8"
        )
        assert site_settings.load(file).encrypted_disk == bool(given)


def test_it_says_how_it_is_used() -> None:
    told = subprocess.run(
        ["sh", COMMAND],
        env={"APPLIANCE_DISK_CONF": "/dev/null", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 2
    for verb in ("make [move]", "open [paper]", "rotate [paper]", "give"):
        assert f"appliance-disk {verb}" in told.stderr


def test_a_mistyped_key_of_the_sheet_is_named_by_its_group(tmp_path: Path) -> None:
    """With a cryptsetup that keeps what it is given, in place of a volume."""
    key = "k7gq-2ztv-9xqw-b4nr-m8sy-c3up"
    (tmp_path / "bin").mkdir()
    programs = {
        "cryptsetup": 'case "$*" in *luksDump*) echo "Label: hotline" ;; '
        '*" open "*) while [ "$1" != --key-file ]; do shift; done; cp "$2" "$KEPT" ;; esac',
        "mountpoint": "false",
        "mount": "true",
    }
    for name, text in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "disk.conf").write_text(f"device={tmp_path}/disk\nhome={tmp_path}/home\n")
    kept, command = tmp_path / "key", tmp_path / "appliance-disk"
    command.write_text(COMMAND.read_text().replace("/run/appliance-disk", f"{tmp_path}/place"))
    command.chmod(0o755)

    def opened(typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, "open", "paper"],
            input=f"{typed}\n",
            capture_output=True,
            text=True,
            env={
                "PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "KEPT": str(kept),
                "APPLIANCE_DISK_CONF": str(tmp_path / "disk.conf"),
                "APPLIANCE_PAPER_KEYS": paper_keys.__file__,
            },
        )

    groups = paper_keys.groups(key)
    wrong = opened(" ".join([groups[0], "b4nrx", *groups[2:]]))
    assert wrong.returncode
    assert "group 2 is not as on the sheet" in wrong.stderr
    assert not kept.exists()
    assert not (tmp_path / "place" / "typed").exists()
    for typed in (" ".join(groups), key):
        done = opened(typed)
        assert (done.returncode, done.stdout) == (0, "opened\n"), done.stderr
        assert kept.read_text() == key
        kept.unlink()
