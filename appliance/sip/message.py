"""SIP messages and session descriptions: parsing and encoding, as far as the test calls need."""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NO_ADDRESS = "0.0.0.0"  # noqa: S104  in a session description: send nothing
_COMPACT_NAMES = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "c": "content-type",
}
_COMPACT_NAMES |= {"l": "content-length", "k": "supported", "r": "refer-to"}
_RESPONSE_LINE = re.compile(r"SIP/\d\.\d [1-6]\d\d( |$)", re.ASCII)
_REQUEST_LINE = re.compile(r"(?!SIP/)\S+ \S+ SIP/\d\.\d\s*$", re.ASCII)
Headers = Sequence[tuple[str, str]]


@dataclass
class Message:
    """A request or a response. Header names are in lower case."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start.split()[1]) if _is_response(self.start) else 0

    @property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    @property
    def uri(self) -> str:
        """The URI to which a request is sent."""
        return self.start.split()[1]

    @property
    def branch(self) -> str:
        """The identifier of the transaction to which the message belongs."""
        return find_parameter(self.get("via"), "branch")

    def get(self, name: str) -> str:
        """Return the first header of that name; "" if there is no such header."""
        return next((value for key, value in self.headers if key == name), "")

    def all_headers(self, name: str) -> list[str]:
        """Return every header of that name."""
        return [value for key, value in self.headers if key == name]


def parse_message(data: bytes) -> Message | None:
    """Return the message in a datagram; None for a keep-alive or an invalid message."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    if not (_RESPONSE_LINE.match(lines[0]) or _REQUEST_LINE.match(lines[0])):
        return None
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_COMPACT_NAMES.get(name, name), value.strip()))
    received = Message(lines[0], headers, body)
    is_complete = not received.status or received.get("cseq").split()
    return received if is_complete else None


def _is_response(start: str) -> bool:
    return start.startswith("SIP/")


def encode_message(start: str, headers: Iterable[tuple[str, str]], body: str = "") -> bytes:
    """Encode a message; its body, if any, must be a session description."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(body.encode())}", "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def encode_response(
    request: Message, status: int, tag: str, extra_headers: Headers = (), body: str = ""
) -> bytes:
    """Encode a response to a request."""
    to = request.get("to")
    if status > 100 and "tag=" not in to:
        to += f";tag={tag}"
    headers = [("Via", via) for via in request.all_headers("via")]
    headers += [("Record-Route", route) for route in request.all_headers("record-route")]
    headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id"))]
    headers += [("CSeq", request.get("cseq")), *extra_headers]
    return encode_message(f"SIP/2.0 {status} {_REASONS.get(status, 'Whatever')}", headers, body)


def new_branch() -> str:
    """Return a branch (the identifier of a transaction) that was never used before."""
    return "z9hG4bK" + secrets.token_hex(8)


def find_parameter(header: str, name: str) -> str:
    """Return a parameter that follows the address in a header; "" if it is missing."""
    outside = header.rpartition(">")[2]
    match = re.search(rf";\s*{name}=([^;,\s]+)", outside)
    return match[1] if match else ""


def header_uri(header: str) -> str:
    """Return the URI in a From, To, Contact or Route header."""
    match = re.search(r"<([^>]*)>", header)
    return match[1] if match else header.partition(";")[0].strip()


def sender_address(request: Message) -> tuple[str, int] | None:
    """Return (host, port) of a request's sender from its first Via, if it has a port."""
    host, _, port = request.get("via").partition(";")[0].split()[-1].rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None


def header_user(header: str) -> str:
    """Return the user part of the URI in a header: a number or an extension."""
    match = re.match(r"sips?:([^@;>]*)@", header_uri(header))
    return match[1] if match else ""


def answer_challenge(
    response: Message, method: str, uri: str, name: str, password: str
) -> tuple[str, str]:
    """Return the header (name, value) that answers the challenge of a 401, or of a proxy's 407."""
    is_proxy = response.status == 407
    challenge = response.get("proxy-authenticate" if is_proxy else "www-authenticate")
    credentials = digest_authorization(challenge, method, uri, name, password)
    return ("Proxy-Authorization" if is_proxy else "Authorization", credentials)


def digest_authorization(challenge: str, method: str, uri: str, name: str, password: str) -> str:
    """Return the value of the header that answers a digest challenge (RFC 2617, MD5)."""
    challenge_fields = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))

    def md5_hex(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = challenge_fields.get("realm", ""), challenge_fields.get("nonce", "")
    ha1, ha2 = md5_hex(name, realm, password), md5_hex(method, uri)
    head = f'Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    opaque = f', opaque="{challenge_fields["opaque"]}"' if "opaque" in challenge_fields else ""
    if "qop" not in challenge_fields:
        return f'{head}, response="{md5_hex(ha1, nonce, ha2)}", algorithm=MD5{opaque}'
    salt = secrets.token_hex(6)
    proof = md5_hex(ha1, nonce, "00000001", salt, "auth", ha2)
    return (
        f'{head}, response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{salt}"{opaque}'
    )


@dataclass(frozen=True)
class Session:
    """One side's description of its audio: where and in which form it expects to receive it."""

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


def parse_session(body: str) -> Session | None:
    """Return the other side's description of its audio, if the body has audio."""
    media = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", body, re.M)
    if not media:
        return None
    host = re.search(r"^c=IN IP4 (\S+)", body, re.M)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", body, re.M)
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", body, re.M)
    return Session(
        host[1] if host else NO_ADDRESS,
        int(media[1]),
        tuple(map(int, media[2].split())),
        direction[1] if direction else "sendrecv",
        int(events[1]) if events else None,
    )


_REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted"}
_REASONS |= {404: "Not Found", 480: "Temporarily Unavailable", 481: "Call Does Not Exist"}
_REASONS |= {486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here"}
_REASONS |= {491: "Request Pending", 503: "Service Unavailable", 603: "Decline"}
