"""The logs that Asterisk writes, as files, including those that were renamed by log rotation."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inotify_simple import flags

from appliance.core.path_watch import PathWatch

_COMPRESSED_SUFFIXES = (".gz", ".xz", ".zst")
_MAX_FIRST_LINE_BYTES = 4096  # bytes of the first line by which a file is identified
_WATCHED_CHANGES = flags.MODIFY | flags.CREATE | flags.MOVED_TO | flags.DELETE | flags.DELETE_SELF
_GATHER_WINDOW_SECONDS = 0.015  # lines written within it are read together


@dataclass(frozen=True)
class LogFile:
    """One log file, with the inode and size that it had when it was found."""

    path: Path
    inode: int
    size: int


def find_logs(folder: Path, name: str) -> tuple[list[LogFile], list[Path]]:
    """Return a log and its rotated files (events.csv.1, …), oldest first, and what is not a file.

    Compressed files are omitted: they were read before they were compressed. The second list
    contains the paths that have the log's name but are not regular files, such as folders.
    """
    files: list[tuple[float, LogFile]] = []
    non_files = []
    for path in sorted(folder.glob(f"{name}*")):
        if path.suffix in _COMPRESSED_SUFFIXES:
            continue
        try:
            status = path.stat()
        except FileNotFoundError:  # rotated just now: found again by its new name
            continue
        except OSError:  # reported by the caller as unreadable, such as a loop of links
            non_files.append(path)
            continue
        if stat.S_ISREG(status.st_mode):
            files.append((status.st_mtime, LogFile(path, status.st_ino, status.st_size)))
        else:
            non_files.append(path)
    return [log for _, log in sorted(files, key=lambda file: file[0])], non_files


def storable_name(path: Path) -> str:
    """Return a file's name in a form that the database accepts."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def file_fingerprint(path: Path, stream: BinaryIO) -> str:
    """Return an id of a log file that stays the same when the file is renamed.

    It consists of the inode and a hash of the first line. `stream` is the file, opened; it is left
    at another position.
    """
    stream.seek(0)
    first_line = stream.readline(_MAX_FIRST_LINE_BYTES)
    return f"{path.stat().st_ino}:{hashlib.sha256(first_line).hexdigest()[:24]}"


def watch_folder(folder: Path) -> PathWatch:
    """Return a watch that waits for changes in a folder of logs."""
    return PathWatch(folder, _WATCHED_CHANGES, _GATHER_WINDOW_SECONDS)
