"""The command, run on the test's site."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from tests.rig import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run the command on the test's site; `typed` is what it reads."""

    def command(
        *arguments: str, config: Path = settings.file, typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return forked.command(config, *arguments, typed=typed)

    return command
