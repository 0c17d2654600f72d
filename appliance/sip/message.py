"""SIP messages and session descriptions: read, written, no more of them than the trials need."""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOWHERE = "0.0.0.0"  # noqa: S104  in a session description: send nothing
_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "c": "content-type"}
_SHORT |= {"l": "content-length", "k": "supported", "r": "refer-to"}
_RESPONSE = re.compile(r"SIP/\d\.\d [1-6]\d\d( |$)", re.ASCII)
_REQUEST = re.compile(r"(?!SIP/)\S+ \S+ SIP/\d\.\d\s*$", re.ASCII)
Headers = Sequence[tuple[str, str]]


@dataclass
class Message:
    """A request or a response. Header names are in small letters."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""

    @property
    def status(self) -> int:
        """The status of a response, 0 for a request."""
        return int(self.start.split()[1]) if _is_response(self.start) else 0

    @property
    def method(self) -> str:
        """The method of a request, also of the one that a response answers."""
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    @property
    def uri(self) -> str:
        """Where a request goes."""
        return self.start.split()[1]

    @property
    def branch(self) -> str:
        """What tells one transaction from another."""
        return parameter(self.get("via"), "branch")

    def get(self, name: str) -> str:
        """The first header of that name, "" for none."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self.headers if key == name]


def parse(data: bytes) -> Message | None:
    """The message of a datagram; None for a keep-alive or what is no message."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if not (_RESPONSE.match(lines[0]) or _REQUEST.match(lines[0])):
        return None
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_SHORT.get(name, name), value.strip()))
    received = Message(lines[0], headers, body)
    is_whole = not received.status or received.get("cseq").split()
    return received if is_whole else None


def _is_response(start: str) -> bool:
    return start.startswith("SIP/")


def text(start: str, headers: Iterable[tuple[str, str]], body: str = "") -> bytes:
    """A message as it is sent; a body is a session description."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(body.encode())}", "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def response(request: Message, status: int, tag: str, more: Headers = (), body: str = "") -> bytes:
    """An answer to a request."""
    to = request.get("to")
    if status > 100 and "tag=" not in to:
        to += f";tag={tag}"
    headers = [("Via", via) for via in request.all("via")]
    headers += [("Record-Route", route) for route in request.all("record-route")]
    headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id"))]
    headers += [("CSeq", request.get("cseq")), *more]
    return text(f"SIP/2.0 {status} {_REASONS.get(status, 'Whatever')}", headers, body)


def new_branch() -> str:
    """A branch nobody used before."""
    return "z9hG4bK" + secrets.token_hex(8)


def parameter(header: str, name: str) -> str:
    """A parameter behind a header's address, "" for none."""
    outside = header.rpartition(">")[2]
    match = re.search(rf";\s*{name}=([^;,\s]+)", outside)
    return match[1] if match else ""


def address(header: str) -> str:
    """The URI in a From, To, Contact or Route."""
    match = re.search(r"<([^>]*)>", header)
    return match[1] if match else header.partition(";")[0].strip()


def sender(request: Message) -> tuple[str, int] | None:
    """Where a request came from, as its first Via says; None when it names no port."""
    host, _, port = request.get("via").partition(";")[0].split()[-1].rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None


def user(header: str) -> str:
    """The user part of a header's URI: a number or an extension."""
    match = re.match(r"sips?:([^@;>]*)@", address(header))
    return match[1] if match else ""


def authorization(challenge: str, method: str, uri: str, name: str, password: str) -> str:
    """The answer to a digest challenge (RFC 2617, MD5)."""
    facts = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = facts.get("realm", ""), facts.get("nonce", "")
    secret, what = md5(name, realm, password), md5(method, uri)
    head = f'Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    opaque = f', opaque="{facts["opaque"]}"' if "opaque" in facts else ""
    if "qop" not in facts:
        return f'{head}, response="{md5(secret, nonce, what)}", algorithm=MD5{opaque}'
    once = secrets.token_hex(6)
    proof = md5(secret, nonce, "00000001", once, "auth", what)
    return (
        f'{head}, response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{once}"{opaque}'
    )


@dataclass(frozen=True)
class Session:
    """One side's description of the sound: where it is wanted and in which form."""

    host: str
    port: int
    kinds: tuple[int, ...]  # RTP payload types
    direction: str = "sendrecv"
    events: int | None = None  # payload type of RFC 4733 keys

    def __str__(self) -> str:
        names = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 3: "GSM/8000", 18: "G729/8000"}
        kinds = " ".join(map(str, self.kinds))
        lines = [
            "v=0",
            f"o=- {secrets.randbelow(10**9)} {secrets.randbelow(10**9)} IN IP4 {self.host}",
        ]
        lines += ["s=-", f"c=IN IP4 {self.host}", "t=0 0", f"m=audio {self.port} RTP/AVP {kinds}"]
        for kind in self.kinds:
            if kind == self.events:
                lines += [f"a=rtpmap:{kind} telephone-event/8000", f"a=fmtp:{kind} 0-15"]
            elif kind in names:
                lines.append(f"a=rtpmap:{kind} {names[kind]}")
        return "\r\n".join([*lines, "a=ptime:20", f"a={self.direction}", ""])


def session(body: str) -> Session | None:
    """The other side's description; None when there is none."""
    media = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", body, re.M)
    if not media:
        return None
    host = re.search(r"^c=IN IP4 (\S+)", body, re.M)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", body, re.M)
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", body, re.M)
    return Session(
        host[1] if host else NOWHERE,
        int(media[1]),
        tuple(map(int, media[2].split())),
        direction[1] if direction else "sendrecv",
        int(events[1]) if events else None,
    )


_REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted"}
_REASONS |= {404: "Not Found", 480: "Temporarily Unavailable", 481: "Call Does Not Exist"}
_REASONS |= {486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here"}
_REASONS |= {491: "Request Pending", 503: "Service Unavailable", 603: "Decline"}
