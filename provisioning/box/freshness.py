"""The freshness of a bundle: version, number and expiry, signed with the rest of it.

A box refuses a bundle that is older than the newest one that it has accepted, or that has expired
(`roles/validate/files/freshness.sh`). Number and expiry come from the sources: the same sources
give the same bundle, whenever and wherever it is built.
"""

import os
import subprocess
from pathlib import Path

UPDATE_FILE = "update"
DAY_SECONDS = 86_400
VALID_DAYS = 400  # a site is visited at least once a year


def source_date(top: Path) -> int:
    """When the sources last changed, in seconds since 1970: SOURCE_DATE_EPOCH, or git's date.

    Raises ValueError without either.
    """
    if value := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(value)
    result = subprocess.run(
        ["git", "-c", f"safe.directory={top}", "-C", top, "log", "-1", "--format=%ct"],
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode or not result.stdout.strip():
        raise ValueError(f"{top} is no clone of git: set SOURCE_DATE_EPOCH, seconds since 1970")
    return int(result.stdout)


def update_text(release: str, number: int, valid_days: int = VALID_DAYS) -> str:
    """The text of a bundle's file `update`: lines of names and values for a shell.

    `release`: version-fingerprint; `number`: the source date, which orders bundles of one version.
    """
    values = {
        "release": release,
        "version": release.partition("-")[0],
        "number": number,
        "expires": number + valid_days * DAY_SECONDS,
    }
    return "".join(f"{name}: {value}\n" for name, value in values.items())
