"""Programs of the system that are asked how something stands."""

import os
import shutil
import subprocess

_PATIENCE = 5.0  # seconds


def output(program: str, *arguments: str) -> str | None:
    """What a program prints; None when it is not there, fails, or takes too long."""
    path = shutil.which(program)
    if not path:
        return None
    try:
        done = subprocess.run(  # noqa: S603  words of ours
            [path, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
