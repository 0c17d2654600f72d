"""An Asterisk under test."""

import subprocess
from dataclasses import dataclass

from appliance.pbx import ami
from appliance.settings import Settings


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
