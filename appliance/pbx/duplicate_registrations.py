"""Finds phones that are registered from two places: calls for one then reach the other."""

import ipaddress
import re
import socket
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx.ami import ActionRefused, Connection
from appliance.people import accounts

_WINDOW_SECONDS = 600.0  # the changes of a phone's place within this time are counted
_MIN_CHANGES = 3  # from this count on, two phones take the extension from each other
_MAX_SILENT_CHECKS = 3  # checks without an answer, after which a former place is given up
_ANSWER_TIMEOUT_SECONDS = 0.5  # for the answer of a former place
_CONTACT_URI = re.compile(r"sips?:(?:[^@]*@)?\[?([0-9a-fA-F.:]+?)\]?(?::(\d+))?(?:;|$)")
_CONNECTION_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_STATE_ESTABLISHED = "01"
_OPTIONS_REQUEST = (
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
class PhonePlace:
    """The network address at which a phone is reached."""

    host: str  # an IP address
    port: int
    is_udp: bool  # False: a connection (TCP, TLS)


@dataclass
class _PhoneHistory:
    """The current and the former place of a phone, and when it changed (monotonic seconds)."""

    current: PhonePlace
    former: PhonePlace | None = None  # while it is checked whether a phone still answers there
    previous_host: str = ""  # host of the place before the current one, even if `former` is None
    change_times: deque[float] = field(default_factory=deque)
    silent_checks: int = 0  # checks in a row in which the former place did not answer


class DuplicateRegistrations:
    """Finds extensions used by two desk phones, from the places where each was registered.

    A phone that moves no longer answers at its former place. If the former place still answers, or
    the place changes back and forth, two phones have the extension's password. Phones in a web page
    connect from the box itself and are left out.
    """

    def __init__(self) -> None:
        self._phones: dict[str, _PhoneHistory] = {}

    def find_duplicates(self, settings: Settings, asterisk: Connection) -> list[str]:
        """Return the extensions of two desk phones with both addresses: "1001: 10.0.0.5, 10.0.0.9".

        Each call is one check: it compares the current places with those of the last call. Raises
        Unreachable if Asterisk does not answer.
        """
        has_browser_phones = settings.asterisk.browser_phones
        desk_extensions = {
            user.extension
            for user in accounts.users_with_phone()
            if not (has_browser_phones and user.phone == "page")
        }
        contacts = _registered_places(asterisk)
        for extension in desk_extensions & contacts.keys():
            self._update_place(extension, contacts[extension])
        self._drop_reassigned_places(contacts)
        return [
            f"{extension}: {phone.current.host}, {phone.previous_host}"
            for extension in sorted(desk_extensions & self._phones.keys())
            if _has_two_phones(settings, extension, phone := self._phones[extension])
        ]

    def _update_place(self, extension: str, place: PhonePlace) -> None:
        """Record the current place of an extension; if its host changed, keep the former place."""
        phone = self._phones.get(extension)
        if not phone:
            self._phones[extension] = _PhoneHistory(place)
        elif phone.current.host != place.host:
            phone.current, phone.former, phone.silent_checks = place, phone.current, 0
            phone.previous_host = phone.former.host
            phone.change_times.append(time.monotonic())
        else:  # another port: the same phone, restarted
            phone.current = place

    def _drop_reassigned_places(self, contacts: dict[str, PhonePlace]) -> None:
        """Stop checking former places at which another extension is registered now.

        Addresses are reassigned (DHCP): the phone of the other extension would answer.
        """
        for extension, phone in self._phones.items():
            other_places = {place for name, place in contacts.items() if name != extension}
            if phone.former in other_places:
                phone.former = None


def _registered_places(asterisk: Connection) -> dict[str, PhonePlace]:
    """Return the place where each extension is registered, by extension.

    If one has several contacts, the last one counts.
    """
    try:
        events = asterisk.list_events("PJSIPShowContacts", "ContactListComplete")
    except ActionRefused:  # there is no contact
        return {}
    place_by_extension = {}
    for event in events:
        name, uri = event.get("Endpoint") or event.get("ObjectName", ""), event.get("Uri", "")
        if place := _parse_contact(uri):
            # Of the forms "1001", "1001;@hash", "1001@@hash" and "1001/sip:…", the extension.
            place_by_extension[name.partition("/")[0].partition("@")[0].partition(";")[0]] = place
    return place_by_extension


def _parse_contact(uri: str) -> PhonePlace | None:
    """Return the address and port in a contact's URI, if it contains an IP address.

    Without a parameter `transport` the phone uses UDP.
    """
    match = _CONTACT_URI.match(uri)
    if not match:
        return None
    try:
        host = str(ipaddress.ip_address(match[1]))
    except ValueError:  # a name instead of an address
        return None
    return PhonePlace(host, int(match[2] or 5060), "transport=" not in uri.lower())


def _has_two_phones(settings: Settings, extension: str, phone: _PhoneHistory) -> bool:
    """Return True if the place changed often, or a phone still answers at the former place.

    Changes before the last _WINDOW_SECONDS are removed from the history.
    """
    while phone.change_times and time.monotonic() - phone.change_times[0] > _WINDOW_SECONDS:
        phone.change_times.popleft()
    return len(phone.change_times) >= _MIN_CHANGES or _former_place_answers(
        settings, extension, phone
    )


def _former_place_answers(settings: Settings, extension: str, phone: _PhoneHistory) -> bool:
    """Check whether a phone still answers at the former place; returns False without such a place.

    A former place that did not answer _MAX_SILENT_CHECKS times in a row is forgotten.
    """
    former = phone.former
    if not former:
        return False
    if former.is_udp:
        is_in_use = _phone_responds(settings.asterisk.address, extension, former)
    else:
        is_in_use = _has_open_connection(former)
    phone.silent_checks = 0 if is_in_use else phone.silent_checks + 1
    if phone.silent_checks >= _MAX_SILENT_CHECKS:
        phone.former = None
    return is_in_use


def _phone_responds(local_address: str, extension: str, place: PhonePlace) -> bool:
    """Return True if a phone at `place` responds to a SIP request from Asterisk's own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp_socket:
        udp_socket.settimeout(_ANSWER_TIMEOUT_SECONDS)
        try:
            udp_socket.bind((local_address, 0))
            udp_socket.connect((place.host, place.port))
            source = "{}:{}".format(*udp_socket.getsockname())
            request = _OPTIONS_REQUEST.format(
                phone=extension, place=place.host, here=source, one=uuid.uuid4().hex
            )
            udp_socket.send(request.encode())
            return udp_socket.recv(4096).startswith(b"SIP/2.0 ")
        except (OSError, OverflowError):  # nothing there; an invalid port
            return False


def _has_open_connection(place: PhonePlace) -> bool:
    """Return True if a connection from that place is open on this machine."""
    expected = (_kernel_address(place.host), f"{place.port:04X}")
    for table in _CONNECTION_TABLES:
        for line in table.read_text("ascii").splitlines()[1:] if table.exists() else ():
            _, _, remote, state, *_ = line.split()
            host, _, port = remote.partition(":")
            # The table of IPv6 writes an IPv4 address with a prefix.
            if state == _STATE_ESTABLISHED and host.endswith(expected[0]) and port == expected[1]:
                return True
    return False


def _kernel_address(host: str) -> str:
    """Return an IP address as the kernel's connection tables write it.

    That is hexadecimal, with the bytes of each 32-bit word in reverse order.
    """
    packed = ipaddress.ip_address(host).packed
    words = [packed[at : at + 4][::-1] for at in range(0, len(packed), 4)]
    return b"".join(words).hex().upper()
