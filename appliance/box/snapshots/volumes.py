"""The folders of the copies, their disks, and the commands that mount them again."""

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.core.settings import Settings

MOUNTS_FILE = Path("/proc/self/mounts")
DISK_ID_FOLDERS = (("UUID", Path("/dev/disk/by-uuid")), ("LABEL", Path("/dev/disk/by-label")))


@dataclass(frozen=True)
class Mount:
    """A file system that holds copies; `command` mounts it again ("" for the system's disk)."""

    place: str
    folders: tuple[str, ...]
    command: str


def copy_folders(settings: Settings) -> list[str]:
    """Return the folders of this machine that hold snapshots and the continuous copy."""
    places = [backup.url for backup in settings.backups] + [settings.snapshots.replica]
    return [name for name in places if name.startswith("/")]


def copy_mounts(settings: Settings) -> list[Mount]:
    """Return the file systems that hold the folders of copy_folders()."""
    table = _mount_table()
    by_place: dict[str, list[str]] = {}
    for folder in copy_folders(settings):
        resolved = Path(folder).resolve()
        place = next(
            (str(path) for path in (resolved, *resolved.parents) if str(path) in table), "/"
        )
        by_place.setdefault(place, []).append(folder)
    return [
        Mount(place, tuple(names), "" if place == "/" else _mount_command(place, *table[place]))
        for place, names in by_place.items()
    ]


def _mount_table() -> dict[str, tuple[str, str]]:
    """Map each mount point to its device and file system type."""
    lines = (line.split() for line in MOUNTS_FILE.read_text("utf-8").splitlines())
    return {place.replace("\\040", " "): (device, kind) for device, place, kind, *_ in lines}


def _mount_command(place: str, device: str, kind: str) -> str:
    """Return the mount command, by the disk's id: its device name differs between machines."""
    if not device.startswith("/dev/"):
        return f"mount -t {kind} {device} {place}"
    for name, folder in DISK_ID_FOLDERS:
        for link in sorted(folder.glob("*")) if folder.is_dir() else ():
            if os.path.realpath(link) == os.path.realpath(device):
                return f"mount {name}={link.name} {place}"
    return f"mount {device} {place}"
