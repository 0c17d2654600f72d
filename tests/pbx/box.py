"""An Asterisk process under test."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx import ami


@dataclass
class Box:
    """A running Asterisk and the settings it runs with."""

    settings: Settings
    process: "subprocess.Popen[bytes]"

    @classmethod
    def launch(cls, settings: Settings, command: list[str]) -> "Box":
        """Start the process and return its box; it may not accept commands yet."""
        return cls(settings, _start_process(command))

    def kill_process(self) -> None:
        """End the process abruptly, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def restart_process(self) -> None:
        """Start the process again with the files on its disk."""
        self.process = _start_process(list(self.process.args))

    def accepts_commands(self) -> bool:
        """Return True if the manager interface accepts commands, including those about queues."""
        try:
            with ami.Connection(self.settings) as asterisk:
                return bool(asterisk.send_action("QueueStatus"))
        except (ami.Unreachable, ami.ActionRefused):
            return False


def _start_process(command: list[str]) -> "subprocess.Popen[bytes]":
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null)


def is_stopped(pid: int) -> bool:
    """Return True if every thread of the process has been stopped by a signal."""
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)
