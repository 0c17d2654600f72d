"""Carriers' names as addresses: looked up by us, with a limit, and remembered.

Asterisk is never given a name to look up: when names cannot be found any more, it would wait.
"""

import contextlib
import fcntl
import ipaddress
import queue
import socket
import struct
import threading
import time
from collections.abc import Iterable

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import HostAddress

_ADDRESS_OF = 0x8915  # SIOCGIFADDR
LIMIT = 3.0  # seconds for all look-ups together


def addresses(names: Iterable[str]) -> dict[str, list[str]]:
    """Name → its IPv4 addresses in order, those last known where it cannot be found now.

    An address is its own. A name that was never found has none.
    """
    names = list(dict.fromkeys(names))
    found = {name: [name] for name in names if _is_address(name)}
    for name, now in _looked_up([name for name in names if name not in found]).items():
        row = HostAddress.get_or_none(HostAddress.name == name)
        if now and (not row or row.addresses != now):
            with writing():
                HostAddress.replace(name=name, addresses=now, at=clock.now()).execute()
        found[name] = now or (row.addresses if row else [])
    return found


def known() -> dict[str, list[str]]:
    """Every name that was found once, with its addresses."""
    return {row.name: row.addresses for row in HostAddress.select()}


def remember(names: dict[str, list[str]]) -> None:
    """Know these from elsewhere."""
    with writing():
        for name, found in names.items():
            HostAddress.replace(name=name, addresses=found, at=clock.now()).execute()


def outward() -> str:
    """This machine's own IPv4 address towards other networks; "" where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # asks for the way there; nothing is sent
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def own(settings: Settings) -> set[str]:
    """The IPv4 addresses of this machine: of Asterisk, and of each network interface."""
    found = {settings.asterisk.address, settings.asterisk.inside, "127.0.0.1", outward()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for _number, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            with contextlib.suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(line, _ADDRESS_OF, request)
                found.add(socket.inet_ntoa(answer[20:24]))
    return found - {""}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _looked_up(names: list[str]) -> dict[str, list[str]]:
    """In threads that nobody waits for beyond LIMIT: a lost look-up cannot be stopped."""
    told: queue.Queue[tuple[str, list[str]]] = queue.Queue()

    def look_up(name: str) -> None:
        try:
            infos = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
        except (OSError, UnicodeError):  # nothing that could be a name, too
            infos = []
        told.put((name, sorted({str(info[4][0]) for info in infos})))

    for name in names:
        threading.Thread(target=look_up, args=(name,), daemon=True).start()
    found: dict[str, list[str]] = {name: [] for name in names}
    end = time.monotonic() + LIMIT
    for _ in names:
        try:
            name, addresses = told.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[name] = addresses
    return found
