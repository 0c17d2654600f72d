"""IPv4 addresses of the carriers' host names, looked up with a time limit and stored.

Asterisk never gets a host name to look up, because it would block when the name server is
unreachable.
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
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import HostAddress

_SIOCGIFADDR = 0x8915  # the ioctl request for an interface's address
LOOKUP_TIMEOUT_SECONDS = 3.0  # for all look-ups together


def resolve_addresses(names: Iterable[str]) -> dict[str, list[str]]:
    """Map each name to its sorted IPv4 addresses, or to those stored last if the look-up fails.

    An IP address maps to itself. A name that was never resolved maps to an empty list.
    """
    names = list(dict.fromkeys(names))
    addresses_by_name = {name: [name] for name in names if _is_ip_address(name)}
    for name, current_addresses in _look_up_names(
        [name for name in names if name not in addresses_by_name]
    ).items():
        row = HostAddress.get_or_none(HostAddress.name == name)
        if current_addresses and (not row or row.addresses != current_addresses):
            with write_transaction():
                HostAddress.replace(
                    name=name, addresses=current_addresses, at=clock.now()
                ).execute()
        addresses_by_name[name] = current_addresses or (row.addresses if row else [])
    return addresses_by_name


def stored_addresses() -> dict[str, list[str]]:
    """Map every name that was ever resolved to its stored addresses."""
    return {row.name: row.addresses for row in HostAddress.select()}


def store_addresses(addresses_by_name: dict[str, list[str]]) -> None:
    """Store addresses that were resolved elsewhere."""
    with write_transaction():
        for name, host_addresses in addresses_by_name.items():
            HostAddress.replace(name=name, addresses=host_addresses, at=clock.now()).execute()


def outward_address() -> str:
    """Return this machine's IPv4 address towards other networks; "" if it has no such address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # only determines the route; nothing is sent
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def own_addresses(settings: Settings) -> set[str]:
    """Return the IPv4 addresses of this machine: Asterisk's, and one of each interface."""
    machine_addresses = {
        settings.asterisk.address,
        settings.asterisk.inside,
        "127.0.0.1",
        outward_address(),
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _number, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            with contextlib.suppress(OSError):  # an interface without an address
                reply = fcntl.ioctl(probe, _SIOCGIFADDR, request)
                machine_addresses.add(socket.inet_ntoa(reply[20:24]))
    return machine_addresses - {""}


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _look_up_names(names: list[str]) -> dict[str, list[str]]:
    """Look the names up in parallel threads and return the results within the limit.

    The threads are not joined: a hanging look-up cannot be stopped.
    """
    results: queue.Queue[tuple[str, list[str]]] = queue.Queue()

    def look_up_name(name: str) -> None:
        try:
            infos = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
        except (OSError, UnicodeError):  # UnicodeError: the text cannot be a host name
            infos = []
        results.put((name, sorted({str(info[4][0]) for info in infos})))

    for name in names:
        threading.Thread(target=look_up_name, args=(name,), daemon=True).start()
    addresses_by_name: dict[str, list[str]] = {name: [] for name in names}
    deadline = time.monotonic() + LOOKUP_TIMEOUT_SECONDS
    for _ in names:
        try:
            name, addresses = results.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        addresses_by_name[name] = addresses
    return addresses_by_name
