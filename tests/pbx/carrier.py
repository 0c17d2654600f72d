"""A carrier's end of a SIP trunk: it answers, refuses calls, or falls silent."""

import contextlib
import re
import socket
import threading

_TAG_PARAMETER = ";tag=carrier"
_SDP_TEMPLATE = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
)


class Carrier:
    """Answers SIP requests on UDP port 5060 of an address while the context is open."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.silent = False
        self.busy = False
        self.rings = False  # a call stays undecided until `decide_calls`
        self._undecided: list[tuple[str, tuple[str, int]]] = []
        self._call_lock = threading.Lock()  # one call is handled at a time
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve_requests, daemon=True)
        self._is_closed = False

    def __enter__(self) -> "Carrier":
        self._line.bind((self.address, 5060))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._line.sendto(b"", (self.address, 5060))
        self._thread.join()
        self._line.close()

    def decide_calls(self) -> None:
        """Answer the ringing calls, or refuse them."""
        with self._call_lock:
            self.rings = False
            for request, sender in self._undecided:
                self._send_final_reply(request, sender)
            self._undecided.clear()

    def _serve_requests(self) -> None:
        while not self._is_closed:
            datagram, sender = self._line.recvfrom(8192)
            request = datagram.decode("utf-8", "replace")
            method = request.partition(" ")[0]
            if self.silent or method in ("", "ACK", "SIP/2.0"):
                continue
            with self._call_lock:
                if method == "INVITE" and self.rings:
                    self._undecided.append((request, sender))
                    self._line.sendto(self._reply_text(request, "180 Ringing").encode(), sender)
                else:
                    self._send_final_reply(request, sender)

    def _send_final_reply(self, request: str, sender: tuple[str, int]) -> None:
        refused = request.startswith("INVITE") and self.busy
        reply = self._reply_text(request, "486 Busy Here" if refused else "200 OK")
        self._line.sendto(reply.encode(), sender)

    def _reply_text(self, request: str, status: str) -> str:
        copied_headers = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*$", request, re.MULTILINE)
        lines = [f"SIP/2.0 {status}"]
        for line in map(str.strip, copied_headers):
            lines.append(
                line + _TAG_PARAMETER if line.startswith("To:") and ";tag=" not in line else line
            )
        lines.append(f"Contact: <sip:{self.address}:5060>")
        has_sound = request.startswith("INVITE") and status == "200 OK"
        body = _SDP_TEMPLATE.format(self.address) if has_sound else ""
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + body
