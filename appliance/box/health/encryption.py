"""Whether recordings and the database are on an encrypted volume, if the settings require one."""

import os
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

BLOCK_DEVICES = Path("/sys/dev/block")  # the kernel's view of each block device, by its numbers
_MAX_LAYERS = 8  # volumes stacked on one another


def check_disk_encryption(settings: Settings) -> Iterator[Check]:
    """Check that data are on encrypted volumes, if the settings demand it (`encrypted_disk`)."""
    if not settings.encrypted_disk:
        return
    folders = (settings.paths.database.parent, settings.paths.recordings)
    home = settings.paths.database.parent.parent
    unencrypted = [str(folder) for folder in folders if not is_encrypted(folder)]
    code, name = "disk.encrypted", N_("Encryption of the disk")
    if unencrypted:
        finding = N_("{folders} is not on an encrypted volume")
        advice = N_("Is the volume unlocked and mounted? See docs/security.md, Encryption at rest.")
        yield Check(code, name, "fail", finding, advice, {"folders": ", ".join(unencrypted)})
    elif (clear_folder := home.with_name(f"{home.name}.clear")).exists():
        finding = N_("data moved to it are still stored unencrypted in {folder}")
        advice = N_("Check that everything is in order, then remove that folder.")
        yield Check(code, name, "warn", finding, advice, {"folder": str(clear_folder)})
    else:
        yield Check(code, name, "ok", N_("database and recordings are on an encrypted volume"))


def is_encrypted(folder: Path, block_devices: Path = BLOCK_DEVICES) -> bool:
    """Whether the device that holds a folder is a dm-crypt volume, or is stacked on one."""
    try:
        device = folder.stat().st_dev
    except OSError:  # a folder that cannot be reached is not known to be encrypted
        return False
    return _is_crypt_device(block_devices / f"{os.major(device)}:{os.minor(device)}", _MAX_LAYERS)


def _is_crypt_device(device: Path, layers_left: int) -> bool:
    """Whether a device is a dm-crypt volume, or all devices below it are."""
    if _device_mapper_uuid(device).startswith("CRYPT-"):
        return True
    slaves = device / "slaves"
    if not layers_left or not slaves.is_dir():
        return False
    lower_devices = list(slaves.iterdir())
    return bool(lower_devices) and all(
        _is_crypt_device(lower_device, layers_left - 1) for lower_device in lower_devices
    )


def _device_mapper_uuid(device: Path) -> str:
    """Return the UUID of a device-mapper volume; "" for another device, which has no such file."""
    try:
        return (device / "dm" / "uuid").read_text("ascii")
    except OSError:
        return ""
