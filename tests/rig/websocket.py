"""A phone in a page without the page: SIP over a WebSocket (RFC 6455, RFC 7118) by the front."""

import base64
import os
import secrets
import socket
import ssl
import struct
from typing import Self

from appliance.sip import message
from appliance.sip.message import Message

_TEXT, _PING, _PONG = 0x1, 0x9, 0xA
_LAST, _MASKED = 0x80, 0x80
_PATIENCE = 20  # seconds


class Closed(ConnectionError):
    """The other side has closed the connection, or did not open it; the message says how."""


class SocketPhone:
    """One connection, which stays open until it is closed; by TLS to the front, or to Asterisk."""

    def __init__(self, address: tuple[str, int], cookie: str = "", *, front: bool = True) -> None:
        self._name = f"{secrets.token_hex(6)}.invalid"
        self._bytes = b""
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        line = socket.create_connection(address, _PATIENCE)
        self._line = unchecked.wrap_socket(line) if front else line
        self._open(address[0], cookie)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def register(self, extension: str, host: str, password: str) -> int:
        """Register an extension; the status of the answer to the one with a password."""
        call_id, tag, uri = secrets.token_hex(8), secrets.token_hex(4), f"sip:{host}"
        challenge, status = "", 0
        for number in (1, 2):
            headers = [
                ("Via", f"SIP/2.0/WS {self._name};branch={message.new_branch()}"),
                ("From", f"<sip:{extension}@{host}>;tag={tag}"),
                ("To", f"<sip:{extension}@{host}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{number} REGISTER"),
                ("Contact", f"<sip:{extension}@{self._name};transport=ws>"),
                ("Expires", "600"),
                ("Max-Forwards", "70"),
            ]
            if challenge:
                proof = message.authorization(challenge, "REGISTER", uri, extension, password)
                headers.append(("Authorization", proof))
            self._send(_TEXT, message.text(f"REGISTER {uri} SIP/2.0", headers))
            answer = self._answer(call_id, number)
            status, challenge = answer.status, answer.get("www-authenticate")
            if status != 401:
                break
        return status

    def _answer(self, call_id: str, number: int) -> Message:
        """The answer to a request; what Asterisk asks itself is left unanswered."""
        while True:
            read = message.parse(self._frame())
            if (
                read
                and read.status >= 200
                and read.get("call-id") == call_id
                and read.get("cseq").startswith(f"{number} ")
            ):
                return read

    def _open(self, host: str, cookie: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        asked = [
            *("GET /ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"),
            *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"),
            *("Sec-WebSocket-Protocol: sip", f"Cookie: {cookie}", "", ""),
        ]
        self._line.sendall("\r\n".join(asked).encode())
        while b"\r\n\r\n" not in self._bytes:
            self._more()
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Closed(head.decode())

    def _send(self, kind: int, data: bytes) -> None:
        """One frame; a client masks what it sends."""
        size, mask = len(data), os.urandom(4)
        length = bytes([_MASKED | size]) if size < 126 else struct.pack("!BH", _MASKED | 126, size)
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self._line.sendall(bytes([_LAST | kind]) + length + mask + body)

    def _frame(self) -> bytes:
        """The next text."""
        while True:
            kind, size = self._take(2)
            size &= 0x7F
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8))
            data = self._take(size)
            if kind & 0xF == _TEXT:
                return data
            if kind & 0xF == _PING:
                self._send(_PONG, data)

    def _take(self, count: int) -> bytes:
        while len(self._bytes) < count:
            self._more()
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def _more(self) -> None:
        if not (read := self._line.recv(65_536)):
            raise Closed("closed")
        self._bytes += read
