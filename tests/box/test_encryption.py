"""The self-check verifies disk encryption where the settings require it."""

import dataclasses
import os
from pathlib import Path

import pytest

from appliance.box.health import encryption


def build_block_devices(blocks: Path, folder: Path, *uuids: str) -> Path:
    """The kernel's view of the device of a folder: stacked volumes, the topmost first."""
    number = folder.stat().st_dev
    device_folder = blocks / f"{os.major(number)}:{os.minor(number)}"
    for uuid in uuids:
        device_folder.mkdir(parents=True, exist_ok=True)
        if uuid:
            (device_folder / "dm").mkdir()
            (device_folder / "dm" / "uuid").write_text(uuid)
        device_folder = device_folder / "slaves" / "below"
    return blocks


@pytest.mark.parametrize(
    ("uuids", "encrypted"),
    [
        (("CRYPT-LUKS2-abc-data",), True),
        (("LVM-abc", "CRYPT-LUKS2-abc-data"), True),  # a logical volume on an encrypted volume
        (("LVM-abc", ""), False),
        (("",), False),
        ((), False),
    ],
)
def test_the_encryption_of_a_volume_is_read_from_the_kernel(tmp_path, uuids, encrypted) -> None:
    blocks = build_block_devices(tmp_path / "blocks", tmp_path, *uuids)
    assert encryption.is_encrypted(tmp_path, blocks) == encrypted


def test_encryption_is_checked_only_where_the_settings_require_it(
    settings, monkeypatch, tmp_path
) -> None:
    settings.paths.recordings.mkdir()
    assert list(encryption.check_disk_encryption(settings)) == []
    encrypted_site = dataclasses.replace(settings, encrypted_disk=True)
    monkeypatch.setattr(encryption, "BLOCK_DEVICES", tmp_path / "none")
    [check] = encryption.check_disk_encryption(encrypted_site)
    assert (check.code, check.state) == ("disk.encrypted", "fail")


def test_an_unencrypted_copy_that_remains_after_moving_is_reported(settings, monkeypatch) -> None:
    settings.paths.recordings.mkdir()
    encrypted_site = dataclasses.replace(settings, encrypted_disk=True)
    monkeypatch.setattr(encryption, "is_encrypted", lambda folder: True)
    [check] = encryption.check_disk_encryption(encrypted_site)
    assert check.state == "ok"
    home = settings.paths.database.parent.parent
    clear_copy = home.with_name(f"{home.name}.clear")
    clear_copy.mkdir()
    [check] = encryption.check_disk_encryption(encrypted_site)
    assert (check.state, check.values) == ("warn", {"folder": str(clear_copy)})


def test_a_missing_folder_is_not_encrypted(tmp_path) -> None:
    assert not encryption.is_encrypted(tmp_path / "gone")
