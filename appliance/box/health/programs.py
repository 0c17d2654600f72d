"""Runs system programs that report a state."""

import os
import shutil
import subprocess

_TIMEOUT_SECONDS = 5.0  # seconds


def program_output(program: str, *arguments: str) -> str | None:
    """Return the output of a program; None if it is not installed, fails or takes too long."""
    path = shutil.which(program)
    if not path:
        return None
    try:
        completed = subprocess.run(  # noqa: S603  fixed arguments
            [path, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return completed.stdout.decode("utf-8", "replace") if completed.returncode == 0 else None
