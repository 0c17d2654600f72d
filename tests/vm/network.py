"""A network of the box, its carrier, the operators' LAN and a stranger: namespaces of their own.

Nothing of it touches the machine's own network.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

PREFIX = "hotlinebox"
BOX = "10.77.0.2"
PLACES = {"box": BOX, "lan": "10.77.0.10", "carrier": "10.77.1.5", "stranger": "10.77.9.9"}
LAN = "10.77.0.0/24"


class Network:
    """A switch and one namespace for each place."""

    def __init__(self, mark: str = "") -> None:
        """`mark` tells a further one of this process from the first."""
        self._mine = f"{PREFIX}{os.getpid()}" + (f"-{mark}" if mark else "")

    def name(self, place: str) -> str:
        """The namespace of a place."""
        return f"{self._mine}-{place}"

    def make(self) -> None:
        """Lay the cables. What runs left behind that are over is removed first."""
        remove_left_over()
        for place in ("switch", *PLACES):
            _ip("netns", "add", self.name(place))
        switch = self.name("switch")
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for place, address in PLACES.items():
            here = self.name(place)
            peer = ("type", "veth", "peer", "name", "host0", "netns", here)
            _ip("link", "add", "name", f"to-{place}", "netns", switch, *peer)
            _ip("-n", switch, "link", "set", f"to-{place}", "master", "bridge", "up")
            _ip("-n", here, "address", "add", f"{address}/16", "dev", "host0")
            _ip("-n", here, "link", "set", "host0", "up")
            _ip("-n", here, "link", "set", "lo", "up")

    def remove(self) -> None:
        """Take everything away."""
        for place in ("switch", *PLACES):
            subprocess.run(["ip", "netns", "del", self.name(place)], capture_output=True)

    def add_address(self, place: str, address: str) -> None:
        """Somebody more at that place."""
        _ip("-n", self.name(place), "address", "add", f"{address}/16", "dev", "host0")

    def inside(self, place: str, command: Sequence[str | Path]) -> list[str]:
        """The command as it is run at that place."""
        return ["ip", "netns", "exec", self.name(place), *map(str, command)]


def remove_left_over() -> None:
    """Remove the namespaces of runs that are over."""
    for file in Path("/run/netns").glob(f"{PREFIX}*-*"):
        pid = file.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            subprocess.run(["ip", "netns", "del", file.name], capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
