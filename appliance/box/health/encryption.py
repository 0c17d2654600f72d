"""Whether recordings and the database lie on an encrypted volume, where the site says they do."""

import os
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

BLOCKS = Path("/sys/dev/block")  # how the kernel shows each device by its numbers
_DEEPEST = 8  # volumes that may lie over one another


def at_rest(settings: Settings) -> Iterator[Check]:
    """The disks of `encrypted_disk` are LUKS volumes; nothing is asked of other sites."""
    if not settings.encrypted_disk:
        return
    folders = (settings.paths.database.parent, settings.paths.recordings)
    home = settings.paths.database.parent.parent
    plain = [str(folder) for folder in folders if not is_encrypted(folder)]
    code, name = "disk.encrypted", N_("Encryption of the disk")
    if plain:
        told = N_("{folders} is not on an encrypted volume")
        advice = N_("Is the volume open and mounted? See docs/security.md, Encryption at rest.")
        yield Check(code, name, "fail", told, advice, {"folders": ", ".join(plain)})
    elif (left := home.with_name(f"{home.name}.clear")).exists():
        told = N_("what was moved onto it still lies in the clear in {folder}")
        advice = N_("Look whether all is well, then remove that folder.")
        yield Check(code, name, "warn", told, advice, {"folder": str(left)})
    else:
        yield Check(code, name, "ok", N_("database and recordings are on an encrypted volume"))


def is_encrypted(folder: Path, blocks: Path = BLOCKS) -> bool:
    """Whether the device that a folder lies on is a volume of dm-crypt, or lies on one."""
    try:
        device = folder.stat().st_dev
    except OSError:
        return False
    return _is_crypt(blocks / f"{os.major(device)}:{os.minor(device)}", _DEEPEST)


def _is_crypt(device: Path, deeper: int) -> bool:
    try:
        if (device / "dm" / "uuid").read_text("ascii").startswith("CRYPT-"):
            return True
    except OSError:  # no volume of the device mapper
        pass
    below = device / "slaves"
    if not deeper or not below.is_dir():
        return False
    found = list(below.iterdir())
    return bool(found) and all(_is_crypt(one, deeper - 1) for one in found)
