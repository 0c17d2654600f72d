#!/usr/bin/python3
"""guesses PORT [HOST:PORT FILE]: names who answers a challenge with a wrong password, a line each.

Anybody can write any sender on a UDP packet, and Asterisk's log tells a made-up answer from a real
one as little as it tells where a caller's header ends. Only who receives what is sent to an address
knows the challenge in it; so this reads along on the wire, challenges and answers.

Nobody reads along on TLS, and nobody makes up the sender of a connection: there Asterisk itself is
asked, at HOST:PORT with the password in FILE, whose events have a line for each of their facts.
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

LASTS = 60.0  # seconds that a challenge is remembered; Asterisk takes it for 32
MOST = 20_000  # challenges remembered at once
OUTGOING = 4  # PACKET_OUTGOING
EVERY = 3  # ETH_P_ALL: with any other kind what goes out is not seen
ATTACH_FILTER = 26
AGAIN = 2.0  # seconds until Asterisk is asked again
WRONG = ("ChallengeResponseFailed", "InvalidPassword")
_CONNECTED = re.compile(r"IPV4/(?:TCP|TLS)/([\d.]+)/\d+")
_NONCE = re.compile(rb'\bnonce="([^"\r\n]{8,100})"')
_CALL = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]{1,200})", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(rb"^CSeq[ \t]*:[ \t]*(\d{1,10})", re.MULTILINE | re.IGNORECASE)
_ANSWER = re.compile(rb"^(?:Proxy-)?Authorization[ \t]*:", re.MULTILINE | re.IGNORECASE)


class Challenges:
    """What was asked of whom, and what was answered."""

    def __init__(self) -> None:
        self._sent: collections.OrderedDict[tuple[str, bytes], float] = collections.OrderedDict()
        self._answers: collections.OrderedDict[tuple[str, bytes, bytes], float] = (
            collections.OrderedDict()
        )

    def came(self, source: str, message: bytes, now: float) -> None:
        """A request with an answer to a challenge that was sent to this very address."""
        nonce, request = _NONCE.search(message), _request(message)
        if not (nonce and request and _ANSWER.search(message)):
            return
        if now - self._sent.get((source, nonce[1]), -LASTS) < LASTS:
            _keep(self._answers, (source, *request), now)

    def went(self, target: str, message: bytes, now: float) -> bool:
        """A reply of ours; whether it turns a wrong password away."""
        if not message.startswith((b"SIP/2.0 401", b"SIP/2.0 407")):
            return False
        nonce, request = _NONCE.search(message), _request(message)
        if nonce:
            _keep(self._sent, (target, nonce[1]), now)
        # A right password with an old challenge is asked for once more, and told so.
        stale = b"stale=true" in message
        return bool(request and self._answers.pop((target, *request), None) and not stale)


def _request(message: bytes) -> tuple[bytes, bytes] | None:
    call, number = _CALL.search(message), _NUMBER.search(message)
    return (call[1].strip(), number[1]) if call and number else None


def _keep[K](known: "collections.OrderedDict[K, float]", key: K, now: float) -> None:
    known[key] = now
    known.move_to_end(key)
    while len(known) > MOST:
        known.popitem(last=False)


def wire(port: int) -> socket.socket:
    """Every UDP packet of IPv4 from or to this port, out of the kernel's filter."""
    program = (
        (0x28, 0, 0, 0xFFFFF000),  # what the frame bears
        (0x15, 0, 10, 0x0800),
        (0x30, 0, 0, 9),  # the protocol
        (0x15, 0, 8, socket.IPPROTO_UDP),
        (0x28, 0, 0, 6),  # not the later part of a packet in pieces
        (0x45, 6, 0, 0x1FFF),
        (0xB1, 0, 0, 0),  # behind the header
        (0x48, 0, 0, 0),
        (0x15, 2, 0, port),
        (0x48, 0, 0, 2),
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY))
    made.setsockopt(
        socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code))
    )
    return made


def connected(lines: Iterable[str]) -> Iterator[str]:
    """The addresses that sent a wrong password over TCP or TLS, out of Asterisk's events."""
    facts: dict[str, str] = {}
    for line in lines:
        if line := line.removesuffix("\r\n"):
            name, _, value = line.partition(": ")
            facts[name] = value
            continue
        found = _CONNECTED.fullmatch(facts.get("RemoteAddress", ""))
        if found and facts.get("Event") in WRONG and facts.get("Service") == "PJSIP":
            yield found[1]
        facts = {}


def ask(host: str, port: str, file: str) -> None:
    """Hear for ever what Asterisk tells of wrong passwords; it may be started later, or anew."""
    while True:
        try:
            with (
                open(file, encoding="ascii") as secret,
                socket.create_connection((host, int(port)), AGAIN) as line,
                line.makefile(encoding="utf-8", errors="replace", newline="\r\n") as told,
            ):
                words = ("Action: Login", "Username: guesses", f"Secret: {secret.read().strip()}")
                line.sendall("\r\n".join((*words, "Events: security", "", "")).encode())
                line.settimeout(None)
                for address in connected(told):
                    name(address)
        except OSError:
            pass  # Asterisk is away, or its password another one: both are read anew
        time.sleep(AGAIN)


def name(address: str) -> None:
    """Tell of one; who shuts out reads it."""
    sys.stdout.write(f"wrong password of a phone from {address}\n")
    sys.stdout.flush()


def main(port: int) -> None:
    """Read along for ever."""
    challenges = Challenges()
    with wire(port) as packets:
        while True:
            packet, (_, _, kind, *_) = packets.recvfrom(65_535)
            message = packet[(packet[0] & 15) * 4 + 8 :]
            now = time.monotonic()
            if kind != OUTGOING:
                challenges.came(socket.inet_ntoa(packet[12:16]), message, now)
            elif challenges.went(address := socket.inet_ntoa(packet[16:20]), message, now):
                name(address)


if __name__ == "__main__":
    if asked := sys.argv[2:]:
        where = (*asked[0].split(":"), asked[1])
        threading.Thread(target=ask, args=where, daemon=True).start()
    main(int(sys.argv[1]))
