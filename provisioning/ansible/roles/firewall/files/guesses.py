#!/usr/bin/python3
"""guesses PORT [HOST:PORT FILE]: prints each address that sends a wrong password, a line each.

Anybody can forge the sender of a UDP packet, and Asterisk's log distinguishes a forged answer from
a real one as little as it shows where a caller's header ends. Only the host that receives packets
for an address sees the challenge sent to it; so this program captures challenges and answers on the
wire.

TLS cannot be captured, and nobody can forge the sender of a connection: for these, Asterisk itself
is queried, at HOST:PORT with the password in FILE; its events have a line for each of their fields.
"""

import collections
import ctypes
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator

CHALLENGE_LIFETIME_SECONDS = 60.0  # seconds that a challenge is stored; Asterisk accepts it for 32
MAX_CHALLENGES = 20_000  # challenges stored at once
PACKET_OUTGOING = 4  # value of the kernel's constant
ETH_P_ALL = 3  # with any other protocol, outgoing packets are not captured
SO_ATTACH_FILTER = 26
RECONNECT_SECONDS = 2.0  # seconds until the next connection to Asterisk
WRONG_PASSWORD_EVENTS = ("ChallengeResponseFailed", "InvalidPassword")
_STREAM_ADDRESS = re.compile(r"IPV4/(?:TCP|TLS)/([\d.]+)/\d+")
_NONCE = re.compile(rb'\bnonce="([^"\r\n]{8,100})"')
_CALL_ID_HEADER = re.compile(
    rb"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]{1,200})", re.MULTILINE | re.IGNORECASE
)
_CSEQ_HEADER = re.compile(rb"^CSeq[ \t]*:[ \t]*(\d{1,10})", re.MULTILINE | re.IGNORECASE)
_AUTHORIZATION_HEADER = re.compile(
    rb"^(?:Proxy-)?Authorization[ \t]*:", re.MULTILINE | re.IGNORECASE
)


class Challenges:
    """The challenges sent to each address, and the requests that answered them."""

    def __init__(self) -> None:
        self._sent_challenges: collections.OrderedDict[tuple[str, bytes], float] = (
            collections.OrderedDict()
        )
        self._answered_requests: collections.OrderedDict[tuple[str, bytes, bytes], float] = (
            collections.OrderedDict()
        )

    def receive_request(self, source: str, message: bytes, now: float) -> None:
        """Store a request that answers a challenge sent to this very address."""
        nonce, request_id = _NONCE.search(message), _request_identity(message)
        if not (nonce and request_id and _AUTHORIZATION_HEADER.search(message)):
            return
        if (
            now - self._sent_challenges.get((source, nonce[1]), -CHALLENGE_LIFETIME_SECONDS)
            < CHALLENGE_LIFETIME_SECONDS
        ):
            _store_recent(self._answered_requests, (source, *request_id), now)

    def receive_reply(self, target: str, message: bytes, now: float) -> bool:
        """Process an outgoing reply. Returns True if it rejects a wrong password."""
        if not message.startswith((b"SIP/2.0 401", b"SIP/2.0 407")):
            return False
        nonce, request_id = _NONCE.search(message), _request_identity(message)
        if nonce:
            _store_recent(self._sent_challenges, (target, nonce[1]), now)
        # A correct password with an old challenge is challenged again, with a stale mark.
        is_stale = b"stale=true" in message
        return bool(
            request_id and self._answered_requests.pop((target, *request_id), None) and not is_stale
        )


def _request_identity(message: bytes) -> tuple[bytes, bytes] | None:
    """Return the Call-ID and the CSeq number of a message, if it has both."""
    call_id, number = _CALL_ID_HEADER.search(message), _CSEQ_HEADER.search(message)
    return (call_id[1].strip(), number[1]) if call_id and number else None


def _store_recent[K](entries: "collections.OrderedDict[K, float]", key: K, now: float) -> None:
    """Store a key with its time, and drop the oldest keys beyond MAX_CHALLENGES."""
    entries[key] = now
    entries.move_to_end(key)
    while len(entries) > MAX_CHALLENGES:
        entries.popitem(last=False)


def open_packet_socket(port: int) -> socket.socket:
    """Return a socket for every IPv4 UDP packet from or to this port, filtered by the kernel."""
    program = (
        (0x28, 0, 0, 0xFFFFF000),  # the protocol of the frame
        (0x15, 0, 10, 0x0800),
        (0x30, 0, 0, 9),  # the protocol of the packet
        (0x15, 0, 8, socket.IPPROTO_UDP),
        (0x28, 0, 0, 6),  # not a later fragment of a packet
        (0x45, 6, 0, 0x1FFF),
        (0xB1, 0, 0, 0),  # the offset after the header
        (0x48, 0, 0, 0),
        (0x15, 2, 0, port),
        (0x48, 0, 0, 2),
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    )
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    packets.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code))
    )
    return packets


def wrong_password_addresses(lines: Iterable[str]) -> Iterator[str]:
    """Yield the addresses that sent a wrong password over TCP or TLS, from Asterisk's events."""
    facts: dict[str, str] = {}
    for line in lines:
        if line := line.removesuffix("\r\n"):
            name, _, value = line.partition(": ")
            facts[name] = value
            continue
        match = _STREAM_ADDRESS.fullmatch(facts.get("RemoteAddress", ""))
        if (
            match
            and facts.get("Event") in WRONG_PASSWORD_EVENTS
            and facts.get("Service") == "PJSIP"
        ):
            yield match[1]
        facts = {}


def follow_asterisk_events(host: str, port: str, secret_file: str) -> None:
    """Receive Asterisk's events about wrong passwords for ever.

    Asterisk may start later, restart, or get another password: both are read again after an error.
    Each new error is logged once.
    """
    last_error = ""
    while True:
        try:
            with (
                open(secret_file, encoding="ascii") as secret,
                socket.create_connection((host, int(port)), RECONNECT_SECONDS) as connection,
                connection.makefile(
                    encoding="utf-8", errors="replace", newline="\r\n"
                ) as event_lines,
            ):
                login_lines = (
                    "Action: Login",
                    "Username: guesses",
                    f"Secret: {secret.read().strip()}",
                )
                connection.sendall("\r\n".join((*login_lines, "Events: security", "", "")).encode())
                connection.settimeout(None)
                last_error = ""
                for address in wrong_password_addresses(event_lines):
                    report_address(address)
        except OSError as error:
            if str(error) != last_error:
                last_error = str(error)
                sys.stderr.write(f"Asterisk's events cannot be followed: {error}\n")
        time.sleep(RECONNECT_SECONDS)


def report_address(address: str) -> None:
    """Print the line for one address; fail2ban reads it."""
    sys.stdout.write(f"wrong password of a phone from {address}\n")
    sys.stdout.flush()


def main(port: int) -> None:
    """Capture packets for ever."""
    challenges = Challenges()
    with open_packet_socket(port) as packets:
        while True:
            packet, (_, _, kind, *_) = packets.recvfrom(65_535)
            message = packet[(packet[0] & 15) * 4 + 8 :]
            now = time.monotonic()
            if kind != PACKET_OUTGOING:
                challenges.receive_request(socket.inet_ntoa(packet[12:16]), message, now)
            elif challenges.receive_reply(address := socket.inet_ntoa(packet[16:20]), message, now):
                report_address(address)


if __name__ == "__main__":
    if asterisk_arguments := sys.argv[2:]:
        thread_arguments = (*asterisk_arguments[0].split(":"), asterisk_arguments[1])
        threading.Thread(target=follow_asterisk_events, args=thread_arguments, daemon=True).start()
    main(int(sys.argv[1]))
