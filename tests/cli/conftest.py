"""The fixture that runs the `appliance` command on the test's site."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from tests.rig import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run the command on the test's site; `typed` is passed to it as standard input."""

    def run_command(
        *arguments: str, config: Path = settings.file, typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return forked.run_command(config, *arguments, standard_input=typed)

    return run_command
