"""A carrier's end of a SIP trunk: it answers, refuses calls, or falls silent."""

import contextlib
import re
import socket
import threading

_TAG = ";tag=carrier"
_SOUND = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"


class Carrier:
    """Answers on UDP port 5060 of an address while the context lasts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.silent = False
        self.busy = False
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._over = False

    def __enter__(self) -> "Carrier":
        self._line.bind((self.address, 5060))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        with contextlib.suppress(OSError):
            self._line.sendto(b"", (self.address, 5060))
        self._thread.join()
        self._line.close()

    def _answer(self) -> None:
        while not self._over:
            told, there = self._line.recvfrom(8192)
            request = told.decode("utf-8", "replace")
            method = request.partition(" ")[0]
            if self.silent or method in ("", "ACK", "SIP/2.0"):
                continue
            refused = method == "INVITE" and self.busy
            self._line.sendto(self._reply(request, method, refused).encode(), there)

    def _reply(self, request: str, method: str, refused: bool) -> str:
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*$", request, re.MULTILINE)
        lines = ["SIP/2.0 486 Busy Here" if refused else "SIP/2.0 200 OK"]
        for line in map(str.strip, kept):
            lines.append(line + _TAG if line.startswith("To:") and ";tag=" not in line else line)
        lines.append(f"Contact: <sip:{self.address}:5060>")
        body = _SOUND.format(self.address) if method == "INVITE" and not refused else ""
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + body
