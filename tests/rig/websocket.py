"""A page's phone without the page: SIP over a WebSocket (RFC 6455, RFC 7118) through the front."""

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
_FINAL_FRAME, _MASKED = 0x80, 0x80
_TIMEOUT_SECONDS = 20


class SocketClosed(ConnectionError):
    """The other side closed the connection, or did not open it; the message has the reason."""


class SocketPhone:
    """One connection, open until it is closed; with TLS to the front, or without to Asterisk."""

    def __init__(self, address: tuple[str, int], cookie: str = "", *, use_tls: bool = True) -> None:
        self._name = f"{secrets.token_hex(6)}.invalid"
        self._buffer = b""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = socket.create_connection(address, _TIMEOUT_SECONDS)
        self._socket = context.wrap_socket(connection) if use_tls else connection
        self._open_websocket(address[0], cookie)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def register_phone(self, extension: str, host: str, password: str) -> int:
        """Register an extension; returns the status of the final response."""
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
                credentials = message.digest_authorization(
                    challenge, "REGISTER", uri, extension, password
                )
                headers.append(("Authorization", credentials))
            self._send_frame(_TEXT, message.encode_message(f"REGISTER {uri} SIP/2.0", headers))
            answer = self._final_response(call_id, number)
            status, challenge = answer.status, answer.get("www-authenticate")
            if status != 401:
                break
        return status

    def _final_response(self, call_id: str, number: int) -> Message:
        """The final response to a request; Asterisk's own requests are ignored."""
        while True:
            response = message.parse_message(self._next_text_frame())
            if (
                response
                and response.status >= 200
                and response.get("call-id") == call_id
                and response.get("cseq").startswith(f"{number} ")
            ):
                return response

    def _open_websocket(self, host: str, cookie: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        request_lines = [
            *("GET /ws HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"),
            *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"),
            *("Sec-WebSocket-Protocol: sip", f"Cookie: {cookie}", "", ""),
        ]
        self._socket.sendall("\r\n".join(request_lines).encode())
        while b"\r\n\r\n" not in self._buffer:
            self._receive_more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise SocketClosed(head.decode())

    def _send_frame(self, kind: int, data: bytes) -> None:
        """Send one frame; a client masks what it sends."""
        size, mask = len(data), os.urandom(4)
        length = bytes([_MASKED | size]) if size < 126 else struct.pack("!BH", _MASKED | 126, size)
        body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self._socket.sendall(bytes([_FINAL_FRAME | kind]) + length + mask + body)

    def _next_text_frame(self) -> bytes:
        """The data of the next text frame."""
        while True:
            kind, size = self._read_bytes(2)
            size &= 0x7F
            if size > 125:
                size = int.from_bytes(self._read_bytes(2 if size == 126 else 8))
            data = self._read_bytes(size)
            if kind & 0xF == _TEXT:
                return data
            if kind & 0xF == _PING:
                self._send_frame(_PONG, data)

    def _read_bytes(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive_more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _receive_more(self) -> None:
        if not (data := self._socket.recv(65_536)):
            raise SocketClosed("closed")
        self._buffer += data
