"""An Asterisk under test."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx import ami


@dataclass
class Box:
    """An Asterisk that runs, and the settings it runs with."""

    settings: Settings
    process: "subprocess.Popen[bytes]"

    @classmethod
    def started(cls, settings: Settings, command: list[str]) -> "Box":
        """One that begins to run."""
        return cls(settings, _begun(command))

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """Run it anew, with what it has on disk."""
        self.process = _begun(list(self.process.args))

    def answers(self) -> bool:
        """Whether it can be commanded, its queues too."""
        try:
            with ami.Connection(self.settings) as asterisk:
                return bool(asterisk.act("QueueStatus"))
        except (ami.Unreachable, ami.Refused):
            return False


def _begun(command: list[str]) -> "subprocess.Popen[bytes]":
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null)


def stands(pid: int) -> bool:
    """Whether every thread of a process has been stopped."""
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)
