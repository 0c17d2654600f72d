"""Start the appliance's processes as forks of one that has loaded their modules.

Hundreds of processes are started; loading takes a second of the processor, and the code that runs
is the same.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from appliance import cli

FORKSERVER = multiprocessing.get_context("forkserver")
_PRELOADED_MODULES = sorted({f"appliance.cli.{module}" for module, _ in cli.COMMANDS.values()})
FORKSERVER.set_forkserver_preload(
    ["appliance.web.shell.server", *_PRELOADED_MODULES, "tests.rig.loaded"]
)


def run_command(
    config: Path, *arguments: str, standard_input: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the `appliance` command on a site; `standard_input` is what it reads."""
    argv = ["appliance", "--config", str(config), *arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("in", "out", "err")]
        streams[0].write_text(standard_input, "utf-8")
        process = FORKSERVER.Process(target=_run_in_fork, args=(argv, streams))
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        outputs = [stream.read_text("utf-8") for stream in streams]
    assert code is not None
    return subprocess.CompletedProcess(argv, code, outputs[1], outputs[2])


def _run_in_fork(argv: list[str], streams: list[Path]) -> None:
    """Run the command in the fork, with the three files as its standard streams."""
    for number, stream in enumerate(streams):
        descriptor = os.open(stream, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
    sys.argv = argv
    cli.main()
