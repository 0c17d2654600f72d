"""Processes of ours that begin as copies of one that has loaded their modules: hundreds are begun.

To load them takes a second of the processor; what runs is the same.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from appliance import cli

FORKED = multiprocessing.get_context("forkserver")
_MODULES = sorted({f"appliance.cli.{module}" for module, _ in cli.COMMANDS.values()})
FORKED.set_forkserver_preload(["appliance.web.shell.server", *_MODULES, "tests.rig.loaded"])


def command(config: Path, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """The `appliance` command on a site; `typed` is what it reads."""
    given = ["appliance", "--config", str(config), *arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("in", "out", "err")]
        streams[0].write_text(typed, "utf-8")
        process = FORKED.Process(target=_run, args=(given, streams))
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        told = [stream.read_text("utf-8") for stream in streams]
    assert code is not None
    return subprocess.CompletedProcess(given, code, told[1], told[2])


def _run(given: list[str], streams: list[Path]) -> None:
    for number, stream in enumerate(streams):
        opened = os.open(stream, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
    sys.argv = given
    cli.main()
