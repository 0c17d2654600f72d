"""Where the copies lie: folders, their disks, the commands that mount them again."""

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.core.settings import Settings

MOUNTS = Path("/proc/self/mounts")
BY_ID = (("UUID", Path("/dev/disk/by-uuid")), ("LABEL", Path("/dev/disk/by-label")))


@dataclass(frozen=True)
class Mount:
    """A file system that holds copies. `command`: mounts it again; "" on the system's disk."""

    place: str
    folders: tuple[str, ...]
    command: str


def folders(settings: Settings) -> list[str]:
    """The folders of this machine that hold snapshots and the continuous copy."""
    places = [backup.url for backup in settings.backups] + [settings.snapshots.replica]
    return [name for name in places if name.startswith("/")]


def mounts(settings: Settings) -> list[Mount]:
    """The file systems of these folders."""
    table = _table()
    by_place: dict[str, list[str]] = {}
    for folder in folders(settings):
        whole = Path(folder).resolve()
        place = next((str(p) for p in (whole, *whole.parents) if str(p) in table), "/")
        by_place.setdefault(place, []).append(folder)
    return [
        Mount(place, tuple(names), "" if place == "/" else _command(place, *table[place]))
        for place, names in by_place.items()
    ]


def _table() -> dict[str, tuple[str, str]]:
    """Place → device and type of what is mounted there."""
    lines = (line.split() for line in MOUNTS.read_text("utf-8").splitlines())
    return {place.replace("\\040", " "): (device, kind) for device, place, kind, *_ in lines}


def _command(place: str, device: str, kind: str) -> str:
    """The command with the disk's own id: its letter is another on the next machine."""
    if not device.startswith("/dev/"):
        return f"mount -t {kind} {device} {place}"
    for name, folder in BY_ID:
        for link in sorted(folder.glob("*")) if folder.is_dir() else ():
            if os.path.realpath(link) == os.path.realpath(device):
                return f"mount {name}={link.name} {place}"
    return f"mount {device} {place}"
