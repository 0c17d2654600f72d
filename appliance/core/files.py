"""Rights of files that several processes write, each by an account of its own."""

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
