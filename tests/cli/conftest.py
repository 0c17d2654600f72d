"""The command, run on the test's site."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.settings import Settings

PROGRAM = Path(sys.executable).with_name("appliance")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run the command on the test's site; `typed` is what it reads."""

    def command(
        *arguments: str, config: Path = settings.file, typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(PROGRAM), "--config", str(config), *arguments],
            input=typed,
            capture_output=True,
            text=True,
        )

    return command
