"""Phones that are registered from two places: the calls of one reach the other."""

import ipaddress
import re
import socket
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx.ami import Connection, Refused
from appliance.people import accounts

_WINDOW = 600.0  # seconds in which the changes of a phone's place are counted
_CHANGES = 3  # from which on two phones take the extension from each other
_SILENT = 3  # looks without an answer after which a former place is given up
_PATIENCE = 0.5  # seconds for the answer of a former place
_CONTACT = re.compile(r"sips?:(?:[^@]*@)?\[?([0-9a-fA-F.:]+?)\]?(?::(\d+))?(?:;|$)")
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_OPTIONS = (
    "OPTIONS sip:{phone}@{place} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {here};branch=z9hG4bK{one};rport\r\n"
    "From: <sip:hotline@{here}>;tag={one}\r\n"
    "To: <sip:{phone}@{place}>\r\n"
    "Call-ID: {one}@{here}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Contact: <sip:hotline@{here}>\r\n"
    "Max-Forwards: 5\r\n"
    "Content-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class Place:
    """Where a phone is reached."""

    host: str
    port: int
    is_udp: bool


@dataclass
class _Phone:
    """The place of a phone, the one before it, and when it changed (monotonic seconds)."""

    now: Place
    former: Place | None = None  # asked whether a phone still answers there
    last: str = ""  # host of the place before this one
    changed: deque[float] = field(default_factory=deque)
    silent: int = 0  # looks in a row at which nobody answered at the former place


class SecondPlaces:
    """Remembers where each phone on a desk was registered.

    A phone that moves no longer answers at its former place. Where the former place still answers,
    or the place changes to and fro, two phones have the extension's password. Phones in a page come
    from the box itself and are left out.
    """

    def __init__(self) -> None:
        self._phones: dict[str, _Phone] = {}

    def look(self, settings: Settings, asterisk: Connection) -> list[str]:
        """Extensions with two places, "1001: 10.0.0.5, 10.0.0.9". Raises Unreachable."""
        pages = settings.asterisk.browser_phones
        desks = {
            user.extension for user in accounts.with_phone() if not (pages and user.phone == "page")
        }
        contacts = _contacts(asterisk)
        for extension in desks & contacts.keys():
            self._see(extension, contacts[extension])
        self._leave_to_others(contacts)
        return [
            f"{extension}: {phone.now.host}, {phone.last}"
            for extension in sorted(desks & self._phones.keys())
            if _is_shared(settings, extension, phone := self._phones[extension])
        ]

    def _see(self, extension: str, place: Place) -> None:
        known = self._phones.get(extension)
        if not known:
            self._phones[extension] = _Phone(place)
        elif known.now.host != place.host:
            known.now, known.former, known.silent = place, known.now, 0
            known.last = known.former.host
            known.changed.append(time.monotonic())
        else:  # another port: the same phone, started again
            known.now = place

    def _leave_to_others(self, contacts: dict[str, Place]) -> None:
        """Ask no former place at which another extension is registered by now.

        Addresses are handed out again (DHCP): that one's phone would answer.
        """
        for extension, phone in self._phones.items():
            others = {place for name, place in contacts.items() if name != extension}
            if phone.former in others:
                phone.former = None


def _contacts(asterisk: Connection) -> dict[str, Place]:
    """Extension → where it is registered."""
    try:
        listed = asterisk.listed("PJSIPShowContacts", "ContactListComplete")
    except Refused:  # there is none
        return {}
    found = {}
    for event in listed:
        name, uri = event.get("Endpoint") or event.get("ObjectName", ""), event.get("Uri", "")
        if place := _place(uri):
            found[name.partition("/")[0].partition("@")[0].partition(";")[0]] = place
    return found


def _place(uri: str) -> Place | None:
    match = _CONTACT.match(uri)
    if not match:
        return None
    try:
        host = str(ipaddress.ip_address(match[1]))
    except ValueError:
        return None
    return Place(host, int(match[2] or 5060), "transport=" not in uri.lower())


def _is_shared(settings: Settings, extension: str, phone: _Phone) -> bool:
    while phone.changed and time.monotonic() - phone.changed[0] > _WINDOW:
        phone.changed.popleft()
    return len(phone.changed) >= _CHANGES or _is_there(settings, extension, phone)


def _is_there(settings: Settings, extension: str, phone: _Phone) -> bool:
    """Whether the former place still answers; one that is silent for long is no longer asked."""
    former = phone.former
    if not former:
        return False
    if former.is_udp:
        there = _answers(settings.asterisk.address, extension, former)
    else:
        there = _is_connected(former)
    phone.silent = 0 if there else phone.silent + 1
    if phone.silent >= _SILENT:
        phone.former = None
    return there


def _answers(here: str, extension: str, place: Place) -> bool:
    """Whether a phone answers there, asked from the address that it has as its exchange."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(_PATIENCE)
        try:
            line.bind((here, 0))
            line.connect((place.host, place.port))
            source = "{}:{}".format(*line.getsockname())
            words = _OPTIONS.format(
                phone=extension, place=place.host, here=source, one=uuid.uuid4().hex
            )
            line.send(words.encode())
            return line.recv(4096).startswith(b"SIP/2.0 ")
        except (OSError, OverflowError):  # nobody there; a port that is none
            return False


def _is_connected(place: Place) -> bool:
    """Whether a connection from there is open on this machine."""
    wanted = (_hex(place.host), f"{place.port:04X}")
    for table in _TABLES:
        for line in table.read_text("ascii").splitlines()[1:] if table.exists() else ():
            _, _, remote, state, *_ = line.split()
            host, _, port = remote.partition(":")
            if state == _ESTABLISHED and host.endswith(wanted[0]) and port == wanted[1]:
                return True
    return False


def _hex(host: str) -> str:
    """An address as the kernel's tables of connections have it."""
    packed = ipaddress.ip_address(host).packed
    words = [packed[at : at + 4][::-1] for at in range(0, len(packed), 4)]
    return b"".join(words).hex().upper()
