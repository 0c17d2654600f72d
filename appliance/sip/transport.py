"""A UDP address with SIP's transactions: retransmission, and matching responses to requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from appliance.sip import message
from appliance.sip.media import MediaClock
from appliance.sip.message import Message

FIRST_RETRANSMISSION_SECONDS = 0.5  # seconds until the first retransmission (RFC 3261)
REQUEST_TIMEOUT_SECONDS = 32.0


@dataclass
class _PendingRequest:
    """One of our requests that waits for its final response."""

    data: bytes
    on_response: Callable[[Message], None]
    wait: float = FIRST_RETRANSMISSION_SECONDS
    total_wait: float = 0.0
    has_provisional: bool = False  # a 1xx was received: an INVITE is no longer retransmitted
    timer: asyncio.TimerHandle | None = None


@dataclass
class SipTransport(asyncio.DatagramProtocol):
    """One UDP address that exchanges SIP messages with one appliance, at the address `box`.

    Messages from it are passed to `_handle_response` and `_handle_request`.
    """

    host: str
    port: int
    box: tuple[str, int]
    clock: MediaClock = field(default_factory=MediaClock)
    ignores_traffic: bool = False  # no message is sent or processed any more
    stray_count: int = 0  # responses and requests without a matching transaction or call
    _pending_requests: dict[tuple[str, str], _PendingRequest] = field(default_factory=dict)
    _sent_responses: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for sent in self._pending_requests.values():
            if sent.timer:
                sent.timer.cancel()
        if self._transport:
            self._transport.close()

    @property
    def host_port(self) -> str:
        """The own address in the form used in headers."""
        return f"{self.host}:{self.port}"

    def via_header(self, branch: str) -> tuple[str, str]:
        """Return the Via header, which directs the response back to this address."""
        return ("Via", f"SIP/2.0/UDP {self.host_port};branch={branch};rport")

    def send_datagram(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        """Send one datagram, to the appliance unless `to` is set."""
        if self._transport and not self._transport.is_closing() and not self.ignores_traffic:
            self._transport.sendto(data, to or self.box)

    def send_request(
        self, branch: str, method: str, data: bytes, on_response: Callable[[Message], None]
    ) -> None:
        """Send a request, and retransmit it until a final response arrives.

        `on_response` receives each response; after a timeout, it receives a status 408.
        """
        sent = self._pending_requests[branch, method] = _PendingRequest(data, on_response)
        self.send_datagram(data)
        self._schedule_retransmission(branch, method, sent)

    def stop_retransmission(self, branch: str, method: str) -> None:
        """Stop retransmitting a request."""
        sent = self._pending_requests.pop((branch, method), None)
        if sent and sent.timer:
            sent.timer.cancel()

    def _schedule_retransmission(self, branch: str, method: str, sent: _PendingRequest) -> None:
        loop = asyncio.get_running_loop()

        def retransmit() -> None:
            if self._pending_requests.get((branch, method)) is not sent:
                return
            sent.total_wait += sent.wait
            if sent.has_provisional:
                return
            if sent.total_wait >= REQUEST_TIMEOUT_SECONDS:
                self.stop_retransmission(branch, method)
                start = "SIP/2.0 408 Request Timeout"
                sent.on_response(Message(start, [("cseq", f"0 {method}")]))
                return
            self.send_datagram(sent.data)
            sent.wait = sent.wait * 2 if method == "INVITE" else min(4.0, sent.wait * 2)
            sent.timer = loop.call_later(sent.wait, retransmit)

        sent.timer = loop.call_later(sent.wait, retransmit)

    def send_response(
        self, request: Message, data: bytes, to: tuple[str, int] | None = None
    ) -> None:
        """Send a response, to the appliance unless `to` is set.

        If the request is received again, it gets the same response.
        """
        self._sent_responses[request.branch, request.method] = data
        if len(self._sent_responses) > 5000:
            self._sent_responses.pop(next(iter(self._sent_responses)))
        self.send_datagram(data, to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Handle a received datagram."""
        received = None if self.ignores_traffic else message.parse_message(data)
        if received is None:
            return
        if received.status:
            self._handle_response(received)
        elif received.method == "ACK" or not self._resend_response(received):
            self._handle_request(received)

    def _handle_response(self, received: Message) -> None:
        key = (received.branch, received.method)
        sent = self._pending_requests.get(key)
        if sent:
            if received.status >= 200:
                self.stop_retransmission(*key)
            elif received.method == "INVITE":
                sent.has_provisional = True
            sent.on_response(received)
        else:
            self._handle_stray_response(received)

    def _handle_stray_response(self, received: Message) -> None:
        """Count a response without a pending request."""
        self.stray_count += 1

    def _resend_response(self, received: Message) -> bool:
        response = self._sent_responses.get((received.branch, received.method))
        if response:
            self.send_datagram(response)
        return response is not None

    def _handle_request(self, received: Message) -> None:
        """Handle a request, or an ACK, that was received for the first time."""
        raise NotImplementedError
