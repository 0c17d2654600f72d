"""Files that several processes share, each by an account of its own: their rights, removing one."""

import errno
import os
import stat
from pathlib import Path

GROUP_WRITES = stat.S_IRGRP | stat.S_IWGRP


def share(file: Path, folder: Path | None = None) -> None:
    """Who of the group may write into the folder, else the file's own, may write the file.

    A file of somebody else is left as it is.
    """
    found, above = file.stat(), (folder or file.parent).stat()
    wanted = above.st_mode & GROUP_WRITES
    if found.st_uid == os.geteuid() and wanted & ~found.st_mode:
        file.chmod(stat.S_IMODE(found.st_mode) | wanted)


def remove(path: Path) -> bool:
    """Remove a file; False when there is none, or this process may only read it."""
    try:
        path.unlink()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return False
    return True
