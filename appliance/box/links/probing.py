"""Probes each link once, within a time limit for all links together."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.box.links.parties import Party

TOTAL_TIMEOUT_SECONDS = 8.0  # for all links together
_PROBE_TIMEOUT_SECONDS = 5.0  # for a single link
_ROUTES_FILE = Path("/proc/net/route")
# echo request; its checksum is ~(0x0800 + 1)
_ECHO_REQUEST = struct.pack(">BBHHH", 8, 0, 0xF7FE, 0, 1)


@dataclass(frozen=True)
class Look:
    """The result of one check of a link: whether it works. `seen` is one of LOOK_OUTCOMES."""

    up: bool
    seen: str


LOOK_OUTCOMES = (
    "answers",
    "timeout",
    "refused",
    "unreachable",
    "no_name",
    "no_gateway",
    "not_allowed",
)


def look_at_parties(parties: Iterable[Party]) -> dict[str, Look]:
    """Check all parties; returns looks by party name. One that does not answer in time is down."""
    looks: dict[str, Look] = {}

    def look_at_party(party: Party) -> None:
        looks[party.name] = _probe_party(party)

    parties = list(parties)
    # The threads may outlive this function: a hanging name look-up cannot be stopped.
    threads = [
        threading.Thread(target=look_at_party, args=(party,), daemon=True) for party in parties
    ]
    deadline = time.monotonic() + TOTAL_TIMEOUT_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {party.name: looks.get(party.name, Look(False, "timeout")) for party in parties}


def default_gateway(routes: Path = _ROUTES_FILE) -> str | None:
    """Return the kernel's default gateway, if any."""
    with contextlib.suppress(OSError):
        for line in routes.read_text("ascii").splitlines()[1:]:
            _interface, destination, gateway, *_rest = line.split()
            if destination == "00000000" and gateway != "00000000":
                return socket.inet_ntoa(struct.pack("<I", int(gateway, 16)))
    return None


def has_own_name_entries(hosts: Path = Path("/etc/hosts"), name: str = "") -> bool:
    """Whether /etc/hosts has both an IPv4 and an IPv6 address for this machine's own name."""
    has_colon = set()
    with contextlib.suppress(OSError):
        for line in hosts.read_text("utf-8", "replace").splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            if (name or socket.gethostname()) in names:
                has_colon.add(":" in address)
    return has_colon == {True, False}


def can_ping() -> bool:
    """Whether `net.ipv4.ping_group_range` lets this account send an echo request."""
    try:
        _echo_socket()[0].close()
    except OSError:
        return False
    return True


def _probe_party(party: Party) -> Look:
    probes: dict[str, Callable[[str], None]] = {
        "ping": _probe_echo,
        "names": _probe_names,
        "tcp": _probe_tcp,
    }
    try:
        probes[party.probe_method](party.target)
    except (socket.gaierror, UnicodeError):
        return Look(False, "no_name")
    except TimeoutError:
        return Look(False, "timeout")
    except ConnectionRefusedError:
        return Look(False, "refused")
    except PermissionError:
        return Look(False, "not_allowed")
    except LookupError:
        return Look(False, "no_gateway")
    except OSError:
        return Look(False, "unreachable")
    return Look(True, "answers")


def _probe_tcp(target: str) -> None:
    host, _, port = target.rpartition(":")
    socket.create_connection((host, int(port)), _PROBE_TIMEOUT_SECONDS).close()


def _probe_names(target: str) -> None:
    socket.getaddrinfo(target, None)


def _probe_echo(target: str) -> None:
    """Send an echo request and wait for the reply."""
    address = default_gateway() if target == "auto" else target
    if not address:
        raise LookupError(target)
    echo, header_bytes = _echo_socket()
    with echo:
        echo.settimeout(_PROBE_TIMEOUT_SECONDS)
        echo.connect((address, 0))
        echo.send(_ECHO_REQUEST)
        while echo.recv(256)[header_bytes:][:1] != b"\0":  # not an echo reply
            pass


def _echo_socket() -> tuple[socket.socket, int]:
    """Return a socket for echo requests, and the number of bytes that precede a received reply.

    It needs no privileges where `net.ipv4.ping_group_range` allows it.
    """
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP), 0
    except PermissionError:  # for root: a raw socket also delivers the IP header
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP), 20
