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

    def answers(self) -> bool:
        """Whether it can be commanded, its queues too."""
        try:
            with ami.Connection(self.settings) as asterisk:
                return bool(asterisk.act("QueueStatus"))
        except (ami.Unreachable, ami.Refused):
            return False


def stands(pid: int) -> bool:
    """Whether every thread of a process has been stopped."""
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)
