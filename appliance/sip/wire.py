"""An address on the wire: SIP's transactions over UDP, with retransmission."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from appliance.sip import message
from appliance.sip.media import Pump
from appliance.sip.message import Message

T1 = 0.5  # seconds until the first retransmission (RFC 3261)
GIVE_UP = 32.0


@dataclass
class _Sent:
    """A request of ours that waits for its final response."""

    data: bytes
    on_response: Callable[[Message], None]
    wait: float = T1
    waited: float = 0.0
    calmed: bool = False  # a provisional response came: an INVITE is not repeated any more
    timer: asyncio.TimerHandle | None = None


@dataclass
class Wire(asyncio.DatagramProtocol):
    """One UDP address that talks to one box; what comes goes to `_answered` and `_requested`."""

    host: str
    port: int
    box: tuple[str, int]
    pump: Pump = field(default_factory=Pump)
    deaf: bool = False  # nothing is answered any more, nothing heard
    strays: int = 0  # responses and requests that nobody here waits for
    _sent: dict[tuple[str, str], _Sent] = field(default_factory=dict)
    _answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for sent in self._sent.values():
            if sent.timer:
                sent.timer.cancel()
        if self._transport:
            self._transport.close()

    @property
    def here(self) -> str:
        """The address as it stands in headers."""
        return f"{self.host}:{self.port}"

    def via(self, branch: str) -> tuple[str, str]:
        """The header by which answers come back."""
        return ("Via", f"SIP/2.0/UDP {self.here};branch={branch};rport")

    def send(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """One datagram, to the box unless another is named."""
        if self._transport and not self._transport.is_closing() and not self.deaf:
            self._transport.sendto(data, to or self.box)

    def ask(
        self, branch: str, method: str, data: bytes, on_response: Callable[[Message], None]
    ) -> None:
        """Send a request, again and again, until a final response comes."""
        sent = self._sent[branch, method] = _Sent(data, on_response)
        self.send(data)
        self._repeat(branch, method, sent)

    def forget(self, branch: str, method: str) -> None:
        """Ask no more."""
        sent = self._sent.pop((branch, method), None)
        if sent and sent.timer:
            sent.timer.cancel()

    def _repeat(self, branch: str, method: str, sent: _Sent) -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            if self._sent.get((branch, method)) is not sent:
                return
            sent.waited += sent.wait
            if sent.calmed:
                return
            if sent.waited >= GIVE_UP:
                self.forget(branch, method)
                start = "SIP/2.0 408 Request Timeout"
                sent.on_response(Message(start, [("cseq", f"0 {method}")]))
                return
            self.send(sent.data)
            sent.wait = sent.wait * 2 if method == "INVITE" else min(4.0, sent.wait * 2)
            sent.timer = loop.call_later(sent.wait, again)

        sent.timer = loop.call_later(sent.wait, again)

    def answer(self, request: Message, data: bytes, to: tuple[str, int] | None = None) -> None:
        """Send a response, to the box unless another address is named.

        The same request again gets the same response.
        """
        self._answers[request.branch, request.method] = data
        if len(self._answers) > 5000:
            self._answers.pop(next(iter(self._answers)))
        self.send(data, to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Something came from the wire."""
        received = None if self.deaf else message.parse(data)
        if received is None:
            return
        if received.status:
            self._answered(received)
        elif received.method == "ACK" or not self._repeated(received):
            self._requested(received)

    def _answered(self, received: Message) -> None:
        key = (received.branch, received.method)
        sent = self._sent.get(key)
        if sent:
            if received.status >= 200:
                self.forget(*key)
            elif received.method == "INVITE":
                sent.calmed = True
            sent.on_response(received)
        else:
            self._answered_late(received)

    def _answered_late(self, received: Message) -> None:
        """A response to nothing that is still asked."""
        self.strays += 1

    def _repeated(self, received: Message) -> bool:
        known = self._answers.get((received.branch, received.method))
        if known:
            self.send(known)
        return known is not None

    def _requested(self, received: Message) -> None:
        """A request, or an ACK, that came for the first time."""
        raise NotImplementedError
