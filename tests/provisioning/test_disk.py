"""What the role disk produces: units that wait for the volume, and settings that mention it."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from appliance.core import settings as site_settings
from backups import paper_keys
from tests.rig.rendering import ROLES, render_template

DISK_DEVICE = "/dev/disk/by-id/ata-one"
DISK_COMMAND = ROLES / "disk" / "files" / "appliance-disk"


@pytest.mark.parametrize("device", ["", DISK_DEVICE])
def test_units_that_store_data_wait_for_the_volume(tmp_path: Path, device: str) -> None:
    """Asterisk and each of our services wait; on a box without a volume, no unit does."""
    item = {"name": "pbx", "text": "x"}
    facts = {"site_home": "/var/lib/appliance", "backup_folders": [], "disk_device": device}
    memory = {"services_memory": {"pbx": "512M"}, "services_processors": {}}
    asterisk = render_template(tmp_path, "asterisk", "asterisk.service.j2", **facts)
    service = render_template(
        tmp_path, "services", "appliance.service.j2", item=item, **facts, **memory
    )
    for unit in (asterisk, service):
        assert ("Requires=hotline-disk.service\n" in unit) == bool(device)
        assert ("After=hotline-disk.service\n" in unit) == bool(device)


def test_a_stick_inserted_late_starts_every_service(tmp_path: Path) -> None:
    unit = render_template(
        tmp_path, "disk", "hotline-disk.service.j2", backup_replica="/mnt/second"
    )
    assert "Restart=on-failure\nRestartSec=10\n" in unit
    assert "StartLimitIntervalSec=0" in unit
    [start] = re.findall(r"^ExecStartPost=-(\S+systemctl --no-block start .*)$", unit, re.MULTILINE)
    assert start.split()[-5:] == [
        "asterisk",
        *(f"appliance-{name}" for name in ("pbx", "web", "jobs", "replicate")),
    ]


def test_the_role_precedes_the_roles_that_store_data() -> None:
    [play] = yaml.safe_load((ROLES.parent / "site.yml").read_text())
    order = [role["role"] for role in play["roles"]]
    assert order.index("base") < order.index("disk") < order.index("asterisk")
    [disk] = [role for role in play["roles"] if role["role"] == "disk"]
    assert disk["when"] == "disk_device | default('') != ''"


def test_no_disk_key_is_part_of_a_snapshot() -> None:
    """A restored box gets a volume and keys of its own."""
    seal = (ROLES / "backup" / "files" / "seal.sh").read_text()
    assert "--exclude='etc/appliance/disk.*'" in seal
    assert "keys=/etc/cryptsetup-keys.d" in DISK_COMMAND.read_text()


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
    for device in ("", DISK_DEVICE):
        file = tmp_path / "appliance.toml"
        file.write_text(
            render_template(tmp_path, "app", "appliance.toml.j2", **facts, disk_device=device),
            "utf-8",
        )
        assert site_settings.load_settings(file).encrypted_disk == bool(device)


def test_the_command_prints_its_usage() -> None:
    process = subprocess.run(
        ["sh", DISK_COMMAND],
        env={"APPLIANCE_DISK_CONF": "/dev/null", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    for verb in ("make [move]", "open [paper]", "rotate [paper]", "give"):
        assert f"appliance-disk {verb}" in process.stderr


def test_a_mistyped_paper_key_is_reported_by_its_group(tmp_path: Path) -> None:
    """A fake cryptsetup that stores its key file takes the place of a volume."""
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
    received_key, command = tmp_path / "key", tmp_path / "appliance-disk"
    command.write_text(DISK_COMMAND.read_text().replace("/run/appliance-disk", f"{tmp_path}/place"))
    command.chmod(0o755)

    def open_volume(typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, "open", "paper"],
            input=f"{typed}\n",
            capture_output=True,
            text=True,
            env={
                "PATH": f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "KEPT": str(received_key),
                "APPLIANCE_DISK_CONF": str(tmp_path / "disk.conf"),
                "APPLIANCE_PAPER_KEYS": paper_keys.__file__,
            },
        )

    groups = paper_keys.groups(key)
    wrong = open_volume(" ".join([groups[0], "b4nrx", *groups[2:]]))
    assert wrong.returncode
    assert "group 2 is not as on the sheet" in wrong.stderr
    assert not received_key.exists()
    assert not (tmp_path / "place" / "typed").exists()
    for typed in (" ".join(groups), key):
        process = open_volume(typed)
        assert (process.returncode, process.stdout) == (0, "opened\n"), process.stderr
        assert received_key.read_text() == key
        received_key.unlink()
