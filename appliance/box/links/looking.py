"""One look at each link. None may take longer than the others can wait."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.box.links.parties import Party

LIMIT = 8.0  # seconds for all looks together
_ONE = 5.0  # seconds for one
_ROUTES = Path("/proc/net/route")
_ECHO = struct.pack(">BBHHH", 8, 0, 0xF7FE, 0, 1)  # echo request; its checksum is ~(0x0800 + 1)


@dataclass(frozen=True)
class Look:
    """Whether a link works; `seen` is a code of SEEN."""

    up: bool
    seen: str


SEEN = ("answers", "timeout", "refused", "unreachable", "no_name", "no_gateway", "not_allowed")


def look(parties: Iterable[Party]) -> dict[str, Look]:
    """Name → what was seen, of every party; one that does not answer in time is down."""
    found: dict[str, Look] = {}

    def one(party: Party) -> None:
        found[party.name] = _look(party)

    parties = list(parties)
    # Threads that nobody waits for: a lost look-up of a name cannot be stopped.
    threads = [threading.Thread(target=one, args=(party,), daemon=True) for party in parties]
    end = time.monotonic() + LIMIT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return {party.name: found.get(party.name, Look(False, "timeout")) for party in parties}


def default_gateway(routes: Path = _ROUTES) -> str | None:
    """The router that the kernel sends everything else to, or None."""
    with contextlib.suppress(OSError):
        for line in routes.read_text("ascii").splitlines()[1:]:
            _interface, destination, gateway, *_rest = line.split()
            if destination == "00000000" and gateway != "00000000":
                return socket.inet_ntoa(struct.pack("<I", int(gateway, 16)))
    return None


def own_name_is_known(hosts: Path = Path("/etc/hosts"), name: str = "") -> bool:
    """Whether this machine finds its own name, by IPv4 and IPv6, without a name server."""
    kinds = set()
    with contextlib.suppress(OSError):
        for line in hosts.read_text("utf-8", "replace").splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            if (name or socket.gethostname()) in names:
                kinds.add(":" in address)
    return kinds == {True, False}


def may_ping() -> bool:
    """Whether this account may ask for an echo, as `net.ipv4.ping_group_range` has it."""
    try:
        _echo_line()[0].close()
    except OSError:
        return False
    return True


def _look(party: Party) -> Look:
    looks: dict[str, Callable[[str], None]] = {"ping": _ping, "names": _names, "tcp": _connect}
    try:
        looks[party.how](party.target)
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


def _connect(target: str) -> None:
    host, _, port = target.rpartition(":")
    socket.create_connection((host, int(port)), _ONE).close()


def _names(target: str) -> None:
    socket.getaddrinfo(target, None)


def _ping(target: str) -> None:
    """Ask for an echo, and wait for it."""
    address = default_gateway() if target == "auto" else target
    if not address:
        raise LookupError(target)
    line, before = _echo_line()
    with line:
        line.settimeout(_ONE)
        line.connect((address, 0))
        line.send(_ECHO)
        while line.recv(256)[before:][:1] != b"\0":  # no echo reply
            pass


def _echo_line() -> tuple[socket.socket, int]:
    """A socket for echoes, and how many bytes stand before one.

    It needs no rights where `net.ipv4.ping_group_range` allows it.
    """
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP), 0
    except PermissionError:  # for root; a raw socket hands over the IP header too
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP), 20
