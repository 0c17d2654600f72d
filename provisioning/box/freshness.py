"""How new a bundle is: version, number and expiry, signed with the rest of it.

A box refuses a bundle that is older than the newest that it has accepted, and one that has expired
(`roles/validate/files/freshness.sh`). Both come from the sources: the same sources give the same
bundle, whenever and wherever it is built.
"""

import os
import subprocess
from pathlib import Path

FILE = "update"
DAY_SECONDS = 86_400
VALID_DAYS = 400  # a site is visited at least once a year


def source_date(top: Path) -> int:
    """When the sources were last changed, in seconds since 1970: SOURCE_DATE_EPOCH, or git's.

    Raises ValueError without either.
    """
    if stated := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(stated)
    done = subprocess.run(
        ["git", "-c", f"safe.directory={top}", "-C", top, "log", "-1", "--format=%ct"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode or not done.stdout.strip():
        raise ValueError(f"{top} is no clone of git: set SOURCE_DATE_EPOCH, seconds since 1970")
    return int(done.stdout)


def describe(release: str, number: int, valid_days: int = VALID_DAYS) -> str:
    """The file `update` of a bundle: names and values by line, for a shell to read.

    `release`: version-fingerprint; `number`: the source date, by which two bundles of one version
    are put in order.
    """
    values = {
        "release": release,
        "version": release.partition("-")[0],
        "number": number,
        "expires": number + valid_days * DAY_SECONDS,
    }
    return "".join(f"{name}: {value}\n" for name, value in values.items())
