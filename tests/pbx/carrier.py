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
        self.rings = False  # a call is not decided before `decide`
        self._undecided: list[tuple[str, tuple[str, int]]] = []
        self._one = threading.Lock()  # call after the other
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

    def decide(self) -> None:
        """Answer the calls that ring, or refuse them."""
        with self._one:
            self.rings = False
            for request, there in self._undecided:
                self._say(request, there)
            self._undecided.clear()

    def _answer(self) -> None:
        while not self._over:
            told, there = self._line.recvfrom(8192)
            request = told.decode("utf-8", "replace")
            method = request.partition(" ")[0]
            if self.silent or method in ("", "ACK", "SIP/2.0"):
                continue
            with self._one:
                if method == "INVITE" and self.rings:
                    self._undecided.append((request, there))
                    self._line.sendto(self._reply(request, "180 Ringing").encode(), there)
                else:
                    self._say(request, there)

    def _say(self, request: str, there: tuple[str, int]) -> None:
        refused = request.startswith("INVITE") and self.busy
        reply = self._reply(request, "486 Busy Here" if refused else "200 OK")
        self._line.sendto(reply.encode(), there)

    def _reply(self, request: str, status: str) -> str:
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*$", request, re.MULTILINE)
        lines = [f"SIP/2.0 {status}"]
        for line in map(str.strip, kept):
            lines.append(line + _TAG if line.startswith("To:") and ";tag=" not in line else line)
        lines.append(f"Contact: <sip:{self.address}:5060>")
        talks = request.startswith("INVITE") and status == "200 OK"
        body = _SOUND.format(self.address) if talks else ""
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + body
