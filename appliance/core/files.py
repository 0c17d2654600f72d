"""Files that processes share, each under its own account: permissions, names, hashes, removal."""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

GROUP_READ_WRITE = stat.S_IRGRP | stat.S_IWGRP


def share_with_group(file: Path, permission_folder: Path | None = None) -> None:
    """Let the other processes of the appliance, one group of accounts, use a file of this process.

    The file's group gets the rights to read and write that the group of `permission_folder` has (by
    default, of the file's own folder). A file that belongs to another account is left unchanged.
    """
    status, folder_status = file.stat(), (permission_folder or file.parent).stat()
    group_bits = folder_status.st_mode & GROUP_READ_WRITE
    if status.st_uid == os.geteuid() and group_bits & ~status.st_mode:
        file.chmod(stat.S_IMODE(status.st_mode) | group_bits)


def unused_path(path: Path) -> Path:
    """Return the path if nothing exists there, or else the first unused of `path-2`, `path-3` …"""
    number, unused = 1, path
    while unused.exists():
        number += 1
        unused = path.with_name(f"{path.name}-{number}")
    return unused


@contextlib.contextmanager
def replacement_file(target: Path) -> Iterator[Path]:
    """Yield the path of a new file in the folder of `target`, which it replaces at the end.

    The name belongs to this call alone, so processes that write the same target at the same time
    never write into one file. If the `with` block raises, the target does not change.
    """
    new_file = target.with_name(f".{target.stem}.{secrets.token_hex(8)}.new{target.suffix}")
    try:
        yield new_file
        new_file.replace(target)
    finally:
        new_file.unlink(missing_ok=True)


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the lock of a folder, and hold it in the `with` block.

    The folder itself is locked: a file in it would belong to one account, and the processes of the
    others could not open it for writing. Creates the folder if it does not exist.
    """
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def file_sha256(file: Path) -> str:
    """Return the SHA-256 hash of a file's content, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove_file(path: Path) -> bool:
    """Remove a file; returns False if it does not exist or this process may not remove it."""
    try:
        path.unlink()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return False
    return True
