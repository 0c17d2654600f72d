"""Namespaces for a network of the box, its carrier, the operators' LAN and a stranger.

The host's own network is not affected.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

NAME_PREFIX = "hotlinebox"
BOX_ADDRESS = "10.77.0.2"
ADDRESS_OF_PLACE = {
    "box": BOX_ADDRESS,
    "lan": "10.77.0.10",
    "carrier": "10.77.1.5",
    "stranger": "10.77.9.9",
}
LAN_NETWORK = "10.77.0.0/24"


class Network:
    """A switch and one namespace for each place."""

    def __init__(self, mark: str = "") -> None:
        """`mark` distinguishes a further network of this process from the first."""
        self._name_prefix = f"{NAME_PREFIX}{os.getpid()}" + (f"-{mark}" if mark else "")

    def namespace_of(self, place: str) -> str:
        """Return the namespace of a place."""
        return f"{self._name_prefix}-{place}"

    def create_namespaces(self) -> None:
        """Create and connect the namespaces, after removing those of ended runs."""
        remove_left_over()
        for place in ("switch", *ADDRESS_OF_PLACE):
            _run_ip("netns", "add", self.namespace_of(place))
        switch = self.namespace_of("switch")
        _run_ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _run_ip("-n", switch, "link", "set", "bridge", "up")
        for place, address in ADDRESS_OF_PLACE.items():
            namespace = self.namespace_of(place)
            peer = ("type", "veth", "peer", "name", "host0", "netns", namespace)
            _run_ip("link", "add", "name", f"to-{place}", "netns", switch, *peer)
            _run_ip("-n", switch, "link", "set", f"to-{place}", "master", "bridge", "up")
            _run_ip("-n", namespace, "address", "add", f"{address}/16", "dev", "host0")
            _run_ip("-n", namespace, "link", "set", "host0", "up")
            _run_ip("-n", namespace, "link", "set", "lo", "up")

    def remove_namespaces(self) -> None:
        """Remove all namespaces."""
        for place in ("switch", *ADDRESS_OF_PLACE):
            subprocess.run(["ip", "netns", "del", self.namespace_of(place)], capture_output=True)

    def add_address(self, place: str, address: str) -> None:
        """Add another address at that place."""
        _run_ip("-n", self.namespace_of(place), "address", "add", f"{address}/16", "dev", "host0")

    def command_at(self, place: str, command: Sequence[str | Path]) -> list[str]:
        """Return the command line that runs a command at that place."""
        return ["ip", "netns", "exec", self.namespace_of(place), *map(str, command)]


def remove_left_over() -> None:
    """Remove the namespaces of ended runs."""
    for file in Path("/run/netns").glob(f"{NAME_PREFIX}*-*"):
        pid = file.name.removeprefix(NAME_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            subprocess.run(["ip", "netns", "del", file.name], capture_output=True)


def _run_ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
