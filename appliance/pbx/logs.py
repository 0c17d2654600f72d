"""The logs that Asterisk writes, as files: found under the names they are rotated to."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inotify_simple import flags

from appliance.core.watching import Watch

_PACKED = (".gz", ".xz", ".zst")
_FIRST = 4096  # bytes of a first line that tell a file from others
_NEWS = flags.MODIFY | flags.CREATE | flags.MOVED_TO | flags.DELETE | flags.DELETE_SELF
_GATHERED = 0.015  # seconds: what is written together is read together


@dataclass(frozen=True)
class Log:
    """One file. `inode` and `size` as they were when it was found."""

    path: Path
    inode: int
    size: int


def found(folder: Path, name: str) -> tuple[list[Log], list[Path]]:
    """The log of that name and what it was rotated to (events.csv.1, …), the oldest first.

    Packed ones are left out: what they hold was read before they were packed. The second list
    names what is no file, a folder say, and cannot be read.
    """
    files: list[tuple[float, Log]] = []
    others = []
    for path in sorted(folder.glob(f"{name}*")):
        if path.suffix in _PACKED:
            continue
        try:
            status = path.stat()
        except FileNotFoundError:  # rotated just now: seen by its new name
            continue
        except OSError:
            others.append(path)
            continue
        if stat.S_ISREG(status.st_mode):
            files.append((status.st_mtime, Log(path, status.st_ino, status.st_size)))
        else:
            others.append(path)
    return [log for _, log in sorted(files, key=lambda file: file[0])], others


def name(path: Path) -> str:
    """A file's name as the database takes it."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def fingerprint(path: Path, stream: BinaryIO) -> str:
    """Tells this file from any other, also after it was renamed. Leaves the stream anywhere."""
    stream.seek(0)
    first = stream.readline(_FIRST)
    return f"{path.stat().st_ino}:{hashlib.sha256(first).hexdigest()[:24]}"


def watch(folder: Path) -> Watch:
    """Waits for what is written into a folder of logs."""
    return Watch(folder, _NEWS, _GATHERED)
